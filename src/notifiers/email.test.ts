/** E-mail against a real SMTP server: encryption, login, headers, and what follows from each refusal. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { SMTPServer } from 'smtp-server';
import type { ChannelDefinition, Message, SendOutcome } from '#ports/notifier.ts';
import { systemClock } from '#runtime/clock.ts';
import { emailChannel, firing, resolved, SECRET, secretsWith } from '#test/notifiers/messages.ts';
import { type Certificates, makeCertificates } from '#test/prometheus/certificates.ts';
import { createNotifier } from './index.ts';

interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
  readonly isSecure: boolean;
  readonly user: string | undefined;
}

interface Rules {
  readonly secure?: boolean;
  readonly offersNoTls?: boolean;
  readonly password?: string;
  /** Reply code to RCPT TO, by address. */
  readonly refuse?: Readonly<Record<string, number>>;
  readonly data?: number;
}

let certificates: Certificates;
before(() => {
  certificates = makeCertificates();
});

const open: SMTPServer[] = [];
after(async () => {
  await Promise.all(open.map((server) => new Promise<void>((resolve) => server.close(resolve))));
});

async function startSmtp(rules: Rules = {}) {
  const mails: Mail[] = [];
  const refusal = (code: number, words: string) =>
    Object.assign(new Error(words), { responseCode: code });
  const server = new SMTPServer({
    ...certificates.server,
    secure: rules.secure ?? false,
    ...(rules.offersNoTls === true ? { disabledCommands: ['STARTTLS'], authOptional: true } : {}),
    logger: false,
    onAuth: ({ username, password }, _session, callback) => {
      if (password === (rules.password ?? SECRET)) callback(null, { user: username ?? '' });
      else callback(refusal(535, 'wrong user or password'));
    },
    onRcptTo: ({ address }, _session, callback) => {
      const code = rules.refuse?.[address];
      callback(code === undefined ? null : refusal(code, `no mail for ${address}`));
    },
    onData: (stream, session, callback) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          text: Buffer.concat(chunks).toString('utf8'),
          isSecure: session.secure,
          user: typeof session.user === 'string' ? session.user : undefined,
        });
        callback(rules.data === undefined ? null : refusal(rules.data, 'not taken'));
      });
    },
  });
  server.on('error', () => undefined);
  open.push(server);
  const listening = server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const address = listening.address();
  assert.ok(address !== null && typeof address === 'object');
  return { mails, port: address.port };
}

const trusted = {
  tls: {
    ca: { type: 'secret', name: 'mail', key: 'ca' },
    serverName: 'prometheus.test',
    insecureSkipVerify: false,
  },
} as const;

async function send(
  definition: ChannelDefinition,
  message: Message = firing,
  signal = AbortSignal.timeout(20_000),
): Promise<SendOutcome> {
  const readSecret = secretsWith({ ca: certificates.ca });
  const notifier = createNotifier(definition, { readSecret, clock: systemClock });
  return notifier.send(message, signal);
}

describe('a mail', () => {
  test('is sent with STARTTLS and a login, to everybody, marked as made by a machine', async () => {
    const { mails, port } = await startSmtp();
    const outcome = await send(emailChannel(port, trusted));
    assert.equal(outcome.type, 'sent', JSON.stringify(outcome));
    const [mail] = mails;
    assert.ok(mail);
    assert.equal(mail.isSecure, true);
    assert.equal(mail.user, 'genesis');
    assert.equal(mail.from, 'genesis@example.com');
    assert.deepEqual(mail.to, ['alice@example.com', 'bob@example.com']);
    assert.match(
      mail.text,
      /^Subject: \[genesis\] shop\/checkout v2: trigger error-rate fires\r$/m,
    );
    assert.match(mail.text, new RegExp(`^Message-ID: <${firing.id}@`, 'im'));
    assert.match(mail.text, /^Auto-Submitted: auto-generated\r$/m);
    assert.match(mail.text, /^X-Priority: 1/m);
    assert.match(mail.text, /Responder: hudson/);
  });

  test('is sent with TLS from the first byte where that is set', async () => {
    const { mails, port } = await startSmtp({ secure: true });
    const outcome = await send(emailChannel(port, { ...trusted, encryption: 'Tls' }));
    assert.equal(outcome.type, 'sent', JSON.stringify(outcome));
    assert.equal(mails[0]?.isSecure, true);
  });

  test('of the same run is in the same thread', async () => {
    const { mails, port } = await startSmtp();
    await send(emailChannel(port, trusted), firing);
    await send(emailChannel(port, trusted), resolved);
    const threads = mails.map(({ text }) => /^References: (.*)\r$/m.exec(text)?.[1]);
    assert.ok(threads[0]);
    assert.equal(threads[0], threads[1]);
    const ids = mails.map(({ text }) => /^Message-ID: (.*)\r$/im.exec(text)?.[1]);
    assert.notEqual(ids[0], ids[1]);
  });

  test('has a subject on one line, whatever is in the title', async () => {
    const { mails, port } = await startSmtp();
    await send(emailChannel(port, trusted), { ...firing, title: 'a\r\nBcc: eve@example.com' });
    assert.deepEqual(mails[0]?.to, ['alice@example.com', 'bob@example.com']);
    assert.ok(!/^Bcc:/m.test(mails[0]?.text ?? ''));
  });
});

describe('a mail is not sent, and tried again,', () => {
  const later = async (definition: ChannelDefinition, words: RegExp) => {
    const outcome = await send(definition);
    assert.equal(outcome.type, 'later', JSON.stringify(outcome));
    assert.match(outcome.type === 'later' ? outcome.message : '', words);
  };

  test('where the server offers no STARTTLS: a password never goes in the clear', async () => {
    const { mails, port } = await startSmtp({ offersNoTls: true });
    await later(emailChannel(port, trusted), /STARTTLS|TLS/);
    assert.equal(mails.length, 0);
  });

  test('where its certificate is of an unknown authority', async () => {
    const { mails, port } = await startSmtp();
    await later(emailChannel(port), /certificate/);
    assert.equal(mails.length, 0);
  });

  test('where nobody is there', async () => {
    const { port } = await startSmtp();
    await new Promise<void>((resolve) => open.pop()?.close(resolve));
    await later(emailChannel(port, trusted), /ECONNREFUSED/);
  });

  test('where the login is refused: whoever mends the Secret has the mail sent after all', async () => {
    const { port } = await startSmtp({ password: 'another' });
    await later(emailChannel(port, trusted), /535/);
  });

  test('where the server asks for patience (451)', async () => {
    const { port } = await startSmtp({ data: 451 });
    await later(emailChannel(port, trusted), /451/);
  });
});

describe('a mail that is refused', () => {
  test('for good (554) is not sent again', async () => {
    const { port } = await startSmtp({ data: 554 });
    const outcome = await send(emailChannel(port, trusted));
    assert.equal(outcome.type, 'never', JSON.stringify(outcome));
  });

  test('for one of two people reaches the other, and says so', async () => {
    const { mails, port } = await startSmtp({ refuse: { 'bob@example.com': 550 } });
    const outcome = await send(emailChannel(port, trusted));
    assert.equal(outcome.type, 'sent');
    assert.match(outcome.type === 'sent' ? outcome.answer : '', /1 of 2 refused/);
    assert.deepEqual(mails[0]?.to, ['alice@example.com']);
  });
});

test('a server that never greets is left when the signal says so', async () => {
  const silent = createServer();
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const address = silent.address();
  assert.ok(address !== null && typeof address === 'object');
  const limit = new AbortController();
  const connected = once(silent, 'connection');
  const sending = send(emailChannel(address.port, trusted), firing, limit.signal);
  await connected;
  limit.abort(new Error('over'));
  await assert.rejects(sending, /over/);
  silent.close();
});
