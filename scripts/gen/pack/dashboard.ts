/** The dashboard of the Genesis pack: eight panels, a row of detail, and a row about the rollout. */
import { stringify } from 'yaml';
import { type Dashboard, dashboardJson, type Panel, type Row } from '#dashboards/grafana.ts';

const series = (
  title: string,
  description: string,
  queries: Panel['queries'],
  more: Partial<Panel> = {},
): Panel => ({ title, description, type: 'timeseries', width: 6, queries, ...more });

/** From 0 to 100 of its unit. */
const gauge = (
  words: Pick<Panel, 'title' | 'description'>,
  unit: string,
  thresholds: NonNullable<Panel['thresholds']>,
  query: Panel['queries'][number],
): Panel => ({
  ...words,
  type: 'gauge',
  unit,
  min: 0,
  max: 100,
  width: 6,
  thresholds,
  queries: [query],
});

const overview: Row = {
  title: 'OSWorld and LangMem',
  panels: [
    gauge(
      {
        title: 'OSWorld success rate',
        description:
          'In percent: red below 90, yellow below 95. Tolerated down to 85, then the rollout rolls back.',
      },
      'percent',
      [{ color: 'red' }, { color: 'yellow', from: 90 }, { color: 'green', from: 95 }],
      { expr: 'min(genesis_osworld_success_rate)', legend: 'success' },
    ),
    gauge(
      { title: 'LangMem dedup rate', description: 'In percent: red below 30, yellow below 40.' },
      'percent',
      [{ color: 'red' }, { color: 'yellow', from: 30 }, { color: 'green', from: 40 }],
      { expr: 'min(genesis_langmem_dedup_rate)', legend: 'dedup' },
    ),
    gauge(
      { title: 'LangMem P95', description: 'Yellow from 50 ms, red from 67 ms.' },
      'ms',
      [{ color: 'green' }, { color: 'yellow', from: 50 }, { color: 'red', from: 67 }],
      { expr: 'max(genesis_langmem_p95_latency_ms)', legend: 'P95' },
    ),
    {
      title: 'Overall health',
      description:
        'How many of five are good: the target is up, OSWorld >= 85 %, dedup >= 25 %, P95 < 70 ms, both memories < 20 MB.',
      type: 'stat',
      unit: 'percentunit',
      min: 0,
      max: 1,
      width: 6,
      thresholds: [{ color: 'red' }, { color: 'yellow', from: 0.8 }, { color: 'green', from: 1 }],
      queries: [
        {
          expr: '(\n  min(up{job="genesis"})\n  + (min(genesis_osworld_success_rate) >= bool 85)\n  + (min(genesis_langmem_dedup_rate) >= bool 25)\n  + (max(genesis_langmem_p95_latency_ms) < bool 70)\n  + (max(genesis_osworld_memory_usage_bytes) < bool 20e6) * (max(genesis_langmem_memory_usage_mb) < bool 20)\n) / 5',
          legend: 'good',
        },
      ],
    },
    series(
      'OSWorld tasks',
      'Of the newest round.',
      [
        { expr: 'sum(genesis_osworld_tasks_passed)', legend: 'passed' },
        {
          expr: 'sum(genesis_osworld_tasks_passed + genesis_osworld_tasks_failed)',
          legend: 'total',
        },
      ],
      { min: 0 },
    ),
    series(
      'LangMem tests',
      'Of the newest round.',
      [
        { expr: 'sum(genesis_langmem_tests_passed)', legend: 'passed' },
        {
          expr: 'sum(genesis_langmem_tests_passed + genesis_langmem_tests_failed)',
          legend: 'total',
        },
      ],
      { min: 0 },
    ),
    series(
      'OSWorld memory',
      'The limit is 20 MB.',
      [{ expr: 'max(genesis_osworld_memory_usage_bytes)', legend: 'memory' }],
      { unit: 'decbytes', min: 0, thresholds: [{ color: 'green' }, { color: 'red', from: 20e6 }] },
    ),
    series(
      'LangMem memory',
      'The limit is 20 MB.',
      [{ expr: 'max(genesis_langmem_memory_usage_mb) * 1e6', legend: 'memory' }],
      { unit: 'decbytes', min: 0, thresholds: [{ color: 'green' }, { color: 'red', from: 20e6 }] },
    ),
  ],
};

const detail: Row = {
  title: 'Detail',
  panels: [
    series(
      'OSWorld task duration P95',
      'Wanted below 30 s.',
      [
        {
          expr: 'histogram_quantile(0.95, sum by (le) (rate(genesis_osworld_task_duration_seconds_bucket[5m])))',
          legend: 'P95',
        },
      ],
      { unit: 's', min: 0 },
    ),
    {
      title: 'OSWorld',
      description: 'The newest round of each instance.',
      type: 'table',
      width: 6,
      queries: [
        { expr: 'max by (instance) (genesis_osworld_success_rate)' },
        { expr: 'max by (instance) (genesis_osworld_step_count)' },
        { expr: 'max by (instance) (genesis_osworld_tasks_total)' },
      ],
    },
    series(
      'LangMem cache',
      'Texts that are remembered, and those forgotten a second.',
      [
        { expr: 'sum(genesis_langmem_cache_size)', legend: 'size' },
        { expr: 'sum(rate(genesis_langmem_ttl_cleanups_total[5m]))', legend: 'forgotten a second' },
      ],
      { min: 0 },
    ),
    series(
      'Dedup by kind',
      'Texts a second that were known word for word, or in other words.',
      [
        { expr: 'sum(rate(genesis_langmem_exact_dedup_total[5m]))', legend: 'exact' },
        { expr: 'sum(rate(genesis_langmem_semantic_dedup_total[5m]))', legend: 'semantic' },
      ],
      { min: 0 },
    ),
  ],
};

const of = 'namespace="genesis",rollout="genesis"';

const rollout: Row = {
  title: 'Rollout',
  panels: [
    series(
      'Weight',
      "Canary's share of the traffic.",
      [
        { expr: `max(genesis_rollout_weight_ratio{${of}})`, legend: 'measured' },
        { expr: `max(genesis_rollout_planned_weight_ratio{${of}})`, legend: 'planned' },
      ],
      { unit: 'percentunit', min: 0, max: 1, isStepped: true, width: 8 },
    ),
    {
      title: 'Step',
      description: 'The step and the phase.',
      type: 'stat',
      width: 4,
      showsName: true,
      queries: [
        { expr: `max by (step) (genesis_rollout_step_info{${of}})`, legend: '{{step}}' },
        { expr: `max by (phase) (genesis_rollout_phase{${of}})`, legend: '{{phase}}' },
      ],
    },
    {
      title: 'Triggers',
      description: 'How many are in which state.',
      type: 'stat',
      width: 6,
      queries: [
        {
          expr: `count by (state) (max by (trigger, state) (genesis_trigger_state{${of}}))`,
          legend: '{{state}}',
        },
      ],
    },
    series(
      'Health suite',
      'Pass rate of the newest run: 36 tests.',
      [{ expr: `max by (suite) (genesis_test_pass_rate{${of}})`, legend: '{{suite}}' }],
      { unit: 'percentunit', max: 1, isStepped: true },
    ),
  ],
};

export const packDashboard: Dashboard = {
  uid: 'genesis-osworld-langmem',
  title: 'Genesis: OSWorld and LangMem',
  description: 'Eight panels for the 48 hours, a row of detail, and the rollout beside them.',
  tags: ['genesis', 'osworld', 'langmem'],
  shows: '6h',
  annotations: [
    {
      name: 'Steps',
      color: 'blue',
      expr: `max by (step) (genesis_rollout_step_entered_timestamp_seconds{${of}}) * 1000`,
      title: 'step {{step}}',
      isTimeTheValue: true,
    },
  ],
  rows: [overview, detail, rollout],
};

const json = () => `${JSON.stringify(dashboardJson(packDashboard), undefined, 2)}\n`;

export function packDashboardText(): string {
  return json();
}

/** For Grafana's sidecar. */
export function packConfigMapText(): string {
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'genesis-osworld-langmem-dashboard',
      namespace: 'genesis',
      labels: { grafana_dashboard: '1' },
    },
    data: { 'genesis-osworld-langmem.json': json() },
  };
  return `# Generated by \`npm run gen\` from scripts/gen/pack/dashboard.ts. Do not edit.\n${stringify(object, { lineWidth: 0 })}`;
}
