/** What each channel sends, held against what its server documents, and what it makes of the answer. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { z } from 'zod';
import type { ChannelDefinition, Message, SendOutcome } from '#ports/notifier.ts';
import {
  type ChannelServer,
  type Received,
  startChannelServer,
} from '#test/notifiers/channel-server.ts';
import {
  firing,
  httpChannels,
  resolved,
  SECRET,
  secretsWith,
  stepEntered,
} from '#test/notifiers/messages.ts';
import { makeCertificates } from '#test/prometheus/certificates.ts';
import { createNotifier } from './index.ts';

let server: ChannelServer;
before(async () => {
  server = await startChannelServer();
});
after(() => server.close());

const clock = { now: () => Date.parse('2026-11-22T12:10:00Z') };

async function send(
  definition: ChannelDefinition,
  message: Message,
  url?: string,
): Promise<{ readonly outcome: SendOutcome; readonly got: Received }> {
  const readSecret = secretsWith(url === undefined ? {} : { value: url });
  const notifier = createNotifier(definition, { readSecret, clock });
  const outcome = await notifier.send(message, AbortSignal.timeout(20_000));
  await notifier.close();
  const got = server.received.at(-1);
  assert.ok(got);
  return { outcome, got };
}

const mrkdwn = z.strictObject({ type: z.literal('mrkdwn'), text: z.string().min(1).max(3_000) });
/** https://api.slack.com/reference/block-kit/blocks */
const slackBlock = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('header'),
    text: z.strictObject({
      type: z.literal('plain_text'),
      text: z.string().min(1).max(150),
      emoji: z.boolean(),
    }),
  }),
  z
    .strictObject({
      type: z.literal('section'),
      text: mrkdwn.optional(),
      fields: z
        .array(mrkdwn.extend({ text: z.string().min(1).max(2_000) }))
        .min(1)
        .max(10)
        .optional(),
    })
    .refine(({ text, fields }) => text !== undefined || fields !== undefined),
  z.strictObject({ type: z.literal('context'), elements: z.array(mrkdwn).min(1).max(10) }),
]);
const slackContent = { text: z.string().min(1).max(4_000), blocks: z.array(slackBlock).max(50) };

describe('Slack', () => {
  const webhook: ChannelDefinition = {
    type: 'slack',
    name: 'slack',
    tls: { insecureSkipVerify: false },
    by: { type: 'webhook', url: { type: 'secret', name: 'slack', key: 'value' } },
  };

  test('by webhook: text and blocks, to the URL that the secret is', async () => {
    server.answer = { status: 200, text: 'ok' };
    const url = `${server.url}/services/T0/B0/secret-part`;
    const { outcome, got } = await send(webhook, firing, url);
    assert.deepEqual(outcome, { type: 'sent', answer: '200 ok' });
    assert.equal(got.path, '/services/T0/B0/secret-part');
    const sent = z.strictObject(slackContent).parse(JSON.parse(got.text));
    assert.match(sent.text, /error-rate 7\.2% &gt; 0\.5% for 5m0s/);
    assert.match(got.text, /a\{b=\\"&lt;c&gt;\\"\}\[5m\]\)\) &amp; more/);
    assert.match(got.text, /<https:\/\/runbooks\.example\.com\/error-rate\|runbook>/);
  });

  test('by token: chat.postMessage in the channel, with the token as bearer', async () => {
    server.answer = { status: 200, text: '{"ok":true,"ts":"1.2"}' };
    const { outcome, got } = await send(httpChannels.slack(server.url), firing);
    assert.deepEqual(outcome, { type: 'sent', answer: '200 ok' });
    assert.equal(got.path, '/api/chat.postMessage');
    assert.equal(got.headers.authorization, `Bearer ${SECRET}`);
    assert.match(got.headers['content-type'] ?? '', /application\/json; charset=utf-8/);
    z.strictObject({
      ...slackContent,
      channel: z.literal('C0123'),
      unfurl_links: z.literal(false),
    }).parse(JSON.parse(got.text));
  });

  for (const [error, type] of [
    ['ratelimited', 'later'],
    ['internal_error', 'later'],
    ['channel_not_found', 'never'],
    ['invalid_auth', 'never'],
  ] as const) {
    test(`200 with the error ${error} is ${type}`, async () => {
      server.answer = { status: 200, text: JSON.stringify({ ok: false, error }) };
      const { outcome } = await send(httpChannels.slack(server.url), firing);
      assert.deepEqual(outcome, { type, message: error });
    });
  }

  test('a message longer than Slack takes is cut, at letters and not within them', async () => {
    server.answer = { status: 200, text: '{"ok":true}' };
    const long = '𝔤'.repeat(5_000);
    const details = Array.from({ length: 20 }, () => ({ label: 'x', value: long }));
    const message = { ...firing, title: long, text: long, body: long, details };
    const { got } = await send(httpChannels.slack(server.url), message);
    const sent = JSON.parse(got.text);
    const letters = (text: string) => Array.from(text).length;
    assert.ok(letters(sent.blocks[0].text.text) <= 150);
    assert.ok(letters(sent.blocks[1].text.text) <= 3_000);
    assert.equal(sent.blocks[2].fields.length, 10);
    assert.ok(!/[\ud800-\udbff](?![\udc00-\udfff])/.test(got.text));
  });
});

/** https://developer.pagerduty.com/docs/events-api-v2/trigger-events/ */
const pagerPayload = {
  summary: z.string().min(1).max(1_024),
  source: z.string().min(1),
  timestamp: z.iso.datetime().optional(),
  custom_details: z.record(z.string(), z.string()).optional(),
};
const pagerLinks = z.array(z.strictObject({ href: z.url(), text: z.string() })).optional();
const pagerKey = { routing_key: z.literal(SECRET), dedup_key: z.string().min(1).max(255) };

describe('PagerDuty', () => {
  const channel = () => httpChannels.pagerDuty(server.url);
  before(() => {
    server.answer = { status: 202, text: '{"status":"success","message":"Event processed"}' };
  });

  test('an open incident triggers under its key', async () => {
    const { outcome, got } = await send(channel(), firing);
    assert.equal(outcome.type, 'sent');
    assert.equal(got.path, '/v2/enqueue');
    const event = z
      .strictObject({
        ...pagerKey,
        event_action: z.literal('trigger'),
        client: z.string(),
        payload: z.strictObject({
          ...pagerPayload,
          severity: z.enum(['critical', 'error', 'warning', 'info']),
          component: z.string(),
          group: z.string(),
          class: z.string(),
        }),
        links: pagerLinks,
      })
      .parse(JSON.parse(got.text));
    assert.equal(event.dedup_key, 'genesis/shop/checkout/7f3a/trigger/error-rate');
    assert.equal(event.payload.severity, 'critical');
    assert.match(
      event.payload.summary,
      /^shop\/checkout v2: trigger error-rate fires: error-rate 7\.2%/,
    );
  });

  for (const [state, action] of [
    ['Acknowledged', 'acknowledge'],
    ['Closed', 'resolve'],
  ] as const) {
    test(`an incident that is ${state} is told to ${action}, under the same key`, async () => {
      const { incident } = firing;
      assert.ok(incident);
      const { got } = await send(channel(), { ...firing, incident: { ...incident, state } });
      const event = z
        .strictObject({ ...pagerKey, event_action: z.literal(action) })
        .parse(JSON.parse(got.text));
      assert.equal(event.dedup_key, incident.key);
    });
  }

  test('what is no incident is a change event', async () => {
    const { got } = await send(channel(), stepEntered);
    assert.equal(got.path, '/v2/change/enqueue');
    z.strictObject({
      routing_key: z.literal(SECRET),
      payload: z.strictObject(pagerPayload),
      links: pagerLinks,
    }).parse(JSON.parse(got.text));
  });
});

/** api/v2/openapi.yaml of Alertmanager: postableAlerts. */
const postableAlerts = z
  .array(
    z.strictObject({
      labels: z.record(z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/), z.string()),
      annotations: z.record(z.string(), z.string()).optional(),
      startsAt: z.iso.datetime().optional(),
      endsAt: z.iso.datetime().optional(),
      generatorURL: z.string().optional(),
    }),
  )
  .length(1);

describe('Alertmanager', () => {
  const channel = () => httpChannels.alertmanager(server.url);
  const post = async (message: Message) => {
    server.answer = { status: 200 };
    const { outcome, got } = await send(channel(), message);
    assert.equal(outcome.type, 'sent');
    assert.equal(got.path, '/api/v2/alerts');
    assert.equal(got.headers.authorization, `Bearer ${SECRET}`);
    const [alert] = postableAlerts.parse(JSON.parse(got.text));
    assert.ok(alert);
    return alert;
  };

  test('an open incident is an alert that ends in five minutes unless it is posted again', async () => {
    const alert = await post(firing);
    assert.deepEqual(alert.labels, {
      alertname: 'GenesisTriggerFiring',
      severity: 'critical',
      namespace: 'shop',
      rollout: 'checkout',
      subject: 'error-rate',
    });
    assert.equal(alert.startsAt, '2026-11-22T12:09:10.000Z');
    assert.equal(alert.endsAt, '2026-11-22T12:15:00.000Z');
    assert.equal(alert.annotations?.['runbook_url'], 'https://runbooks.example.com/error-rate');
  });

  test('closed, it ends now', async () => {
    const alert = await post({ ...firing, incident: resolved.incident ?? assert.fail() });
    assert.equal(alert.endsAt, '2026-11-22T12:10:00.000Z');
  });

  test('every replica is told, and one that knows it is enough', async () => {
    server.answer = { status: 200 };
    const second = await startChannelServer();
    const gone = await startChannelServer();
    await gone.close();
    const definition = httpChannels.alertmanager(server.url);
    assert.ok(definition.type === 'alertmanager');
    const urls = [gone.url, server.url, `${second.url}/`];
    const { outcome } = await send({ ...definition, urls }, firing);
    assert.equal(outcome.type, 'sent');
    assert.deepEqual(
      second.received.map(({ path }) => path),
      ['/api/v2/alerts'],
    );
    second.answer = { status: 503 };
    const { outcome: failed } = await send({ ...definition, urls: [gone.url, second.url] }, firing);
    assert.equal(failed.type, 'later');
    await second.close();
  });
});

/** https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md */
const cloudEvent = z.strictObject({
  specversion: z.literal('1.0'),
  id: z.string().min(1),
  source: z
    .string()
    .regex(/^\/apis\/genesis\.dev\/v1alpha1\/namespaces\/shop\/genesisrollouts\/checkout$/),
  type: z.string().min(1),
  subject: z.string().min(1).optional(),
  time: z.iso.datetime(),
  datacontenttype: z.literal('application/json'),
  data: z.looseObject({ title: z.string() }),
});

describe('the webhook', () => {
  test('is sent a signed CloudEvent, equal for every repetition but for time and signature', async () => {
    server.answer = { status: 204 };
    const { outcome, got } = await send(httpChannels.webhook(server.url), firing);
    assert.deepEqual(outcome, { type: 'sent', answer: '204' });
    assert.equal(got.headers['content-type'], 'application/cloudevents+json; charset=utf-8');
    const event = cloudEvent.parse(JSON.parse(got.text));
    assert.equal(event.type, 'dev.genesis.rollout.triggerfiring.v1');
    assert.equal(event.id, firing.id);
    const timestamp = String(got.headers['x-genesis-timestamp']);
    assert.equal(timestamp, String(clock.now() / 1_000));
    const hmac = createHmac('sha256', SECRET).update(`${timestamp}.${got.text}`).digest('hex');
    assert.equal(got.headers['x-genesis-signature'], `sha256=${hmac}`);
  });

  test('goes through a proxy where one is set, and is not to be read there', async () => {
    const certificates = makeCertificates();
    const secure = await startChannelServer(certificates.server);
    const asked: string[] = [];
    const proxy = createServer();
    proxy.on('connect', (request, socket) => {
      asked.push(request.url ?? '');
      const target = connect(Number(new URL(secure.url).port), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        target.pipe(socket).pipe(target);
      });
      target.on('error', () => socket.destroy());
      socket.on('error', () => target.destroy());
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    try {
      const address = proxy.address();
      assert.ok(address !== null && typeof address === 'object');
      const ca = { type: 'secret', name: 'people', key: 'ca' } as const;
      const notifier = createNotifier(
        {
          ...httpChannels.webhook(secure.url),
          proxyUrl: `http://127.0.0.1:${address.port}`,
          tls: { ca, serverName: 'prometheus.test', insecureSkipVerify: false },
        },
        { readSecret: secretsWith({ ca: certificates.ca }), clock },
      );
      const outcome = await notifier.send(firing, AbortSignal.timeout(20_000));
      await notifier.close();
      assert.deepEqual(outcome, { type: 'sent', answer: '200 ok' });
      assert.deepEqual(asked, [new URL(secure.url).host]);
    } finally {
      proxy.closeAllConnections();
      proxy.close();
      await secure.close();
    }
  });
});
