/** What a rollout relies on: what is configured, what Prometheus names, and an endpoint that cannot be had. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MonitoringSystems } from '#ports/monitoring-systems.ts';
import { systemClock } from '#runtime/clock.ts';
import { endpointOf, forever, testSource } from '#test/prometheus/source.ts';
import { createMonitoringSystems, type MonitoringOptions } from './monitoring-systems.ts';

async function withSystems(
  options: Partial<MonitoringOptions>,
  prometheus: Parameters<ReturnType<typeof createMonitoringSystems>['systemsOf']>[0],
  use: (systems: MonitoringSystems) => void | Promise<void>,
): Promise<void> {
  await using source = testSource();
  const monitoring = createMonitoringSystems({
    source,
    clock: systemClock,
    timeoutMs: 1_000,
    responseBytesMax: 100_000,
    addressRules: { allowLoopback: false },
    alertmanager: () => undefined,
    grafana: () => undefined,
    ...options,
  });
  await use(monitoring.systemsOf(prometheus));
  await monitoring.close();
}

const known = { type: 'ok', endpoint: endpointOf('http://prometheus:9090/') } as const;

test('without settings there is only Prometheus', async () => {
  await withSystems({}, known, ({ metrics, alertRouters, dashboards }) => {
    assert.equal(metrics.url, 'http://prometheus:9090');
    assert.deepEqual(alertRouters, []);
    assert.equal(dashboards, undefined);
  });
});

test('what is configured is asked with its credentials as they are now', async () => {
  const options = {
    alertmanager: () => endpointOf('http://am:9093/am'),
    grafana: () => endpointOf('http://grafana:3000'),
  };
  await withSystems(options, known, ({ alertRouters, dashboards }) => {
    assert.deepEqual(
      alertRouters.map(({ url }) => url),
      ['http://am:9093/am'],
    );
    assert.equal(dashboards?.url, 'http://grafana:3000');
  });
});

test('a Prometheus whose Secret is missing fails every question with that sentence', async () => {
  const message = 'analysis.prometheus.bearerToken: there is no Secret token';
  await withSystems({}, { type: 'unresolved', message }, async ({ metrics }) => {
    const failed = { type: 'failed', message };
    assert.deepEqual(await metrics.targets(forever), failed);
    assert.deepEqual(await metrics.rules(forever), failed);
    assert.deepEqual(await metrics.instant('up', 1, forever), {
      type: 'error',
      fault: 'refused',
      message,
    });
  });
});

test('an Alertmanager that Prometheus names is asked only where URLs of rollouts may lead', async () => {
  const isAsked = ({ alertRouterAt }: MonitoringSystems, url: string) =>
    alertRouterAt(url) !== undefined;
  await withSystems({}, known, (systems) => {
    assert.equal(isAsked(systems, 'http://am.monitoring.svc:9093'), true);
    assert.equal(isAsked(systems, 'http://10.1.2.3:9093/prefix'), true);
    assert.equal(isAsked(systems, 'http://127.0.0.1:9093'), false);
    assert.equal(isAsked(systems, 'http://localhost:9093'), false);
    assert.equal(isAsked(systems, 'http://169.254.169.254'), false);
    assert.equal(isAsked(systems, 'http://user:secret@am:9093'), false);
    assert.equal(isAsked(systems, 'ftp://am'), false);
  });
  await withSystems({ addressRules: { allowLoopback: true } }, known, (systems) => {
    assert.equal(isAsked(systems, 'http://127.0.0.1:9093'), true);
    assert.equal(isAsked(systems, 'http://169.254.169.254'), false);
  });
});
