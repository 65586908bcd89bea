/** What a rollout relies on, where its endpoint cannot be had. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '#runtime/clock.ts';
import { forever, testSource } from '#test/prometheus/source.ts';
import { createMonitoringSystems } from './monitoring-systems.ts';

test('a Prometheus whose Secret is missing fails every question with that sentence', async () => {
  await using source = testSource();
  const monitoring = createMonitoringSystems({
    source,
    clock: systemClock,
    timeoutMs: 1_000,
    responseBytesMax: 100_000,
    addressRules: { allowLoopback: true },
    alertmanager: () => undefined,
    grafana: () => undefined,
  });
  const message = 'analysis.prometheus.bearerToken: there is no Secret token';
  const { metrics, ...others } = monitoring.systemsOf({ type: 'unresolved', message });
  assert.deepEqual(await metrics.targets(forever), { type: 'failed', message });
  assert.deepEqual(await metrics.instant('up', 1, forever), {
    type: 'error',
    fault: 'refused',
    message,
  });
  assert.deepEqual(others.alertRouters, []);
  assert.equal(others.dashboards, undefined);
  await monitoring.close();
});
