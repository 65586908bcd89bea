/**
 * The panels about one rollout. Each shows something from the first look on: a panel without data is what everybody
 * learns to overlook, so an empty answer that means "none" is written as 0.
 */
import { formatDuration } from '#api/duration.ts';
import { rungText } from '#core/ladder.ts';
import type { RunSpec, RunTrigger } from '#core/run-spec.ts';
import type { Panel, Row } from './grafana.ts';
import { ownSeries, ownValue } from './measure-query.ts';
import { grafanaUnit } from './units.ts';

export function rolloutRow(run: RunSpec): Row {
  const value = (metric: string) => ownValue(run, metric, {});
  return {
    title: 'Rollout',
    panels: [
      {
        title: 'Weight',
        description:
          "Canary's share of the traffic: what the step asks for, and what the routes say.",
        type: 'timeseries',
        unit: 'percentunit',
        min: 0,
        max: 1,
        width: 12,
        isStepped: true,
        queries: [
          { expr: value('genesis_rollout_weight_ratio'), legend: 'measured' },
          { expr: value('genesis_rollout_planned_weight_ratio'), legend: 'planned' },
        ],
      },
      {
        title: 'Phase',
        description: 'Where the rollout is.',
        type: 'stat',
        width: 4,
        showsName: true,
        queries: [
          { expr: by(run, 'phase', 'genesis_rollout_phase'), legend: '{{phase}}' },
          { expr: by(run, 'step', 'genesis_rollout_step_info'), legend: 'step {{step}}' },
        ],
      },
      {
        title: 'Step clock',
        description:
          'How long the weight of this step has stood, and when the next is due; negative while it is overdue.',
        type: 'stat',
        unit: 's',
        width: 4,
        queries: [
          {
            expr: `time() - ${value('genesis_rollout_step_entered_timestamp_seconds')}`,
            legend: 'in this step',
          },
          { expr: value('genesis_rollout_next_step_seconds'), legend: 'until the next' },
        ],
      },
      {
        title: 'Holds',
        description: 'Why it does not advance; 0 while nothing holds it.',
        type: 'table',
        width: 4,
        queries: [{ expr: orZero(by(run, 'reason, by', 'genesis_rollout_hold')) }],
      },
    ],
  };
}

export function triggersRow(run: RunSpec): Row {
  const states = ['Firing', 'Unknown', 'Pending', 'Inactive'].map(
    (state, index, all) =>
      `${ownSeries(run, 'genesis_trigger_state', { state })} * ${all.length - 1 - index}`,
  );
  const overview: Panel = {
    title: 'Triggers',
    description: 'Pending: breached, but not for long enough yet. Unknown: there is no reading.',
    type: 'state-timeline',
    width: 24,
    mappings: {
      '0': ['Inactive', 'green'],
      '1': ['Pending', 'yellow'],
      '2': ['Unknown', 'purple'],
      '3': ['Firing', 'red'],
    },
    queries: [
      { expr: `max by (trigger) (\n  ${states.join('\n  or ')}\n)`, legend: '{{trigger}}' },
    ],
  };
  return {
    title: 'Triggers',
    panels: [overview, ...run.triggers.map((one) => valuePanel(run, one))],
  };
}

/** The engine's own reading, so that the panel shows what was decided upon. */
function valuePanel(run: RunSpec, trigger: RunTrigger): Panel {
  const { name, condition, forMs, ladder, severity } = trigger;
  const held = forMs === 0 ? '' : ` for ${formatDuration(forMs)}`;
  return {
    title: name,
    description: `${severity}: ${condition.text}${held} is a breach. What follows: ${ladder.map(rungText).join(', ')}.`,
    type: 'timeseries',
    ...grafanaUnit(condition.unit),
    width: 8,
    queries: [
      { expr: ownValue(run, 'genesis_trigger_value', { trigger: name }), legend: name },
      {
        expr: ownValue(run, 'genesis_trigger_threshold', { trigger: name }),
        legend: condition.text,
      },
    ],
  };
}

/** @returns none where the rollout has no suite */
export function suitesRow(run: RunSpec): readonly Row[] {
  if (run.suites.length === 0) return [];
  const panels: readonly Panel[] = [
    {
      title: 'Pass rate',
      description: 'Passed among those not skipped, in the newest run of each suite.',
      type: 'timeseries',
      unit: 'percentunit',
      max: 1,
      width: 8,
      isStepped: true,
      queries: [{ expr: by(run, 'suite', 'genesis_test_pass_rate'), legend: '{{suite}}' }],
    },
    {
      title: 'Tests',
      description: 'Of the newest run by result; known_flaky are among those failed.',
      type: 'timeseries',
      min: 0,
      width: 8,
      isStepped: true,
      queries: [
        { expr: by(run, 'suite, result', 'genesis_suite_tests'), legend: '{{suite}} {{result}}' },
      ],
    },
    {
      title: 'Time of a suite',
      description: 'How long the newest run took.',
      type: 'timeseries',
      unit: 's',
      min: 0,
      width: 8,
      isStepped: true,
      queries: [{ expr: by(run, 'suite', 'genesis_suite_duration_seconds'), legend: '{{suite}}' }],
    },
  ];
  return [{ title: 'Health suites', panels }];
}

export function rollbackRow(run: RunSpec): Row {
  const { slaMs, stopTrafficMs, verifyMs, restoreMs, stabilizeMs, reportMs } = run.rollback;
  const budgets = Object.entries({
    StopTraffic: stopTrafficMs,
    Verify: verifyMs,
    Restore: restoreMs,
    Stabilize: stabilizeMs,
    Report: reportMs,
  }).map(([stage, budgetMs]) => `${stage} ${formatDuration(budgetMs)}`);
  const slaSeconds = slaMs / 1000;
  return {
    title: 'Rollback',
    panels: [
      {
        title: 'SLA clock',
        description: `Time since the decision to roll back, of ${formatDuration(slaMs)}; 0 while there is none.`,
        type: 'gauge',
        unit: 's',
        min: 0,
        max: slaSeconds,
        width: 8,
        thresholds: [
          { color: 'green' },
          { color: 'yellow', from: slaSeconds * 0.8 },
          { color: 'red', from: slaSeconds },
        ],
        queries: [
          { expr: ownValue(run, 'genesis_rollback_elapsed_seconds', {}), legend: 'elapsed' },
        ],
      },
      {
        title: 'Stage times',
        description: `Budgets: ${budgets.join(', ')}. 0 while a stage has not begun.`,
        type: 'bargauge',
        unit: 's',
        min: 0,
        width: 16,
        queries: [
          { expr: by(run, 'stage', 'genesis_rollback_stage_seconds'), legend: '{{stage}}' },
        ],
      },
    ],
  };
}

export function monitoringRow(run: RunSpec): Row {
  return {
    title: 'Is anybody watching?',
    panels: [
      {
        title: 'Monitoring systems',
        description: 'Whether they answered when this rollout asked them last.',
        type: 'stat',
        width: 6,
        mappings: { '0': ['down', 'red'], '1': ['up', 'green'] },
        queries: [{ expr: by(run, 'system', 'genesis_monitoring_up'), legend: '{{system}}' }],
      },
      {
        title: 'Readings',
        description: 'The condition MetricsAvailable: whether every trigger has a reading.',
        type: 'stat',
        width: 6,
        showsName: true,
        queries: [
          {
            expr: `max by (status) (${ownSeries(run, 'genesis_rollout_condition', { condition: 'MetricsAvailable' })})`,
            legend: '{{status}}',
          },
        ],
      },
      {
        title: 'Queries of the operator',
        description: 'A second, by outcome; of all rollouts.',
        type: 'timeseries',
        unit: 'reqps',
        min: 0,
        width: 6,
        queries: [
          {
            expr: 'sum by (outcome) (rate(genesis_prometheus_queries_total[5m]))',
            legend: '{{outcome}}',
          },
        ],
      },
      {
        title: 'Snapshots',
        description: 'Of this run: those that were due, and those of them that are missing.',
        type: 'timeseries',
        min: 0,
        width: 6,
        isStepped: true,
        queries: [
          { expr: ownValue(run, 'genesis_snapshots_expected', {}), legend: 'due' },
          { expr: ownValue(run, 'genesis_snapshots_missing', {}), legend: 'missing' },
        ],
      },
    ],
  };
}

function by(run: RunSpec, labels: string, metric: string): string {
  return `max by (${labels}) (${ownSeries(run, metric, {})})`;
}

/** 0 exactly when there is nothing. */
function orZero(expr: string): string {
  return `${expr} or (vector(0) unless on () ${expr})`;
}
