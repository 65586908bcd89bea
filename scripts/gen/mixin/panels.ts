/** What the operator's own dashboard shows: rollouts, their triggers, and the operator. Only series of docs/reference/metrics.md. */
import type { Row } from '#dashboards/grafana.ts';

const chosen = 'namespace=~"$namespace",rollout=~"$rollout"';
const each = '{{namespace}}/{{rollout}}';
/** Only the leader has them, and for a moment after a change two processes may. */
const of = (metric: string, by = 'namespace, rollout', more = '') =>
  `max by (${by}) (${metric}{${chosen}${more}})`;
const quantile = (metric: string, share: string) =>
  `histogram_quantile(${share}, sum by (le) (rate(${metric}_bucket[$__rate_interval])))`;
/** 0 exactly when there is nothing: an empty panel says less than none. */
const orZero = (expr: string) => `${expr} or (vector(0) unless on () ${expr})`;
const operator = 'and on (job, instance) genesis_build_info';

const overview: Row = {
  title: 'Rollouts',
  panels: [
    {
      title: 'Rollouts by phase',
      description: 'How many rollouts are in each phase.',
      type: 'stat',
      width: 12,
      height: 5,
      queries: [
        {
          expr: `count by (phase) (${of('genesis_rollout_phase', 'namespace, rollout, phase')})`,
          legend: '{{phase}}',
        },
      ],
    },
    {
      title: 'Triggers firing',
      description: 'Triggers that have held for their time.',
      type: 'stat',
      width: 4,
      height: 5,
      queries: [
        {
          expr: `count(${of('genesis_trigger_state', 'namespace, rollout, trigger', ',state="Firing"')}) or vector(0)`,
        },
      ],
    },
    {
      title: 'Rollbacks, 24 h',
      description: 'Rollbacks begun.',
      type: 'stat',
      width: 4,
      height: 5,
      queries: [{ expr: 'sum(increase(genesis_rollbacks_total[24h])) or vector(0)' }],
    },
    {
      title: 'Promotions, 24 h',
      description: 'Runs that succeeded.',
      type: 'stat',
      width: 4,
      height: 5,
      queries: [{ expr: 'sum(increase(genesis_promotions_total[24h])) or vector(0)' }],
    },
    {
      title: 'Traffic of canary',
      description: 'As read back from the routes.',
      type: 'timeseries',
      isStepped: true,
      unit: 'percentunit',
      min: 0,
      max: 1,
      width: 12,
      queries: [{ expr: of('genesis_rollout_weight_ratio'), legend: each }],
    },
    {
      title: 'Phases',
      description: 'The phase that each rollout is in.',
      type: 'state-timeline',
      width: 12,
      queries: [
        {
          expr: of('genesis_rollout_phase', 'namespace, rollout, phase'),
          legend: `${each} {{phase}}`,
        },
      ],
    },
    {
      title: 'Next step',
      description: 'Time until it is due; negative while it is overdue.',
      type: 'table',
      unit: 's',
      width: 8,
      queries: [{ expr: of('genesis_rollout_next_step_seconds') }],
    },
    {
      title: 'Holds',
      description: 'Why rollouts do not advance.',
      type: 'table',
      width: 16,
      queries: [{ expr: orZero(of('genesis_rollout_hold', 'namespace, rollout, reason, by')) }],
    },
  ],
};

const triggers: Row = {
  title: 'Triggers',
  panels: [
    {
      title: 'Distance to the threshold',
      description: 'The newest reading, divided by what it is compared with: 1 is the threshold.',
      type: 'timeseries',
      unit: 'percentunit',
      width: 12,
      queries: [
        {
          expr: `${of('genesis_trigger_value', 'namespace, rollout, trigger')} / ${of('genesis_trigger_threshold', 'namespace, rollout, trigger')}`,
          legend: `${each} {{trigger}}`,
        },
      ],
    },
    {
      title: 'How long a breach has held',
      description: 'A trigger fires when it has held for its time.',
      type: 'timeseries',
      unit: 's',
      width: 12,
      queries: [
        {
          expr: of('genesis_trigger_active_seconds', 'namespace, rollout, trigger'),
          legend: `${each} {{trigger}}`,
        },
      ],
    },
    {
      title: 'States',
      description: 'Pending, Firing and Unknown; Inactive is left out.',
      type: 'table',
      width: 16,
      queries: [
        {
          expr: orZero(
            of(
              'genesis_trigger_state',
              'namespace, rollout, trigger, severity, state',
              ',state!="Inactive"',
            ),
          ),
        },
      ],
    },
    {
      title: 'Snapshots missing',
      description: 'Of the current run.',
      type: 'table',
      width: 8,
      queries: [{ expr: of('genesis_snapshots_missing') }],
    },
  ],
};

const health: Row = {
  title: 'Operator',
  panels: [
    {
      title: 'Leaders',
      description: 'One at a time.',
      type: 'stat',
      width: 4,
      height: 5,
      queries: [{ expr: `sum(leader_election_master_status ${operator})` }],
    },
    {
      title: 'Versions',
      description: 'Processes by version.',
      type: 'stat',
      width: 4,
      height: 5,
      queries: [{ expr: 'count by (version) (genesis_build_info)', legend: '{{version}}' }],
    },
    {
      title: 'Traffic drift',
      description: 'Weights that another writer changed.',
      type: 'timeseries',
      width: 8,
      height: 5,
      queries: [{ expr: 'sum(increase(genesis_traffic_drift_total[$__rate_interval]))' }],
    },
    {
      title: 'Looks that failed',
      description: 'By result, a second.',
      type: 'timeseries',
      unit: 'reqps',
      width: 8,
      height: 5,
      queries: [
        {
          expr: 'sum by (result) (rate(genesis_reconcile_duration_seconds_count{result!="success"}[$__rate_interval]))',
          legend: '{{result}}',
        },
      ],
    },
    {
      title: 'Time of a look',
      description: 'Observe, decide, write, act.',
      type: 'timeseries',
      unit: 's',
      width: 8,
      queries: ['0.5', '0.95', '0.99'].map((share) => ({
        expr: quantile('genesis_reconcile_duration_seconds', share),
        legend: `p${Number(share) * 100}`,
      })),
    },
    {
      title: 'Queries of Prometheus',
      description: 'By outcome, a second.',
      type: 'timeseries',
      unit: 'reqps',
      width: 8,
      queries: [
        {
          expr: 'sum by (outcome) (rate(genesis_prometheus_queries_total[$__rate_interval]))',
          legend: '{{outcome}}',
        },
      ],
    },
    {
      title: 'Requests to the API server',
      description: 'By status code, a second.',
      type: 'timeseries',
      unit: 'reqps',
      width: 8,
      queries: [
        {
          expr: `sum by (code) (rate(rest_client_requests_total[$__rate_interval]) ${operator})`,
          legend: '{{code}}',
        },
      ],
    },
    {
      title: 'Rollback: breach to 0 %',
      description: 'From the moment a trigger had held until every route read 0.',
      type: 'timeseries',
      unit: 's',
      width: 8,
      queries: [
        {
          expr: 'histogram_quantile(0.95, sum by (le, since) (rate(genesis_rollback_seconds_bucket[1h])))',
          legend: 'p95 since {{since}}',
        },
      ],
    },
    {
      title: 'Memory',
      description: 'Resident, by process.',
      type: 'timeseries',
      unit: 'bytes',
      width: 8,
      queries: [{ expr: `process_resident_memory_bytes ${operator}`, legend: '{{instance}}' }],
    },
    {
      title: 'Event loop',
      description: 'How late it ran since the last scrape: 99th percentile.',
      type: 'timeseries',
      unit: 's',
      width: 8,
      queries: [{ expr: `nodejs_eventloop_lag_p99_seconds ${operator}`, legend: '{{instance}}' }],
    },
  ],
};

export const rows: readonly Row[] = [overview, triggers, health];
