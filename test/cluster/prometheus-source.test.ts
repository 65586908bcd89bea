/** The metric source against a real Prometheus that scrapes a real exporter: values, absence, staleness, errors, outages. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { InstantAnswer, QueryFault } from '#ports/metric-source.ts';
import { systemClock } from '#runtime/clock.ts';
import { type Prometheus, startPrometheus } from '#scripts/testbed/index.ts';
import { endpointOf, forever, testSource } from '#test/prometheus/source.ts';

const STEADY = `
requests_total{code="200"} 10
requests_total{code="500"} 5
load 0.25
broken_ratio NaN
endless +Inf
latency_bucket{le="1"} 3
latency_bucket{le="+Inf"} 4
`;

let exposed = `${STEADY}fading 1\n`;
const exporter = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(exposed);
});
const source = testSource({ timeoutMs: 3_000, keepMs: 1 });
let prometheus: Prometheus;

before(async () => {
  await new Promise<void>((resolve) => {
    exporter.listen(0, '127.0.0.1', resolve);
  });
  const { port } = exporter.address() as AddressInfo;
  prometheus = await startPrometheus({
    scrape: [{ job: 'shop', targets: [`127.0.0.1:${port}`] }],
    scrapeInterval: '200ms',
  });
  await prometheus.untilScraped();
  // Two scrapes make a rate.
  await until(
    'requests_total has a rate',
    'rate(requests_total[5s])',
    (samples) => samples.length === 2,
  );
});

after(async () => {
  await source.close();
  await prometheus.stop();
  await new Promise((resolve) => {
    exporter.close(resolve);
    exporter.closeAllConnections();
  });
});

const ask = (query: string): Promise<InstantAnswer> =>
  source.instant(endpointOf(prometheus.url), query, systemClock.now(), forever);

type Samples = (InstantAnswer & { type: 'samples' })['samples'];

async function until(
  what: string,
  query: string,
  isTrue: (samples: Samples) => boolean,
): Promise<void> {
  const giveUpAt = systemClock.monotonic() + 15_000;
  for (;;) {
    const answer = await ask(query);
    if (answer.type === 'samples' && isTrue(answer.samples)) return;
    assert.ok(
      systemClock.monotonic() < giveUpAt,
      `not within 15 s: ${what}; last ${JSON.stringify(answer)}`,
    );
    await systemClock.sleep(50);
  }
}

describe('values', () => {
  const rows: readonly (readonly [string, string, readonly number[]])[] = [
    ['one series', 'load', [0.25]],
    ['several series', 'sort(requests_total)', [5, 10]],
    ['one of several, by its label', 'requests_total{code="500"}', [5]],
    ['a ratio', 'sum(requests_total{code="500"}) / sum(requests_total)', [1 / 3]],
    ['NaN', 'broken_ratio', [Number.NaN]],
    ['0 / 0', '0 * load / 0', [Number.NaN]],
    ['infinity', 'endless', [Infinity]],
    ['a scalar', 'scalar(load) * 4', [1]],
    ['a metric that does not exist is empty', 'nosuchmetric', []],
    ['a label that does not exist is empty', 'load{team="x"}', []],
    ["a warning of PromQL's own is no missing data", 'histogram_quantile(0.9, load)', []],
    ['an info is no missing data', 'rate(load[5s]) * 0', [0]],
  ];
  for (const [name, query, want] of rows) {
    test(name, async () => {
      const answer = await ask(query);
      assert.ok(answer.type === 'samples', JSON.stringify(answer));
      assert.deepEqual(
        answer.samples.map(({ value }) => value),
        want,
      );
      assert.equal(answer.skewMs, 0);
    });
  }

  test('a sample carries its labels and the time that was asked for', async () => {
    const atMs = systemClock.now() - 100;
    const answer = await source.instant(endpointOf(prometheus.url), 'load', atMs, forever);
    assert.ok(answer.type === 'samples');
    const [sample] = answer.samples;
    assert.equal(sample?.atMs, atMs);
    assert.equal(sample.labels['job'], 'shop');
    assert.equal(sample.labels['__name__'], 'load');
  });

  test('a time before the first scrape is empty', async () => {
    const atMs = systemClock.now() - 3_600_000;
    const answer = await source.instant(endpointOf(prometheus.url), 'load', atMs, forever);
    assert.deepEqual(answer.type === 'samples' && answer.samples, []);
  });
});

describe('errors', () => {
  const rows: readonly (readonly [string, string, QueryFault, RegExp])[] = [
    ['no PromQL', 'sum(load', 'badQuery', /answered 400 bad_data: .*unclosed left parenthesis/],
    [
      'many to many',
      'requests_total * on() requests_total',
      'badQuery',
      /answered 422 execution: .*many-to-many/,
    ],
    ['a range instead of a value', 'load[5s]', 'badQuery', /a range of values/],
    ['a string', '"hello"', 'badQuery', /a string/],
  ];
  for (const [name, query, fault, message] of rows) {
    test(name, async () => {
      const answer = await ask(query);
      assert.ok(answer.type === 'error', JSON.stringify(answer));
      assert.equal(answer.fault, fault);
      assert.match(answer.message, message);
    });
  }

  test('more points than Prometheus gives', async () => {
    const endMs = systemClock.now();
    const window = { startMs: endMs - 20_000_000, endMs, stepMs: 1_000 };
    const answer = await source.range(endpointOf(prometheus.url), 'load', window, forever);
    assert.ok(answer.type === 'error' && answer.fault === 'tooLarge', JSON.stringify(answer));
    assert.match(answer.message, /exceeded maximum resolution of 11,000 points/);
  });

  test('an answer larger than we take', async () => {
    await using small = testSource({ responseBytesMax: 200 });
    const answer = await small.instant(
      endpointOf(prometheus.url),
      '{job="shop"}',
      systemClock.now(),
      forever,
    );
    assert.ok(answer.type === 'error' && answer.fault === 'tooLarge', JSON.stringify(answer));
  });

  test('a path that is not there', async () => {
    const answer = await source.instant(
      endpointOf(`${prometheus.url}/prometheus`),
      'load',
      1,
      forever,
    );
    assert.ok(answer.type === 'error' && answer.fault === 'refused', JSON.stringify(answer));
    assert.match(answer.message, /answered 404.*the url must be the part before \/api\/v1\/query/);
  });
});

test('a range has a point on each step where there was data, and none where there was not', async () => {
  await until(
    'there are some samples',
    'count_over_time(load[1h]) >= 8',
    ({ length }) => length === 1,
  );
  const stepMs = 500;
  const endMs = Math.floor(systemClock.now() / stepMs) * stepMs;
  const startMs = endMs - 3_600_000;
  const answer = await source.range(
    endpointOf(prometheus.url),
    'load',
    { startMs, endMs, stepMs },
    forever,
  );
  assert.ok(answer.type === 'series', JSON.stringify(answer));
  const [series] = answer.series;
  assert.ok(series && answer.series.length === 1);
  assert.ok(
    series.points.length > 0 && series.points.length < 7_000,
    `${series.points.length} points`,
  );
  assert.ok(
    series.points.every(({ atMs, value }) => value === 0.25 && (atMs - startMs) % stepMs === 0),
  );
  assert.equal(series.points.at(-1)?.atMs, endMs);
});

test('a series that is no longer exposed is empty within moments, and its past stays', async () => {
  await until('fading is scraped', 'fading', (samples) => samples.length === 1);
  const livedAtMs = systemClock.now();
  exposed = STEADY;
  await until('fading is stale', 'fading', (samples) => samples.length === 0);
  const past = await source.instant(endpointOf(prometheus.url), 'fading', livedAtMs - 1, forever);
  assert.equal(past.type === 'samples' && past.samples.length, 1);
});

describe('outages', () => {
  test('a Prometheus that is stopped is unreachable, and after its restart the same source gets answers, the past included', async () => {
    const beforeMs = systemClock.now();
    await prometheus.stopServer();
    const gone = await ask('load');
    assert.ok(gone.type === 'error' && gone.fault === 'unreachable', JSON.stringify(gone));
    assert.match(gone.message, /cannot be reached \(connect ECONNREFUSED/);
    await prometheus.startServer();
    await until('it is scraped again', 'load', (samples) => samples.length === 1);
    const past = await source.instant(endpointOf(prometheus.url), 'load', beforeMs, forever);
    assert.equal(past.type === 'samples' && past.samples.length, 1);
  });

  test('a Prometheus that hangs is a timeout, within the deadline', async () => {
    await using hasty = testSource({ timeoutMs: 500 });
    process.kill(prometheus.pid(), 'SIGSTOP');
    try {
      const begunAt = systemClock.monotonic();
      const answer = await hasty.instant(
        endpointOf(prometheus.url),
        'load',
        systemClock.now(),
        forever,
      );
      const tookMs = systemClock.monotonic() - begunAt;
      assert.ok(answer.type === 'error' && answer.fault === 'timeout', JSON.stringify(answer));
      assert.ok(tookMs < 4_000, `took ${tookMs} ms`);
    } finally {
      process.kill(prometheus.pid(), 'SIGCONT');
    }
    await until('it answers again', 'load', (samples) => samples.length === 1);
  });

  test('a Prometheus that was killed while it was asked is unreachable', async () => {
    process.kill(prometheus.pid(), 'SIGSTOP');
    const asked = ask('load * 2');
    await prometheus.stopServer({ killAfterMs: 0 });
    const answer = await asked;
    assert.ok(answer.type === 'error', JSON.stringify(answer));
    assert.ok(['unreachable', 'timeout'].includes(answer.fault), answer.message);
    await prometheus.startServer();
    await until('it answers again', 'load', (samples) => samples.length === 1);
  });
});
