/**
 * The operator's own alerts: deploy/mixin, and a copy in the chart. Only the leader has series of rollouts, and for a moment two
 * processes may: hence the aggregations. Each has a page in docs/runbooks.
 */
import { stringify } from 'yaml';
import { defaultRunbookUrl } from '#dashboards/manifest.ts';

export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly severity: 'critical' | 'warning' | 'info';
  readonly summary: string;
  readonly description: string;
}

const each = 'max by (namespace, rollout)';
const subject = '{{ $labels.namespace }}/{{ $labels.rollout }}';

export const operatorAlerts: readonly Alert[] = [
  {
    alert: 'GenesisDown',
    expr: 'absent(genesis_build_info)',
    for: '5m',
    severity: 'critical',
    summary: 'No Genesis Rollout operator is scraped.',
    description:
      'Nobody has seen the operator for 5 minutes. Running rollouts stay where they are, and nothing rolls them back.',
  },
  {
    alert: 'GenesisNoLeader',
    expr: 'sum(leader_election_master_status and on (job, instance) genesis_build_info) == 0',
    for: '2m',
    severity: 'critical',
    summary: 'No Genesis Rollout operator leads.',
    description:
      'The operator runs, but no process has held the lease for 2 minutes, so no rollout is looked at.',
  },
  {
    alert: 'GenesisReconcileErrors',
    expr: 'sum(rate(genesis_reconcile_duration_seconds_count{result="error"}[5m]))\n  / sum(rate(genesis_reconcile_duration_seconds_count[5m])) > 0.1',
    for: '15m',
    severity: 'warning',
    summary: 'Looks at rollouts fail.',
    description:
      '{{ $value | humanizePercentage }} of the looks at rollouts have failed for 15 minutes; the log says why.',
  },
  {
    alert: 'GenesisRollbackStuck',
    expr: `${each} (genesis_rollout_weight_ratio) > 0\n  and on (namespace, rollout) ${each} (genesis_rollout_phase{phase="RollingBack"}) == 1`,
    for: '1m',
    severity: 'critical',
    summary: 'A rollback does not get through.',
    description: `${subject} is rolling back, and after a minute canary still has {{ $value | humanizePercentage }} of the traffic.`,
  },
  {
    alert: 'GenesisRollbackLate',
    expr: `${each} (genesis_rollback_elapsed_seconds) > ${each} (genesis_rollback_sla_seconds)\n  and on (namespace, rollout) ${each} (genesis_rollout_phase{phase="RollingBack"}) == 1`,
    severity: 'critical',
    summary: 'A rollback takes longer than its SLA.',
    description: `${subject} was to be rolled back by now, and its last stage has not ended after {{ $value | humanizeDuration }}.`,
  },
  {
    alert: 'GenesisRolledBack',
    expr: `${each} (genesis_rollout_phase{phase="RolledBack"})\n  unless on (namespace, rollout) ${each} (genesis_rollout_phase{phase="RolledBack"} offset 1h)`,
    severity: 'warning',
    summary: 'A rollout was rolled back within the last hour.',
    description: `${subject} was rolled back; \`kubectl genesis status\` and its report say why.`,
  },
  {
    alert: 'GenesisRolloutStalled',
    expr: `${each} (genesis_rollout_condition{condition="Stalled",status="True"}) == 1\n  unless on (namespace, rollout) ${each} (genesis_rollout_phase{phase="RolledBack"})`,
    for: '5m',
    severity: 'warning',
    summary: 'A rollout needs a person.',
    description: `${subject} cannot go on by itself: its spec is refused, or another rollout has its route. Its condition Stalled says which.`,
  },
  {
    alert: 'GenesisRolloutOverdue',
    expr: `-${each} (genesis_rollout_next_step_seconds) > 3600`,
    for: '5m',
    severity: 'warning',
    summary: 'A step has been due for more than an hour.',
    description: `The next step of ${subject} is late by {{ $value | humanizeDuration }}; status.holds says what it waits for.`,
  },
  {
    alert: 'GenesisMetricSourceBroken',
    expr: `${each} (genesis_rollout_condition{condition="MetricsAvailable",status="False"}) == 1`,
    for: '5m',
    severity: 'warning',
    summary: 'A rollout has no readings.',
    description: `Triggers of ${subject} have had no reading for 5 minutes: it holds, and does not see a breach either. Its condition MetricsAvailable names the broken link.`,
  },
  {
    alert: 'GenesisMonitoringDown',
    expr: 'max by (namespace, rollout, system) (genesis_monitoring_up) == 0',
    for: '2m',
    severity: 'critical',
    summary: 'A monitoring system does not answer the operator.',
    description: `{{ $labels.system }} has not answered ${subject} for 2 minutes. Where it is the one that evaluates this rule, another one must say so.`,
  },
  {
    alert: 'GenesisTrafficDrift',
    expr: 'sum(increase(genesis_traffic_drift_total[15m])) > 0',
    severity: 'warning',
    summary: "Somebody else writes weights of a rollout's route.",
    description: 'Weights were changed by another writer within 15 minutes, and asserted again.',
  },
  {
    alert: 'GenesisSnapshotsMissing',
    expr: `${each} (genesis_snapshots_missing) > 0`,
    for: '5m',
    severity: 'info',
    summary: 'Snapshots of a rollout are missing.',
    description: `{{ $value }} snapshots of ${subject} were due and are not kept; \`require: [SnapshotsComplete]\` would fail.`,
  },
];

/** As a rule file has it. */
export function ruleOf({ alert, expr, for: held, severity, summary, description }: Alert) {
  return {
    alert,
    expr,
    ...(held === undefined ? {} : { for: held }),
    labels: { severity },
    annotations: { summary, description, runbook_url: runbookOf(alert) },
  };
}

/** The page of an alert has its name in lower case. */
export function runbookOf(alert: string): string {
  return `${defaultRunbookUrl}/${alert.toLowerCase()}`;
}

export const operatorGroups = [{ name: 'genesis-rollout', rules: operatorAlerts.map(ruleOf) }];

export function operatorAlertsText(): string {
  const head =
    "# Generated by `npm run gen` from scripts/gen/mixin/alerts.ts. Do not edit.\n# The operator's own alerts, as a rule file of Prometheus.\n";
  return head + stringify({ groups: operatorGroups }, { lineWidth: 0 });
}
