/** What every channel over HTTP makes of a server that refuses, fails, hangs or is not who it says. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ChannelDefinition, SendOutcome } from '#ports/notifier.ts';
import { systemClock } from '#runtime/clock.ts';
import {
  type ChannelServer,
  type Scripted,
  startChannelServer,
} from '#test/notifiers/channel-server.ts';
import { firing, httpChannels, SECRET, secretsWith } from '#test/notifiers/messages.ts';
import { type Certificates, makeCertificates } from '#test/prometheus/certificates.ts';
import { createNotifier } from './index.ts';

let server: ChannelServer;
let secure: ChannelServer;
let certificates: Certificates;

before(async () => {
  certificates = makeCertificates();
  server = await startChannelServer();
  secure = await startChannelServer(certificates.server);
});

after(async () => {
  await server.close();
  await secure.close();
});

async function send(
  definition: ChannelDefinition,
  signal = AbortSignal.timeout(20_000),
  secrets = secretsWith({ ca: certificates.ca }),
): Promise<SendOutcome> {
  const notifier = createNotifier(definition, { readSecret: secrets, clock: systemClock });
  try {
    return await notifier.send(firing, signal);
  } finally {
    await notifier.close();
  }
}

interface Row {
  readonly sentence: string;
  readonly answer: Scripted;
  readonly type: SendOutcome['type'];
  readonly retryAfterMs?: number;
}

const rows: readonly Row[] = [
  {
    sentence: '429 is tried again when Retry-After says',
    answer: { status: 429, headers: { 'retry-after': '7' }, text: 'slow down' },
    type: 'later',
    retryAfterMs: 7_000,
  },
  { sentence: '429 without Retry-After is tried again', answer: { status: 429 }, type: 'later' },
  {
    sentence: 'a Retry-After of a day is cut to a quarter of an hour',
    answer: { status: 503, headers: { 'retry-after': '86400' } },
    type: 'later',
    retryAfterMs: 900_000,
  },
  { sentence: '500 is tried again', answer: { status: 500, text: 'oh' }, type: 'later' },
  { sentence: '503 is tried again', answer: { status: 503 }, type: 'later' },
  { sentence: '408 is tried again', answer: { status: 408 }, type: 'later' },
  { sentence: '400 is not', answer: { status: 400, text: 'invalid event' }, type: 'never' },
  { sentence: '404 is not', answer: { status: 404, text: 'no_service' }, type: 'never' },
  {
    sentence: 'a redirect is not followed',
    answer: { status: 302, headers: { location: 'http://127.0.0.1:1/' } },
    type: 'never',
  },
];

for (const [type, channel] of Object.entries(httpChannels)) {
  describe(`the channel ${type}`, () => {
    for (const { sentence, answer, type: expected, retryAfterMs } of rows) {
      test(sentence, async () => {
        server.answer = answer;
        const outcome = await send(channel(server.url));
        assert.equal(outcome.type, expected);
        if (retryAfterMs !== undefined) {
          assert.equal(outcome.type === 'later' ? outcome.retryAfterMs : 0, retryAfterMs);
        }
      });
    }

    test('says what the server said, without the secret that it repeats', async () => {
      server.answer = { status: 400, text: `the key ${SECRET} is unknown` };
      const outcome = await send(channel(server.url));
      assert.deepEqual(outcome, { type: 'never', message: '400 the key *** is unknown' });
    });

    test('a server that hangs is left when the signal says so', async () => {
      server.answer = 'hang';
      const limit = new AbortController();
      const sending = send(channel(server.url), limit.signal);
      const had = server.received.length;
      while (server.received.length === had) await systemClock.sleep(1);
      limit.abort(new Error('over'));
      await assert.rejects(sending, /over/);
    });

    test('nobody there is tried again', async () => {
      const gone = await startChannelServer();
      await gone.close();
      const outcome = await send(channel(gone.url));
      assert.equal(outcome.type, 'later');
      assert.match(outcome.type === 'later' ? outcome.message : '', /ECONNREFUSED/);
    });

    test('a certificate of an unknown authority is refused, and tried again', async () => {
      const had = secure.received.length;
      const outcome = await send(channel(secure.url));
      assert.equal(outcome.type, 'later');
      assert.match(outcome.type === 'later' ? outcome.message : '', /certificate/i);
      assert.equal(secure.received.length, had);
    });

    test('a certificate of the given authority and name is taken', async () => {
      secure.answer = { status: 200, text: '{"ok":true}' };
      const ca = { type: 'secret', name: 'people', key: 'ca' } as const;
      const tls = { ca, serverName: 'prometheus.test', insecureSkipVerify: false };
      const outcome = await send({ ...channel(secure.url), tls });
      assert.equal(outcome.type, 'sent');
    });

    test('a certificate for another name is refused', async () => {
      const ca = { type: 'secret', name: 'people', key: 'ca' } as const;
      const tls = { ca, insecureSkipVerify: false };
      const outcome = await send({ ...channel(secure.url), tls });
      assert.equal(outcome.type, 'later');
    });

    test('a secret that is not there is said, and tried again', async () => {
      const { SecretProblem } = await import('#ports/notifier.ts');
      const outcome = await send(channel(server.url), undefined, async () => {
        throw new SecretProblem('Secret people has no entry value');
      });
      assert.deepEqual(outcome, { type: 'later', message: 'Secret people has no entry value' });
    });
  });
}
