/** What a Prometheus says of itself, against a fake server: its lists, its kin that lack them, and every fault. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MetricBackend, Told } from '#ports/monitoring-systems.ts';
import {
  apiError,
  type Behaviour,
  json,
  patienceMs,
  type Recorded,
  startFakePrometheus,
  success,
} from './fake-prometheus.ts';
import { endpointOf, eventually, forever, testSource } from './source.ts';

type Ask = (backend: MetricBackend) => Promise<Told<unknown>>;

const targets: Ask = (backend) => backend.targets(forever);
const rules: Ask = (backend) => backend.rules(forever);
const alertmanagers: Ask = (backend) => backend.alertmanagers(forever);
const WINDOW = { startMs: 1_000, endMs: 61_500 };
const values: Ask = (backend) => backend.labelValues('__name__', ['{job="a"}'], WINDOW, forever);

async function told(
  ask: Ask,
  respond: Behaviour | ((request: Recorded) => Behaviour),
  options: Parameters<typeof testSource>[0] = {},
): Promise<Told<unknown>> {
  await using server = await startFakePrometheus({
    respond: typeof respond === 'function' ? respond : () => respond,
  });
  await using source = testSource(options);
  return await ask(source.backendOf(endpointOf(server.url)));
}

const html: Behaviour = {
  type: 'answer',
  headers: { 'content-type': 'text/html' },
  text: '<html>Log in</html>',
};
const text = (status: number, words: string): Behaviour => ({
  type: 'answer',
  status,
  headers: { 'content-type': 'text/plain' },
  text: words,
});

const target = {
  discoveredLabels: { __address__: '10.0.0.1:8080' },
  labels: { job: 'shop', instance: '10.0.0.1:8080' },
  scrapePool: 'shop',
  scrapeUrl: 'http://10.0.0.1:8080/metrics',
  lastError: '',
  lastScrape: '2026-11-22T10:00:00.250Z',
  lastScrapeDuration: 0.01,
  health: 'up',
  scrapeInterval: '15s',
  scrapeTimeout: '10s',
};

describe('targets', () => {
  const up = {
    job: 'shop',
    instance: '10.0.0.1:8080',
    scrapeUrl: 'http://10.0.0.1:8080/metrics',
    health: 'up',
    lastError: '',
    lastScrapeAtMs: Date.parse('2026-11-22T10:00:00.250Z'),
    scrapeIntervalMs: 15_000,
  };
  const rows: readonly (readonly [string, object, object])[] = [
    ['one that is up', target, up],
    [
      'one that is down says why',
      { ...target, health: 'down', lastError: 'connection refused' },
      { ...up, health: 'down', lastError: 'connection refused' },
    ],
    [
      'one that was not scraped yet',
      { ...target, health: 'unknown', lastScrape: '0001-01-01T00:00:00Z' },
      { ...up, health: 'unknown', lastScrapeAtMs: undefined },
    ],
    [
      'an interval of several units',
      { ...target, scrapeInterval: '1m30s' },
      { ...up, scrapeIntervalMs: 90_000 },
    ],
    [
      'an interval below a second',
      { ...target, scrapeInterval: '200ms' },
      { ...up, scrapeIntervalMs: 200 },
    ],
    [
      "VictoriaMetrics' own names no interval",
      { ...target, scrapeInterval: undefined },
      { ...up, scrapeIntervalMs: undefined },
    ],
    [
      'without labels',
      { scrapeUrl: 'http://a', health: 'up' },
      {
        ...up,
        job: '',
        instance: '',
        scrapeUrl: 'http://a',
        lastScrapeAtMs: undefined,
        scrapeIntervalMs: undefined,
      },
    ],
  ];
  for (const [name, given, want] of rows) {
    test(name, async () => {
      const answer = success({ activeTargets: [given], droppedTargets: [] });
      assert.deepEqual(await told(targets, answer), { type: 'told', value: [want] });
    });
  }

  test('none at all: it may be only written to', async () => {
    const answer = await told(targets, success({ activeTargets: [] }));
    assert.equal(answer.type, 'cannotTell');
    assert.match(messageOf(answer), /^Prometheus at http:\/\/127.* scrapes nothing itself/);
  });

  test('the active ones are asked for, below the path and with the parameters of the url', async () => {
    await using server = await startFakePrometheus({
      respond: () => success({ activeTargets: [target] }),
    });
    await using source = testSource();
    const url = `${server.url}/select/0/prometheus?tenant=a`;
    await targets(source.backendOf(endpointOf(url, { headers: { authorization: 'Bearer t' } })));
    const [request] = server.requests;
    assert.equal(request?.method, 'GET');
    assert.equal(request.path, '/select/0/prometheus/api/v1/targets');
    assert.equal(request.search, '?tenant=a&state=active');
    assert.equal(request.headers['authorization'], 'Bearer t');
  });
});

const rule = {
  state: 'inactive',
  name: 'CheckoutErrors',
  query: 'errors > 1',
  duration: 60,
  labels: { severity: 'critical' },
  annotations: {},
  alerts: [],
  health: 'ok',
  evaluationTime: 0.001,
  lastEvaluation: '2026-11-22T10:00:00Z',
  type: 'alerting',
};
const group = (...members: readonly object[]): Behaviour =>
  success({ groups: [{ name: 'shop', file: '/etc/rules.yaml', interval: 30, rules: members }] });

describe('rules', () => {
  const loaded = {
    type: 'alerting',
    name: 'CheckoutErrors',
    group: 'shop',
    file: '/etc/rules.yaml',
    health: 'ok',
    lastError: '',
    lastEvaluationAtMs: Date.parse('2026-11-22T10:00:00Z'),
    intervalMs: 30_000,
    labels: { severity: 'critical' },
    query: 'errors > 1',
  };
  const rows: readonly (readonly [string, object, object])[] = [
    ['one that is healthy', rule, loaded],
    [
      'one that fails says why',
      { ...rule, health: 'err', lastError: 'many-to-many matching' },
      { ...loaded, health: 'err', lastError: 'many-to-many matching' },
    ],
    [
      'one that was never evaluated',
      { ...rule, health: 'unknown', lastEvaluation: '0001-01-01T00:00:00Z' },
      { ...loaded, health: 'unknown', lastEvaluationAtMs: undefined },
    ],
    ["a state of vmalert's own", { ...rule, health: 'nomatch' }, { ...loaded, health: 'unknown' }],
    [
      'a recording one without labels',
      { type: 'recording', name: 'a:b', query: 'sum(b)', labels: null, health: 'ok' },
      {
        ...loaded,
        type: 'recording',
        name: 'a:b',
        query: 'sum(b)',
        labels: {},
        lastEvaluationAtMs: undefined,
      },
    ],
  ];
  for (const [name, given, want] of rows) {
    test(name, async () => {
      assert.deepEqual(await told(rules, group(given)), { type: 'told', value: [want] });
    });
  }

  const empty = success({ groups: [] });
  const builtAs = (build: object) => (request: Recorded) =>
    request.path.endsWith('/buildinfo') ? success(build) : empty;

  test('none at all, in a Prometheus, is none at all', async () => {
    const answer = await told(rules, builtAs({ version: '3.16.0', goVersion: 'go1.26' }));
    assert.deepEqual(answer, { type: 'told', value: [] });
  });

  test('none at all, in a VictoriaMetrics, may be those of a vmalert elsewhere', async () => {
    const answer = await told(rules, builtAs({ version: '2.24.0' }));
    assert.equal(answer.type, 'cannotTell');
    assert.match(messageOf(answer), /rules may be evaluated elsewhere/);
  });
});

describe('Alertmanagers', () => {
  const rows: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['none', [], []],
    ['its base', ['http://am:9093/api/v2/alerts'], ['http://am:9093']],
    ['a prefix stays', ['https://am/tenant/am/api/v2/alerts'], ['https://am/tenant/am']],
    ['two ways to one are one', ['http://a/api/v1/alerts', 'http://a/api/v2/alerts'], ['http://a']],
  ];
  for (const [name, urls, want] of rows) {
    test(name, async () => {
      const active = urls.map((url) => ({ url }));
      const answer = success({ activeAlertmanagers: active, droppedAlertmanagers: [] });
      assert.deepEqual(await told(alertmanagers, answer), { type: 'told', value: want });
    });
  }
});

describe('values of a label', () => {
  test('over the series and the window that are asked for', async () => {
    await using server = await startFakePrometheus({ respond: () => success(['a', 'b']) });
    await using source = testSource();
    const backend = source.backendOf(endpointOf(server.url));
    const answer = await backend.labelValues('job', ['up{a="b c"}', 'down'], WINDOW, forever);
    assert.deepEqual(answer, { type: 'told', value: ['a', 'b'] });
    const [request] = server.requests;
    assert.equal(request?.path, '/api/v1/label/job/values');
    const asked = new URLSearchParams(request.search);
    assert.deepEqual(asked.getAll('match[]'), ['up{a="b c"}', 'down']);
    assert.equal(asked.get('start'), '1.000');
    assert.equal(asked.get('end'), '61.500');
  });

  test('that has other characters in its name', async () => {
    await using server = await startFakePrometheus({ respond: () => success([]) });
    await using source = testSource();
    const backend = source.backendOf(endpointOf(server.url));
    await backend.labelValues('service.name_ü', [], WINDOW, forever);
    assert.equal(server.requests[0]?.path, '/api/v1/label/U__service_2e_name___fc_/values');
  });

  test('none', async () => {
    assert.deepEqual(await told(values, success([])), { type: 'told', value: [] });
    assert.deepEqual(await told(values, success(null)), { type: 'told', value: [] });
  });
});

const everyList: readonly (readonly [string, Ask])[] = [
  ['targets', targets],
  ['rules', rules],
  ['alertmanagers', alertmanagers],
  ['values', values],
];

for (const [list, ask] of everyList) {
  describe(`${list} of a server`, () => {
    const rows: readonly (readonly [string, Behaviour, 'cannotTell' | 'failed', RegExp])[] = [
      [
        'that has no such API',
        text(404, '404 page not found'),
        'cannotTell',
        /answers 404 to \/api/,
      ],
      ['that takes no GET', text(405, 'Method Not Allowed'), 'cannotTell', /answers 405/],
      ['that has not made it', text(501, ''), 'cannotTell', /answers 501/],
      ['that shows it to others only', text(403, 'Forbidden'), 'cannotTell', /answers 403/],
      [
        'that names no such path',
        text(400, 'unsupported path requested: "/api/v1/targets"'),
        'cannotTell',
        /answers 400 to .*: unsupported path requested/,
      ],
      ['that shows a page', html, 'cannotTell', /something else than JSON/],
      ['that has a form of its own', success('hello'), 'cannotTell', /in a form of its own/],
      [
        'that knows a part of it',
        success({}, { warnings: ['store 10.0.0.2 did not answer'] }),
        'cannotTell',
        /answered only in part: store/,
      ],
      ['that takes no such credentials', text(401, 'who are you'), 'failed', /answered 401: who/],
      [
        'that redirects',
        { ...text(302, ''), headers: { location: '/login' } } as Behaviour,
        'failed',
        /redirect to \/login/,
      ],
      [
        'that is not ready',
        apiError(503, 'unavailable', 'TSDB not ready'),
        'failed',
        /503 unavailable: TSDB/,
      ],
      ['whose proxy has no upstream', text(502, 'Bad Gateway'), 'failed', /answered 502: Bad/],
      ['that limits us', text(429, 'slow down'), 'failed', /answered 429/],
      ['that breaks the connection', { type: 'reset' }, 'failed', /closed the connection/],
      [
        'that breaks off',
        { type: 'cut', text: '{"status":"success"}' },
        'failed',
        /cannot be reached/,
      ],
      ['that hangs', { type: 'hang' }, 'failed', /did not answer within 0\.3 s/],
      [
        'that hangs in the middle',
        { type: 'hangInBody' },
        'failed',
        /did not answer within 0\.3 s/,
      ],
      [
        'that says too much',
        { type: 'flood' },
        'cannotTell',
        /more than 100000 bytes; raise limits\.responseBytes/,
      ],
    ];
    for (const [name, behaviour, type, message] of rows) {
      test(`${name}: ${type}`, async () => {
        const answer = await told(ask, behaviour, { timeoutMs: patienceMs(behaviour) });
        assert.equal(answer.type, type, JSON.stringify(answer));
        assert.match(messageOf(answer), message);
        assert.match(messageOf(answer), /^Prometheus at http:\/\/127\.0\.0\.1:/);
      });
    }

    test('that nobody listens for: failed', async () => {
      await using source = testSource();
      const answer = await ask(source.backendOf(endpointOf('http://127.0.0.1:1')));
      assert.equal(answer.type, 'failed');
      assert.match(messageOf(answer), /ECONNREFUSED|bad port/);
    });
  });
}

describe('many who ask', () => {
  const answer = success({ activeTargets: [target] });

  test('share the request that is under way, and its answer for a while', async () => {
    await using server = await startFakePrometheus({ respond: () => answer });
    await using source = testSource();
    const ask = () => targets(source.backendOf(endpointOf(server.url)));
    await Promise.all([ask(), ask(), ask()]);
    await ask();
    assert.equal(server.requests.length, 1);
  });

  test('ask anew when it is old', async () => {
    await using server = await startFakePrometheus({ respond: () => answer });
    await using source = testSource({ listsKeptMs: 0 });
    const ask = () => targets(source.backendOf(endpointOf(server.url)));
    await ask();
    await ask();
    assert.equal(server.requests.length, 2);
  });

  test('with other credentials get their own', async () => {
    await using server = await startFakePrometheus({ respond: () => answer });
    await using source = testSource();
    const ask = (token: string) =>
      targets(source.backendOf(endpointOf(server.url, { headers: { authorization: token } })));
    await ask('Bearer one');
    await ask('Bearer two');
    assert.equal(server.requests.length, 2);
  });

  test('who leaves gets a sentence, and the request is given up', async () => {
    await using server = await startFakePrometheus({ respond: () => ({ type: 'hang' }) });
    await using source = testSource();
    const stop = new AbortController();
    const asked = source.backendOf(endpointOf(server.url)).targets(stop.signal);
    await eventually('it is asked', () => server.open.now === 1);
    stop.abort();
    const answer = await asked;
    assert.equal(answer.type, 'failed');
    assert.match(messageOf(answer), /own time was over/);
    await eventually('it is given up', () => server.open.now === 0);
  });
});

test('no secret of the endpoint is repeated', async () => {
  await using server = await startFakePrometheus({
    respond: (request) => text(400, `not supported: ${String(request.headers['authorization'])}`),
  });
  await using source = testSource();
  const headers = { authorization: 'Bearer very-secret' };
  const answer = await targets(source.backendOf(endpointOf(server.url, { headers })));
  assert.match(messageOf(answer), /not supported: \*\*\*/);
});

test('an instant query goes the way of all queries', async () => {
  await using server = await startFakePrometheus();
  await using source = testSource();
  const backend = source.backendOf(endpointOf(server.url));
  const answer = await backend.instant('up', 1_000_000, forever);
  assert.equal(answer.type === 'samples' && answer.samples[0]?.value, 1);
  assert.equal(backend.url, server.url);
});

test('a url that is none is a sentence', async () => {
  await using source = testSource();
  const answer = await targets(source.backendOf(endpointOf('ftp://x')));
  assert.equal(answer.type, 'failed');
  assert.match(messageOf(answer), /not usable: .*ftp/);
});

function messageOf(answer: Told<unknown>): string {
  return answer.type === 'told' ? JSON.stringify(answer.value) : answer.message;
}

test('JSON of a proxy is no list', async () => {
  const answer = await told(targets, json({ message: 'no Route matched with those values' }));
  assert.equal(answer.type, 'failed');
});
