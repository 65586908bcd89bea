/** The dashboard of a rollout as data. Whether its panels have something to show, test/cluster/watched-rollout.test.ts asks. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkPromql } from '#promql/check.ts';
import { events } from '#telemetry/catalogue.ts';
import { rolloutSeries } from '#telemetry/rollout-catalogue.ts';
import { runSpec } from '#test/builders.ts';
import { queriesOf } from './grafana.ts';
import { defaultRunbookUrl } from './manifest.ts';
import { manifestsOf } from './manifests.ts';
import { dashboardUid, rolloutDashboard } from './rollout-dashboard.ts';

const healthSuites = [{ name: 'health', timeout: '1m', http: { url: 'http://health.shop/run' } }];

const options = { labels: { release: 'kps' }, runbookUrl: defaultRunbookUrl };

describe('the dashboard of a rollout', () => {
  const dashboard = rolloutDashboard(runSpec({ healthSuites }));

  test('asks only for series that the operator has', () => {
    const known = { ...rolloutSeries, ...events };
    const expressions = [...queriesOf(dashboard), ...dashboard.annotations];
    for (const { expr } of expressions) {
      const checked = checkPromql(expr);
      assert.ok(checked.type === 'ok', `${expr}: ${JSON.stringify(checked)}`);
      for (const metric of checked.metrics) assert.ok(Object.hasOwn(known, metric), metric);
    }
    assert.ok(expressions.length > 15);
  });

  test('shows every trigger against its threshold', () => {
    const [panel] = dashboard.rows
      .flatMap(({ panels }) => panels)
      .filter(({ title }) => title === 'errors');
    assert.match(panel?.queries[0]?.expr ?? '', /genesis_trigger_value\{.*trigger="errors"/);
    assert.match(panel?.queries[1]?.expr ?? '', /genesis_trigger_threshold\{.*trigger="errors"/);
    assert.equal(panel?.unit, 'percentunit');
    assert.match(
      panel?.description ?? '',
      /^Critical: > 0.5% for 5m is a breach. What follows: Rollback/,
    );
  });

  test('has health suites only where there are some', () => {
    const titles = (suites: typeof healthSuites) =>
      rolloutDashboard(runSpec({ healthSuites: suites })).rows.map(({ title }) => title);
    assert.ok(titles(healthSuites).includes('Health suites'));
    assert.ok(!titles([]).includes('Health suites'));
  });

  test('has a name of its own, which Grafana takes', () => {
    assert.equal(dashboardUid('shop', 'checkout'), 'genesis-shop-checkout');
    const long = 'a'.repeat(60);
    const one = dashboardUid('shop', `${long}1`);
    assert.equal(one.length, 40);
    assert.notEqual(one, dashboardUid('shop', `${long}2`));
    assert.match(one, /^genesis-shop-a+-[0-9a-f]{16}$/);
  });
});

describe('what is made for a rollout', () => {
  test('belongs to it by label, and has the labels that it is selected by', () => {
    for (const { object } of manifestsOf(runSpec(), options)) {
      assert.equal(object.metadata.namespace, 'shop');
      assert.deepEqual(
        { ...object.metadata.labels, 'genesis.dev/purpose': '', grafana_dashboard: '' },
        {
          release: 'kps',
          'app.kubernetes.io/managed-by': 'genesis-rollout',
          'genesis.dev/rollout': 'checkout',
          'genesis.dev/purpose': '',
          grafana_dashboard: '',
        },
      );
    }
  });

  test('is a dashboard that the sidecar finds', () => {
    const found = manifestsOf(runSpec(), options).find(({ kind }) => kind === 'dashboard');
    assert.equal(found?.object.metadata.labels?.['grafana_dashboard'], '1');
    const data = found?.object['data'] as Record<string, string>;
    assert.deepEqual(Object.keys(data), ['genesis-shop-checkout.json']);
    const { panels, templating } = JSON.parse(Object.values(data)[0] ?? '') as {
      panels: { id: number; gridPos: { x: number; w: number } }[];
      templating: { list: { name: string }[] };
    };
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    assert.ok(panels.every(({ gridPos: { x, w } }) => x + w <= 24));
    assert.deepEqual(
      templating.list.map(({ name }) => name),
      ['datasource'],
    );
  });

  test('is a ServiceMonitor only where it is asked for, and for the two Services alone', () => {
    const kinds = (run: ReturnType<typeof runSpec>) =>
      manifestsOf(run, options).map(({ kind }) => kind);
    assert.deepEqual(kinds(runSpec()), ['prometheusrule', 'dashboard']);
    const asked = runSpec({ monitoring: { serviceMonitor: { port: 'metrics' } } });
    assert.deepEqual(kinds(asked), ['prometheusrule', 'servicemonitor', 'dashboard']);
    const [, monitor] = manifestsOf(asked, options);
    assert.deepEqual(monitor?.object['spec'], {
      selector: {},
      endpoints: [
        {
          port: 'metrics',
          path: '/metrics',
          scheme: 'http',
          interval: '15s',
          relabelings: [
            { action: 'keep', sourceLabels: ['__meta_kubernetes_service_name'], regex: 'old|new' },
            {
              action: 'replace',
              sourceLabels: ['__meta_kubernetes_service_name'],
              targetLabel: 'service',
            },
          ],
        },
      ],
    });
  });
});
