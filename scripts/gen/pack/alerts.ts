/** The eighteen alerts of the Genesis pack. The label `namespace` is what triggers that count alerts ask by. */
import { stringify } from 'yaml';
import { group, managedByValue } from '#api/names.ts';
import { type Alert, ruleOf } from '../mixin/alerts.ts';

/** `responder` is whom to call, by kind of problem. */
export type PackAlert = Alert & { readonly responder: string };

const errors =
  'sum by (service) (rate(genesis_requests_total{outcome="error"}[5m]))\n  / sum by (service) (rate(genesis_requests_total[5m]))';
const latency =
  'histogram_quantile(0.95, sum by (service, le) (rate(genesis_request_duration_seconds_bucket[5m])))';
const passRate = 'min by (rollout, suite) (genesis_test_pass_rate{namespace="genesis"})';
const now = {
  percent: '{{ $value | humanize }} %',
  share: '{{ $value | humanizePercentage }}',
  time: '{{ $value | humanizeDuration }}',
};
const share = (used: string, resource: string): string =>
  `max(\n    sum by (pod) (${used})\n      / on (pod) sum by (pod) (kube_pod_container_resource_limits{namespace="genesis",resource="${resource}"})\n  )`;
const labelled = (expr: string, label: string, value: string): string =>
  `label_replace(\n  ${expr},\n  "${label}", "${value}", "", ""\n)`;

export const packAlerts: readonly PackAlert[] = [
  {
    alert: 'GenesisServiceDown',
    expr: 'up{job="genesis"} == 0 or absent(up{job="genesis"})',
    for: '2m',
    severity: 'critical',
    responder: 'hudson',
    summary: 'The Genesis service is down.',
    description:
      'Prometheus has not been able to scrape {{ $labels.instance }} for 2 minutes, or knows no target of job genesis.',
  },
  {
    alert: 'GenesisTestPassRateLow',
    expr: `${passRate} < 0.95`,
    for: '10m',
    severity: 'critical',
    responder: 'forge',
    summary: 'The health suite fails.',
    description: `Only ${now.share} of the tests of {{ $labels.suite }} have passed for 10 minutes; 95 % are needed.`,
  },
  {
    alert: 'GenesisErrorRateHigh',
    expr: `${errors} > 0.005`,
    for: '5m',
    severity: 'critical',
    responder: 'hudson',
    summary: 'More than 0.5 % of the requests fail.',
    description: `${now.share} of the requests to {{ $labels.service }} have failed for 5 minutes.`,
  },
  {
    alert: 'GenesisLatencyHigh',
    expr: `${latency} > 0.5`,
    for: '10m',
    severity: 'critical',
    responder: 'vanguard',
    summary: 'Requests take more than 500 ms.',
    description: `The 95th percentile of {{ $labels.service }} is ${now.time}, for 10 minutes.`,
  },
  {
    alert: 'OSWorldSuccessRateCritical',
    expr: 'min(genesis_osworld_success_rate) < 85',
    for: '5m',
    severity: 'critical',
    responder: 'alex',
    summary: 'Fewer than 85 % of the OSWorld tasks pass.',
    description: `${now.percent} of the tasks pass. The rollout rolls back at the same figure.`,
  },
  {
    alert: 'LangMemDedupCollapse',
    expr: 'min(genesis_langmem_dedup_rate) < 20',
    for: '10m',
    severity: 'critical',
    responder: 'vanguard',
    summary: 'LangMem hardly deduplicates.',
    description: `Only ${now.percent} of the texts are recognised, for 10 minutes; 30 % are expected.`,
  },
  {
    alert: 'OSWorldMemoryCritical',
    expr: 'max(genesis_osworld_memory_usage_bytes) > 25 * 1024 * 1024',
    for: '5m',
    severity: 'critical',
    responder: 'vanguard',
    summary: 'OSWorld uses more than 25 MiB.',
    description: 'It uses {{ $value | humanize1024 }}B, for 5 minutes; 20 MB are expected.',
  },
  {
    alert: 'LangMemMemoryCritical',
    expr: 'max(genesis_langmem_memory_usage_mb) > 25',
    for: '5m',
    severity: 'critical',
    responder: 'vanguard',
    summary: 'LangMem uses more than 25 MB.',
    description: 'It uses {{ $value | humanize }} MB, for 5 minutes; 20 MB are expected.',
  },
  {
    alert: 'LangMemMemoryGrowth',
    expr: 'max(deriv(genesis_langmem_memory_usage_mb[10m])) * 60 > 1',
    for: '15m',
    severity: 'critical',
    responder: 'vanguard',
    summary: 'The memory of LangMem grows.',
    description:
      'It has grown by {{ $value | humanize }} MB a minute for 15 minutes: a leak, or a TTL that never comes.',
  },
  {
    alert: 'GenesisTestPassRateDegraded',
    expr: `${passRate} < 0.98`,
    for: '15m',
    severity: 'warning',
    responder: 'forge',
    summary: 'Tests of the health suite fail.',
    description: `${now.share} of the tests of {{ $labels.suite }} have passed for 15 minutes; 98 % are expected.`,
  },
  {
    alert: 'GenesisErrorRateRaised',
    expr: `${errors} > 0.001`,
    for: '10m',
    severity: 'warning',
    responder: 'alex',
    summary: 'More than 0.1 % of the requests fail.',
    description: `${now.share} of the requests to {{ $labels.service }} have failed for 10 minutes.`,
  },
  {
    alert: 'GenesisResourcesHigh',
    expr: `(\n${labelled(share('rate(container_cpu_usage_seconds_total{namespace="genesis",container!=""}[5m])', 'cpu'), 'resource', 'cpu')}\nor\n${labelled(share('container_memory_working_set_bytes{namespace="genesis",container!=""}', 'memory'), 'resource', 'memory')}\n) > 0.8`,
    for: '15m',
    severity: 'warning',
    responder: 'vanguard',
    summary: 'A pod uses more than 80 % of its CPU or memory.',
    description: `The busiest pod has used ${now.share} of its {{ $labels.resource }} for 15 minutes.`,
  },
  {
    alert: 'OSWorldSuccessRateLow',
    expr: 'min(genesis_osworld_success_rate) < 90',
    for: '5m',
    severity: 'warning',
    responder: 'alex',
    summary: 'Fewer than 90 % of the OSWorld tasks pass.',
    description: `${now.percent} of the tasks pass; below 85 % the rollout rolls back.`,
  },
  {
    alert: 'OSWorldTasksSlow',
    expr: 'histogram_quantile(0.95, sum by (le) (rate(genesis_osworld_task_duration_seconds_bucket[15m]))) > 30',
    for: '5m',
    severity: 'warning',
    responder: 'alex',
    summary: 'OSWorld tasks take more than 30 s.',
    description: `The 95th percentile of a task is ${now.time}.`,
  },
  {
    alert: 'LangMemDedupRateLow',
    expr: 'min(genesis_langmem_dedup_rate) < 30',
    for: '10m',
    severity: 'warning',
    responder: 'vanguard',
    summary: 'LangMem deduplicates less than it should.',
    description: `${now.percent} of the texts are recognised, for 10 minutes; 30 % are expected.`,
  },
  {
    alert: 'LangMemLatencyHigh',
    expr: 'max(genesis_langmem_p95_latency_ms) > 70',
    for: '5m',
    severity: 'warning',
    responder: 'vanguard',
    summary: 'LangMem takes more than 70 ms.',
    description: 'The 95th percentile is {{ $value | humanize }} ms, for 5 minutes.',
  },
  {
    alert: 'GenesisBenchmarkMemoryHigh',
    expr: `${labelled('max(genesis_osworld_memory_usage_bytes) / 1e6', 'system', 'osworld')} > 20\nor\n${labelled('max(genesis_langmem_memory_usage_mb)', 'system', 'langmem')} > 20`,
    for: '5m',
    severity: 'warning',
    responder: 'vanguard',
    summary: 'OSWorld or LangMem uses more than 20 MB.',
    description: '{{ $labels.system }} uses {{ $value | humanize }} MB, for 5 minutes.',
  },
  {
    alert: 'GenesisFlakyTests',
    expr: 'max by (rollout, suite) (genesis_suite_tests{namespace="genesis",result="known_flaky"}) > 0',
    severity: 'info',
    responder: 'forge',
    summary: 'Tests that are known to be flaky have failed.',
    description:
      '{{ $value }} failures of {{ $labels.suite }} match a known flaky pattern. Nothing needs to be done at once.',
  },
];

export const packGroups = [
  {
    name: 'genesis-pack',
    rules: packAlerts.map(({ responder, ...alert }) => {
      const rule = ruleOf(alert);
      return { ...rule, labels: { ...rule.labels, namespace: 'genesis', responder } };
    }),
  },
];

const generated = '# Generated by `npm run gen` from scripts/gen/pack/alerts.ts. Do not edit.\n';

export function packRulesText(): string {
  return generated + stringify({ groups: packGroups }, { lineWidth: 0 });
}

export function packPrometheusRuleText(): string {
  const object = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: {
      name: 'genesis-pack',
      namespace: 'genesis',
      labels: { 'app.kubernetes.io/part-of': managedByValue, [`${group}/pack`]: 'genesis' },
    },
    spec: { groups: packGroups },
  };
  return generated + stringify(object, { lineWidth: 0 });
}
