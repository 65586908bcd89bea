/** Requests to the servers behind channels: no redirects, a limited answer, what follows from each status. */
import { Agent, type Dispatcher, ProxyAgent, request } from 'undici';
import type {
  ChannelConnection,
  ReadSecret,
  SecretReference,
  SendOutcome,
} from '#ports/notifier.ts';

export interface Post {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
  readonly retryAfterMs: number | undefined;
}

export interface Http {
  /** Rejects with the signal's reason, or with whatever the connection failed of. */
  post(post: Post, signal: AbortSignal): Promise<HttpAnswer>;
  close(): Promise<void>;
}

/** Nobody says more that is worth reading. */
const ANSWER_BYTES_MAX = 16_384;
/** A server that asks for more is asked again after this: somebody may be waiting for the message. */
const RETRY_AFTER_MAX_MS = 15 * 60_000;

export function createHttp(connection: ChannelConnection, readSecret: ReadSecret): Http {
  let known: { readonly ca: string | undefined; readonly dispatcher: Dispatcher } | undefined;
  // The certificate authority is read anew each time; the connections are made anew when it has changed.
  const dispatcherFor = async (signal: AbortSignal): Promise<Dispatcher> => {
    const { ca: reference } = connection.tls;
    const ca = reference === undefined ? undefined : await readSecret(reference, signal);
    if (known !== undefined && known.ca === ca) return known.dispatcher;
    const before = known?.dispatcher;
    const dispatcher = connect(connection, ca);
    known = { ca, dispatcher };
    await before?.destroy();
    return dispatcher;
  };
  return {
    async post({ url, headers, body }, signal) {
      const dispatcher = await dispatcherFor(signal);
      const answer = await request(url, {
        dispatcher,
        method: 'POST',
        headers: { 'user-agent': 'genesis-rollout', ...headers },
        body,
        signal,
        // Messages are rare: a connection that was kept would often be dead.
        reset: true,
        // The caller's signal covers connecting, waiting and reading.
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      const retryAfter = answer.headers['retry-after'];
      return {
        status: answer.statusCode,
        text: await readText(answer.body),
        retryAfterMs: retryAfterMs(Array.isArray(retryAfter) ? retryAfter[0] : retryAfter),
      };
    },
    close: async () => {
      await known?.dispatcher.destroy();
    },
  };
}

function connect({ tls, proxyUrl }: ChannelConnection, ca: string | undefined): Dispatcher {
  const identity = {
    rejectUnauthorized: !tls.insecureSkipVerify,
    ...(ca === undefined ? {} : { ca }),
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
  };
  if (proxyUrl === undefined) return new Agent({ connect: identity, allowH2: false });
  return new ProxyAgent({ uri: proxyUrl, requestTls: identity, allowH2: false });
}

async function readText(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    const part = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    chunks.push(part);
    bytes += part.length;
    if (bytes > ANSWER_BYTES_MAX) {
      body.destroy();
      break;
    }
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** RFC 9110: seconds. The form with a date is left to our own pauses, since it needs a second clock. */
export function retryAfterMs(value: string | undefined): number | undefined {
  if (value === undefined || !/^[0-9]{1,9}$/.test(value.trim())) return undefined;
  return Math.min(RETRY_AFTER_MAX_MS, Number(value) * 1_000);
}

/** What follows from a status, for servers that mean by it what HTTP says. */
export function outcomeOf({ status, text, retryAfterMs: afterMs }: HttpAnswer): SendOutcome {
  const answer = `${status} ${said(text)}`.trim();
  if (status >= 200 && status < 300) return { type: 'sent', answer };
  const isTransient = status === 408 || status === 425 || status === 429 || status >= 500;
  if (!isTransient) return { type: 'never', message: answer };
  return afterMs === undefined
    ? { type: 'later', message: answer }
    : { type: 'later', message: answer, retryAfterMs: afterMs };
}

const SAID_MAX = 200;

/** The beginning of an answer, on one line. */
export function said(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > SAID_MAX ? `${line.slice(0, SAID_MAX)}…` : line;
}

/** As the value of `authorization`. */
export async function authorization(
  credentials:
    | { readonly type: 'bearer'; readonly token: SecretReference }
    | { readonly type: 'basic'; readonly username: string; readonly password: SecretReference }
    | undefined,
  readSecret: ReadSecret,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  if (credentials === undefined) return {};
  if (credentials.type === 'bearer') {
    return { authorization: `Bearer ${await readSecret(credentials.token, signal)}` };
  }
  const password = await readSecret(credentials.password, signal);
  const pair = Buffer.from(`${credentials.username}:${password}`).toString('base64');
  return { authorization: `Basic ${pair}` };
}
