/** The eighteen alerts of the Genesis pack before promtool: each fires on time, none in a healthy world, each has its page. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { parseDuration } from '#api/duration.ts';
import { checkPromql } from '#promql/check.ts';
import { packAlerts, packGroups } from '#scripts/gen/pack/alerts.ts';
import { packMetrics } from '#scripts/gen/pack/metrics.ts';
import { toolPath } from '#scripts/testbed/index.ts';
import { lintRules, testRules } from '#test/promtool.ts';

type Series = Readonly<Record<string, string>>;

const requests = (outcome: string) =>
  `genesis_requests_total{service="genesis-canary",outcome="${outcome}"}`;
const passRate = (value: number): Series => ({
  [`genesis_test_pass_rate{namespace="genesis",rollout="genesis",suite="health"}`]: `${value}x400`,
});
const gauge = (name: string, value: number): Series => ({ [`${name}{}`]: `${value}x400` });
const buckets = (metric: string, low: string, high: string): Series => ({
  [`${metric}{service="a",le="${low}"}`]: '0x400',
  [`${metric}{service="a",le="${high}"}`]: '0+10x400',
  [`${metric}{service="a",le="+Inf"}`]: '0+10x400',
});
const pod = 'namespace="genesis",pod="a"';

/** Under which it fires; every condition is true from the second sample on at the latest, and `activeAt` says when. */
const breaching: Readonly<Record<string, readonly [series: Series, activeAtSeconds: number]>> = {
  GenesisServiceDown: [{ 'up{job="genesis",instance="a"}': '0x400' }, 0],
  GenesisTestPassRateLow: [passRate(0.94), 0],
  GenesisTestPassRateDegraded: [passRate(0.97), 0],
  GenesisErrorRateHigh: [{ [requests('error')]: '0+6x400', [requests('ok')]: '0+994x400' }, 15],
  GenesisErrorRateRaised: [{ [requests('error')]: '0+2x400', [requests('ok')]: '0+998x400' }, 15],
  GenesisLatencyHigh: [buckets('genesis_request_duration_seconds_bucket', '0.5', '1'), 15],
  OSWorldSuccessRateCritical: [gauge('genesis_osworld_success_rate', 84), 0],
  OSWorldSuccessRateLow: [gauge('genesis_osworld_success_rate', 89), 0],
  OSWorldTasksSlow: [buckets('genesis_osworld_task_duration_seconds_bucket', '30', '60'), 15],
  OSWorldMemoryCritical: [gauge('genesis_osworld_memory_usage_bytes', 25 * 2 ** 20 + 1), 0],
  LangMemDedupCollapse: [gauge('genesis_langmem_dedup_rate', 19), 0],
  LangMemDedupRateLow: [gauge('genesis_langmem_dedup_rate', 29), 0],
  LangMemMemoryCritical: [gauge('genesis_langmem_memory_usage_mb', 25.1), 0],
  LangMemMemoryGrowth: [{ 'genesis_langmem_memory_usage_mb{}': '1+0.3x400' }, 15],
  LangMemLatencyHigh: [gauge('genesis_langmem_p95_latency_ms', 71), 0],
  GenesisBenchmarkMemoryHigh: [gauge('genesis_langmem_memory_usage_mb', 20.1), 0],
  GenesisFlakyTests: [
    {
      'genesis_suite_tests{namespace="genesis",rollout="genesis",suite="health",result="known_flaky"}':
        '1x400',
    },
    0,
  ],
  GenesisResourcesHigh: [
    {
      [`container_memory_working_set_bytes{${pod},container="app"}`]: '90x400',
      [`kube_pod_container_resource_limits{${pod},resource="memory"}`]: '100x400',
    },
    0,
  ],
};

const healthy: Series = {
  'up{job="genesis",instance="a"}': '1x400',
  [requests('error')]: '0x400',
  [requests('ok')]: '0+1000x400',
  'genesis_request_duration_seconds_bucket{service="a",le="0.1"}': '0+10x400',
  'genesis_request_duration_seconds_bucket{service="a",le="+Inf"}': '0+10x400',
  'genesis_osworld_task_duration_seconds_bucket{service="a",le="10"}': '0+10x400',
  'genesis_osworld_task_duration_seconds_bucket{service="a",le="+Inf"}': '0+10x400',
  ...passRate(1),
  ...gauge('genesis_osworld_success_rate', 90),
  ...gauge('genesis_osworld_memory_usage_bytes', 20e6),
  ...gauge('genesis_langmem_dedup_rate', 30),
  ...gauge('genesis_langmem_memory_usage_mb', 20),
  ...gauge('genesis_langmem_p95_latency_ms', 70),
  [`container_memory_working_set_bytes{${pod},container="app"}`]: '80x400',
  [`kube_pod_container_resource_limits{${pod},resource="memory"}`]: '100x400',
};

before(async () => {
  await toolPath('promtool');
});

test('there are eighteen, in three severities', () => {
  const of = (severity: string) => packAlerts.filter((one) => one.severity === severity).length;
  assert.deepEqual([of('critical'), of('warning'), of('info')], [9, 8, 1]);
});

test('promtool accepts the rules, with every lint on', async () => {
  assert.equal(await lintRules(packGroups), '');
});

describe('an alert of the pack', () => {
  test('fires when its condition has held for its time, and not at the edge of what is healthy', async () => {
    const cases = packAlerts.flatMap(({ alert, for: held = '0s' }) => {
      const [series, activeAtSeconds] = breaching[alert] ?? [];
      assert.ok(series !== undefined && activeAtSeconds !== undefined, alert);
      const firesAtSeconds = activeAtSeconds + parseDuration(held) / 1000;
      return [
        { alert: `alertname="${alert}"`, series, firesAtSeconds },
        { alert: `alertname="${alert}"`, series: healthy, firesAtSeconds: undefined },
      ];
    });
    assert.equal(await testRules(packGroups, cases), '');
  });

  test('that the service is down fires without any target too', async () => {
    const none = { alert: 'alertname="GenesisServiceDown"', series: {}, firesAtSeconds: 120 };
    assert.equal(await testRules(packGroups, [none]), '');
  });

  test('tells CPU and memory, OSWorld and LangMem apart', async () => {
    const cpu = {
      [`container_cpu_usage_seconds_total{${pod},container="app"}`]: '0+1500x400',
      [`kube_pod_container_resource_limits{${pod},resource="cpu"}`]: '1x400',
    };
    const osworld = gauge('genesis_osworld_memory_usage_bytes', 21e6);
    const cases = [
      {
        alert: 'alertname="GenesisResourcesHigh",resource="cpu"',
        series: cpu,
        firesAtSeconds: 915,
      },
      { alert: 'system="osworld"', series: osworld, firesAtSeconds: 300 },
    ];
    assert.equal(await testRules(packGroups, cases), '');
  });

  for (const { alert, expr } of packAlerts) {
    test(`${alert} has a page, and asks for what the contract names`, () => {
      const page = join(import.meta.dirname, '../../docs/runbooks', `${alert.toLowerCase()}.md`);
      assert.ok(existsSync(page), page);
      const checked = checkPromql(expr);
      assert.ok(checked.type === 'ok');
      const known = packMetrics.map(({ name }) => name);
      const ours = checked.metrics
        .filter((name) => name.startsWith('genesis_'))
        .map((name) => name.replace(/_bucket$/, ''));
      assert.deepEqual(
        ours.filter((name) => !known.includes(name)),
        [],
      );
    });
  }
});
