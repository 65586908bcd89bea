/** What a real Prometheus says of itself, and what dashboards show that ask it. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createDashboardServer } from '#grafana/dashboard-server.ts';
import type { DashboardServer, MetricBackend } from '#ports/monitoring-systems.ts';
import { systemClock } from '#runtime/clock.ts';
import { type Prometheus, startPrometheus } from '#scripts/testbed/index.ts';
import { type LocalServer, listenLocally } from '#test/local-server.ts';
import { type TestServices, testServices } from '#test/monitoring/services.ts';
import { endpointOf, forever, testSource } from '#test/prometheus/source.ts';
import { type StubGrafana, startStubGrafana, stubDatasource } from '#test/stub-grafana.ts';
import { pollUntil } from './testbed-polling.ts';

const EXPOSED =
  'requests_total{code="200"} 10\nload{pod="a"} 0.25\nload{pod="b"} 0.5\nbroken NaN\n';

const RULES = `
groups:
- name: shop
  interval: 200ms
  rules:
  - alert: HighLoad
    expr: load > 0.4
    labels: {severity: warning}
  - record: shop:load:sum
    expr: sum(load)
    labels: {service.name: shop}
  - alert: Failing
    expr: load * on() group_left() load
`;

const source = testSource({ listsKeptMs: 0, timeoutMs: 30_000 });
let exporter: LocalServer;
let prometheus: Prometheus | undefined;
let folder: string;
let backend: MetricBackend;
let grafana: StubGrafana;
let services: TestServices;
let dashboards: DashboardServer;

before(async () => {
  exporter = await listenLocally(
    createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(EXPOSED);
    }),
  );
  folder = await mkdtemp(join(tmpdir(), 'backend-'));
  const rules = join(folder, 'rules.yaml');
  await writeFile(rules, RULES);
  prometheus = await startPrometheus({
    config: {
      global: { scrape_interval: '200ms', scrape_timeout: '200ms', evaluation_interval: '200ms' },
      rule_files: [rules],
      alerting: {
        alertmanagers: [{ path_prefix: '/am', static_configs: [{ targets: ['127.0.0.1:9'] }] }],
      },
      scrape_configs: [
        { job_name: 'shop', static_configs: [{ targets: [`127.0.0.1:${exporter.port}`] }] },
        { job_name: 'gone', static_configs: [{ targets: ['127.0.0.1:9'] }] },
      ],
    },
  });
  backend = source.backendOf(endpointOf(prometheus.url));
  grafana = await startStubGrafana({
    prometheusUrl: prometheus.url,
    token: 'secret',
    scrapeIntervalMs: 200,
  });
  services = testServices();
  dashboards = createDashboardServer(
    services.of('Grafana', grafana.url, { authorization: 'Bearer secret' }),
    systemClock,
  );
});

after(async () => {
  await services[Symbol.asyncDispose]();
  grafana.stop();
  await source.close();
  await prometheus?.stop();
  exporter.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('a real Prometheus', () => {
  test('tells of targets that are up and down', async () => {
    const told = await pollUntil(
      () => backend.targets(forever),
      (answer) =>
        answer.type === 'told' &&
        answer.value.length === 2 &&
        answer.value.every(({ health }) => health !== 'unknown'),
      30_000,
    );
    assert.ok(told.type === 'told', JSON.stringify(told));
    const byJob = new Map(told.value.map((target) => [target.job, target]));
    const shop = byJob.get('shop');
    const address = `127.0.0.1:${exporter.port}`;
    assert.ok(shop?.lastScrapeAtMs !== undefined);
    assert.ok(Math.abs(systemClock.now() - shop.lastScrapeAtMs) < 60_000);
    assert.deepEqual(
      { ...shop, lastScrapeAtMs: 0 },
      {
        job: 'shop',
        instance: address,
        scrapeUrl: `http://${address}/metrics`,
        health: 'up',
        lastError: '',
        lastScrapeAtMs: 0,
        scrapeIntervalMs: 200,
      },
    );
    assert.equal(byJob.get('gone')?.health, 'down');
    assert.match(byJob.get('gone')?.lastError ?? '', /connection refused/);
  });

  test('tells of rules that are healthy and that fail', async () => {
    const told = await pollUntil(
      () => backend.rules(forever),
      (answer) =>
        answer.type === 'told' &&
        answer.value.length === 3 &&
        answer.value.some(({ health }) => health === 'err') &&
        answer.value.filter(({ health }) => health === 'ok').length === 2,
      30_000,
    );
    assert.ok(told.type === 'told', JSON.stringify(told));
    const [alert, recording, failing] = told.value;
    assert.ok(alert?.lastEvaluationAtMs !== undefined);
    assert.deepEqual(
      { ...alert, lastEvaluationAtMs: 0, file: '' },
      {
        type: 'alerting',
        name: 'HighLoad',
        group: 'shop',
        file: '',
        health: 'ok',
        lastError: '',
        lastEvaluationAtMs: 0,
        intervalMs: 200,
        labels: { severity: 'warning' },
        query: 'load > 0.4',
      },
    );
    assert.equal(recording?.type, 'recording');
    assert.equal(failing?.health, 'err');
    assert.match(failing.lastError, /duplicate series|many-to-many/);
  });

  test('tells of the Alertmanagers to which it sends', async () => {
    const told = await pollUntil(
      () => backend.alertmanagers(forever),
      (answer) => answer.type === 'told' && answer.value.length > 0,
      30_000,
    );
    assert.deepEqual(told, { type: 'told', value: ['http://127.0.0.1:9/am'] });
  });

  test('tells of values of labels', async () => {
    const values = (label: string, selectors: readonly string[]) => {
      const endMs = systemClock.now() + 1_000;
      const window = { startMs: endMs - 60_000, endMs };
      return backend.labelValues(label, selectors, window, forever);
    };
    assert.deepEqual(await values('pod', ['load']), { type: 'told', value: ['a', 'b'] });
    assert.deepEqual(await values('pod', ['load{pod!="a"}', 'nothing']), {
      type: 'told',
      value: ['b'],
    });
    assert.deepEqual(await values('__name__', ['{job="shop",pod=~".+",alertname=""}']), {
      type: 'told',
      value: ['load'],
    });
    const recorded = await pollUntil(
      () => values('service.name', ['shop:load:sum']),
      (answer) => answer.type === 'told' && answer.value.length > 0,
      30_000,
    );
    assert.deepEqual(recorded, { type: 'told', value: ['shop'] });
    assert.deepEqual(await values('nosuchlabel', []), { type: 'told', value: [] });
    const wrong = await values('pod', ['load{']);
    assert.ok(wrong.type === 'failed');
    assert.match(wrong.message, /answered 400 bad_data/);
  });
});

const datasource = { type: 'prometheus', uid: '${datasource}' };
const panels = [
  { title: 'numbers', expr: 'load{pod=~"$pod"}', wants: 'data' },
  { title: 'a value of a query', expr: 'load{pod="$first"}', wants: 'data' },
  { title: 'a rate', expr: 'sum(rate(requests_total[$__rate_interval]))', wants: 'data' },
  { title: 'one number', expr: 'scalar(sum(load))', instant: true, wants: 'data' },
  { title: 'nothing', expr: 'nosuchmetric', wants: 'nothing' },
  { title: 'no number', expr: 'broken', wants: 'nothing' },
  { title: 'no query', expr: 'sum(load', wants: 'error' },
] as const;

const dashboard = {
  uid: 'shop',
  title: 'The shop',
  schemaVersion: 39,
  templating: {
    list: [
      { name: 'datasource', type: 'datasource', query: 'prometheus', current: {} },
      {
        name: 'pod',
        type: 'query',
        query: { query: 'label_values(load, pod)', refId: 'pod' },
        multi: true,
        includeAll: true,
        current: { text: 'All', value: '$__all' },
      },
      { name: 'first', type: 'query', query: 'label_values(load, pod)', current: {} },
    ],
  },
  panels: panels.map(({ title, expr, ...rest }, index) => ({
    id: index + 1,
    type: 'timeseries',
    title,
    datasource,
    targets: [{ refId: 'A', datasource, expr, instant: 'instant' in rest && rest.instant }],
  })),
};

describe('a dashboard over a real Prometheus', () => {
  before(() => {
    grafana.dashboards.set('shop', dashboard);
  });

  for (const { title, wants } of panels) {
    test(`a panel with ${title} shows ${wants}`, async () => {
      const told = await dashboards.dashboard('shop', forever);
      assert.ok(told.type === 'told' && told.value !== undefined, JSON.stringify(told));
      const panel = told.value.panels.find((one) => one.title === title);
      assert.ok(panel);
      assert.deepEqual(panel.queries[0]?.body['datasource'], {
        uid: stubDatasource.uid,
        type: 'prometheus',
      });
      const shows = async () => {
        const endMs = systemClock.now();
        const data = await dashboards.panelData(
          panel,
          { startMs: endMs - 900_000, endMs },
          forever,
        );
        if (data.type !== 'told') return data.type === 'failed' ? 'error' : data.message;
        const { newestAtMs } = data.value;
        if (newestAtMs === undefined) return 'nothing';
        return endMs - newestAtMs <= 60_000 ? 'data' : `data of ${newestAtMs}`;
      };
      // A point of a range is only there once a whole step has passed.
      assert.equal(await pollUntil(shows, (shown) => shown === wants, 60_000), wants);
    });
  }

  test('without the right token it is refused', async () => {
    const stranger = createDashboardServer(services.of('Grafana', grafana.url), systemClock);
    const told = await stranger.dashboard('shop', forever);
    assert.ok(told.type === 'failed');
    assert.match(told.message, /answered 401/);
    assert.equal((await stranger.health(forever)).type, 'told');
  });
});
