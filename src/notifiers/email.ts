/** E-mail over SMTP. One run is one thread, and a repeated message has the same Message-ID. */
import { createHash } from 'node:crypto';
import { createTransport } from 'nodemailer';
import type {
  ChannelDefinition,
  Message,
  Notifier,
  ReadSecret,
  SendOutcome,
} from '#ports/notifier.ts';
import { failureText } from './failure.ts';
import { said } from './http.ts';
import { cut, plainText } from './text.ts';

type EmailChannel = Extract<ChannelDefinition, { type: 'email' }>;

/** No socket outlives the send it was opened for; the caller's signal is sooner, as a rule. */
const SOCKET_MAX_MS = 60_000;
const SUBJECT_MAX = 200;
const DOMAIN = 'notifications.genesis.dev';

export function createEmail(definition: EmailChannel, readSecret: ReadSecret): Notifier {
  return {
    definition,
    close: async () => undefined,
    async send(message, signal) {
      const transport = createTransport(await options(definition, readSecret, signal));
      try {
        const info = await transport.sendMail({ ...mail(message, definition), signal });
        const refused = info.rejected.length;
        const some = refused === 0 ? '' : `; ${refused} of ${definition.to.length} refused`;
        return { type: 'sent', answer: `${said(info.response)}${some}` };
      } catch (error) {
        if (signal.aborted) throw error;
        return failure(error);
      } finally {
        transport.close();
      }
    },
  };
}

async function options(
  { host, port, encryption, credentials, tls }: EmailChannel,
  readSecret: ReadSecret,
  signal: AbortSignal,
) {
  const ca = tls.ca === undefined ? {} : { ca: await readSecret(tls.ca, signal) };
  const servername = tls.serverName === undefined ? {} : { servername: tls.serverName };
  const auth =
    credentials === undefined
      ? {}
      : {
          auth: {
            user: credentials.username,
            pass: await readSecret(credentials.password, signal),
          },
        };
  return {
    host,
    port,
    secure: encryption === 'Tls',
    requireTLS: encryption === 'StartTls',
    ignoreTLS: encryption === 'None',
    connectionTimeout: SOCKET_MAX_MS,
    greetingTimeout: SOCKET_MAX_MS,
    socketTimeout: SOCKET_MAX_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
    tls: { rejectUnauthorized: !tls.insecureSkipVerify, ...ca, ...servername },
    ...auth,
  };
}

function mail(message: Message, { from, to }: EmailChannel) {
  const { id, kind, severity, runId, namespace, rollout, title } = message;
  const thread = createHash('sha256').update(`${namespace}/${rollout}/${runId}`).digest('hex');
  return {
    from,
    to: [...to],
    subject: cut(`[genesis] ${title}`, SUBJECT_MAX),
    text: `${plainText(message)}\n`,
    messageId: `<${id}@${DOMAIN}>`,
    references: `<${thread.slice(0, 32)}@${DOMAIN}>`,
    ...(severity === 'Critical' ? { priority: 'high' as const } : {}),
    headers: {
      // Out-of-office replies to an operator help nobody.
      'auto-submitted': 'auto-generated',
      'x-genesis-event': kind,
      'x-genesis-severity': severity,
      'x-genesis-rollout': `${namespace}/${rollout}`,
    },
  };
}

/**
 * RFC 5321: 4yz may be tried again, 5yz not. That is said of the message alone: a wrong password or a certificate waits
 * for whoever mends it.
 */
function failure(error: unknown): SendOutcome {
  const message = said(failureText(error));
  const isPermanent =
    error instanceof Error &&
    Reflect.get(error, 'permanent') === true &&
    ofMessage.includes(Reflect.get(error, 'code'));
  return { type: isPermanent ? 'never' : 'later', message };
}

/** Nodemailer's codes for what the server says of sender, recipients and text. */
const ofMessage: readonly unknown[] = ['EENVELOPE', 'EMESSAGE'];
