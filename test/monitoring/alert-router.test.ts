/** An Alertmanager as it is asked, against a fake server: what is sent, what is read, and every fault. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createAlertRouter } from '#alertmanager/alert-router.ts';
import type { AlertRouter, Told } from '#ports/monitoring-systems.ts';
import {
  type Behaviour,
  json,
  patienceMs,
  type Recorded,
  startFakePrometheus as startFakeServer,
} from '#test/prometheus/fake-prometheus.ts';
import { forever } from '#test/prometheus/source.ts';
import { testServices } from './services.ts';

type Ask = (router: AlertRouter) => Promise<Told<unknown>>;

const labels = { alertname: 'Errors', severity: 'critical' };
const fired = { labels, annotations: {}, startsAtMs: 1_000, endsAtMs: undefined };

const asks = {
  health: (router) => router.health(forever),
  receivers: (router) => router.receiversOf(labels, forever),
  post: (router) => router.post(fired, forever),
  known: (router) => router.known(labels, forever),
} as const satisfies Record<string, Ask>;

async function told(
  ask: Ask,
  respond: Behaviour,
  limits: Parameters<typeof testServices>[0] = {},
): Promise<Told<unknown>> {
  await using server = await startFakeServer({ respond: () => respond });
  await using services = testServices(limits);
  return await ask(createAlertRouter(services.of('Alertmanager', server.url)));
}

const config =
  'route: {receiver: ops}\nreceivers:\n- name: ops\n  webhook_configs: [{url: <secret>}]\n';
const status = json({
  cluster: { status: 'disabled' },
  config: { original: config },
  uptime: '2026-11-22T10:00:00Z',
  versionInfo: { version: '0.27.0' },
});
const refused = (code: number, text: string): Behaviour => ({
  type: 'answer',
  status: code,
  headers: { 'content-type': 'text/plain' },
  text,
});
const page: Behaviour = {
  type: 'answer',
  headers: { 'content-type': 'text/html' },
  text: '<html>Log in</html>',
};

describe('an Alertmanager', () => {
  test('is well when it tells its version', async () => {
    assert.deepEqual(await told(asks.health, status), { type: 'told', value: '0.27.0' });
  });

  test('names whom an alert would reach', async () => {
    assert.deepEqual(await told(asks.receivers, status), {
      type: 'told',
      value: [{ name: 'ops', reachesSomebody: true }],
    });
  });

  test('that shows no configuration cannot tell whom', async () => {
    const answer = await told(asks.receivers, json({ versionInfo: { version: '' } }));
    assert.equal(answer.type, 'cannotTell');
    assert.match(messageOf(answer), /shows a configuration that has no route and receivers/);
    const without = await told(asks.receivers, refused(404, 'not found'));
    assert.equal(without.type, 'cannotTell');
  });

  test('takes an alert below the path of its url, with its credentials', async () => {
    await using server = await startFakeServer({ respond: () => refused(200, '') });
    await using services = testServices();
    const headers = { Authorization: 'Bearer token' };
    const service = services.of('Alertmanager', `${server.url}/am/?tenant=a`, headers);
    const alert = { ...fired, annotations: { summary: 'a test' }, endsAtMs: 61_000 };
    const answer = await createAlertRouter(service).post(alert, forever);
    assert.deepEqual(answer, { type: 'told', value: undefined });
    const [request] = server.requests;
    assert.equal(request?.method, 'POST');
    assert.equal(request.path, '/am/api/v2/alerts');
    assert.equal(request.search, '?tenant=a');
    assert.equal(request.headers['authorization'], 'Bearer token');
    assert.equal(request.headers['content-type'], 'application/json');
    assert.deepEqual(JSON.parse(Object.keys(request.form).join('')), [
      {
        labels,
        annotations: { summary: 'a test' },
        startsAt: '1970-01-01T00:00:01.000Z',
        endsAt: '1970-01-01T00:01:01.000Z',
      },
    ]);
  });

  test('knows an alert by all of its labels, no more and no less', async () => {
    const alerts = [
      { labels: { ...labels, pod: 'a' }, receivers: [{ name: 'other' }] },
      { labels, receivers: [{ name: 'ops' }, { name: 'archive' }] },
    ];
    const respond = (request: Recorded): Behaviour =>
      json(new URLSearchParams(request.search).getAll('filter').length > 0 ? alerts : []);
    await using server = await startFakeServer({ respond });
    await using services = testServices();
    const router = createAlertRouter(services.of('Alertmanager', server.url));
    assert.deepEqual(await router.known({ ...labels, empty: '' }, forever), {
      type: 'told',
      value: ['ops', 'archive'],
    });
    assert.deepEqual(await router.known({ alertname: 'Errors' }, forever), {
      type: 'told',
      value: undefined,
    });
    await router.known({ 'a b': 'c"d\\' }, forever);
    const [first, , third] = server.requests.map(({ search }) => new URLSearchParams(search));
    assert.deepEqual(first?.getAll('filter'), [
      'alertname="Errors"',
      'severity="critical"',
      'empty=""',
    ]);
    assert.deepEqual(third?.getAll('filter'), ['"a b"="c\\"d\\\\"']);
  });
});

const faults: readonly (readonly [string, Behaviour, RegExp])[] = [
  ['takes no such credentials', refused(401, 'no'), /answered 401: no; check the credentials/],
  [
    'redirects',
    { ...refused(302, ''), headers: { location: '/login' } } as Behaviour,
    /redirect to \/login/,
  ],
  ['has no upstream', refused(502, 'Bad Gateway'), /answered 502: Bad Gateway/],
  ['hangs', { type: 'hang' }, /did not answer within 0\.3 s/],
  ['hangs in the middle', { type: 'hangInBody' }, /did not answer within 0\.3 s/],
  ['breaks the connection', { type: 'reset' }, /closed the connection/],
  ['breaks off', { type: 'cut', text: '{"versionInfo":{}}' }, /cannot be reached/],
  ['says too much', { type: 'flood' }, /more than 100000 bytes/],
];

for (const [what, ask] of Object.entries(asks)) {
  describe(`${what} of one that fails`, () => {
    for (const [name, behaviour, message] of faults) {
      test(`it ${name}`, async () => {
        const answer = await told(ask, behaviour, { timeoutMs: patienceMs(behaviour) });
        assert.equal(answer.type, 'failed', JSON.stringify(answer));
        assert.match(messageOf(answer), message);
        assert.match(messageOf(answer), /^Alertmanager at http:\/\/127\.0\.0\.1:/);
      });
    }

    if (what !== 'post') {
      test('it is no Alertmanager', async () => {
        for (const behaviour of [page, json({ status: 'success' })]) {
          const answer = await told(ask, behaviour);
          assert.equal(answer.type, 'failed');
          assert.match(messageOf(answer), /does not answer as Alertmanager does/);
        }
      });
    }
  });
}

test('an alert that is refused is a failure with its words', async () => {
  const answer = await told(asks.post, refused(400, 'at least one label is needed'));
  assert.equal(answer.type, 'failed');
  assert.match(messageOf(answer), /answered 400: at least one label/);
});

test('a url that is none is a sentence', async () => {
  await using services = testServices();
  const answer = await asks.health(createAlertRouter(services.of('Alertmanager', 'am:9093')));
  assert.equal(answer.type, 'failed');
  assert.match(messageOf(answer), /The url of Alertmanager is not usable/);
});

test('who leaves is not kept waiting', async () => {
  await using server = await startFakeServer({ respond: () => ({ type: 'hang' }) });
  await using services = testServices();
  const router = createAlertRouter(services.of('Alertmanager', server.url));
  const answer = await router.health(AbortSignal.timeout(50));
  assert.equal(answer.type, 'failed');
});

function messageOf(answer: Told<unknown>): string {
  return answer.type === 'told' ? JSON.stringify(answer.value) : answer.message;
}
