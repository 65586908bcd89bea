/** Every metric of which there is a series for each rollout or more; see catalogue.ts for the others. */
import type { MetricDeclaration } from './declaration.ts';

const rollout = ['namespace', 'rollout'] as const;
const trigger = [...rollout, 'trigger', 'severity'] as const;
const suite = [...rollout, 'suite'] as const;

/** One series a rollout or more; written at scrape time from what the controller saw last. */
export const rolloutSeries = {
  genesis_rollout_weight_ratio: {
    type: 'gauge',
    help: "Canary's share as read back from the routes, 0 to 1; the highest where routes differ.",
    labels: rollout,
  },
  genesis_rollout_planned_weight_ratio: {
    type: 'gauge',
    help: "Canary's share that the current step asks for, 0 to 1; 0 in and after a rollback.",
    labels: rollout,
  },
  genesis_rollout_phase: {
    type: 'gauge',
    help: '1 for the phase a rollout is in; its other phases have no series.',
    labels: [...rollout, 'phase'],
  },
  genesis_rollout_step_info: {
    type: 'gauge',
    help: '1 for the step whose weight is asked for, with the revision that is rolled out.',
    labels: [...rollout, 'step', 'revision'],
  },
  genesis_rollout_step_entered_timestamp_seconds: {
    type: 'gauge',
    help: 'When the weight of the current step stood on every route, as a Unix time; no series until it does.',
    labels: [...rollout, 'step'],
  },
  genesis_rollout_next_step_timestamp_seconds: {
    type: 'gauge',
    help: 'When the next step is due, as a Unix time; no series when no step lies ahead.',
    labels: rollout,
  },
  genesis_rollout_next_step_seconds: {
    type: 'gauge',
    help: 'Time until the next step is due, at the time of the scrape; negative while it is overdue.',
    labels: rollout,
  },
  genesis_rollout_condition: {
    type: 'gauge',
    help: '1 for the status that a condition has; its other statuses have no series.',
    labels: [...rollout, 'condition', 'status'],
  },
  genesis_rollout_hold: {
    type: 'gauge',
    help: '1 for each reason why a rollout does not advance.',
    labels: [...rollout, 'reason', 'by'],
  },
  genesis_trigger_state: {
    type: 'gauge',
    help: '1 for the state a trigger is in; its other states have no series.',
    labels: [...trigger, 'state'],
  },
  genesis_trigger_value: {
    type: 'gauge',
    help: 'The newest reading of a trigger, in base units; no series while there is none.',
    labels: trigger,
  },
  genesis_trigger_threshold: {
    type: 'gauge',
    help: 'What the reading of a trigger is compared with, in base units.',
    labels: trigger,
  },
  genesis_trigger_active_seconds: {
    type: 'gauge',
    help: 'How long the condition of a trigger has held so far; 0 while it is false.',
    labels: trigger,
  },
  genesis_snapshots_expected: {
    type: 'gauge',
    help: 'Snapshots of the current run that have been due.',
    labels: rollout,
  },
  genesis_snapshots_missing: {
    type: 'gauge',
    help: 'Snapshots of the current run that were due and are not kept.',
    labels: rollout,
  },
  genesis_monitoring_up: {
    type: 'gauge',
    help: 'Whether a monitoring system (prometheus, alertmanager, grafana) has answered when this rollout asked it last; no series before, and for what is not configured.',
    labels: [...rollout, 'system'],
  },
  genesis_chain_links: {
    type: 'gauge',
    help: 'Links of the metric chain by what the newest check has found: fine, broken, advice, cannotTell or noTrafficExpected.',
    labels: [...rollout, 'link', 'verdict'],
  },
  genesis_chain_check_timestamp_seconds: {
    type: 'gauge',
    help: 'When the newest check of the metric chain began.',
    labels: rollout,
  },
  genesis_rollback_sla_seconds: {
    type: 'gauge',
    help: 'Within what time after the decision all stages of a rollback shall be done.',
    labels: rollout,
  },
  genesis_rollback_elapsed_seconds: {
    type: 'gauge',
    help: "The SLA clock: time since the decision of this run's rollback, until its last stage ended; 0 while there is none.",
    labels: rollout,
  },
  genesis_rollback_stage_seconds: {
    type: 'gauge',
    help: "Time spent in a stage of this run's rollback; 0 while it has not begun.",
    labels: [...rollout, 'stage'],
  },
  genesis_tests_total: {
    type: 'counter',
    help: 'Tests that health suites have run.',
    labels: suite,
  },
  genesis_tests_passed_total: {
    type: 'counter',
    help: 'Tests of health suites that passed.',
    labels: suite,
  },
  genesis_tests_failed_total: {
    type: 'counter',
    help: 'Tests of health suites that failed, known flaky ones included.',
    labels: suite,
  },
  genesis_tests_skipped_total: {
    type: 'counter',
    help: 'Tests of health suites that were skipped.',
    labels: suite,
  },
  genesis_tests_known_flaky_total: {
    type: 'counter',
    help: 'Failures of tests that are known to be flaky.',
    labels: suite,
  },
  genesis_suite_runs_total: {
    type: 'counter',
    help: 'Runs of health suites: `done` with a result, `failed` where they could not be carried out.',
    labels: [...suite, 'outcome'],
  },
  genesis_test_pass_rate: {
    type: 'gauge',
    help: 'Passed among those not skipped in the newest run of a suite, 0 to 1.',
    labels: suite,
  },
  genesis_suite_tests: {
    type: 'gauge',
    help: 'Tests of the newest run of a suite by result: passed, failed, skipped, and known_flaky among those failed.',
    labels: [...suite, 'result'],
  },
  genesis_suite_duration_seconds: {
    type: 'gauge',
    help: 'How long the newest run of a suite took.',
    labels: suite,
  },
  genesis_suite_finished_timestamp_seconds: {
    type: 'gauge',
    help: 'When the newest run of a suite ended, as a Unix time.',
    labels: suite,
  },
} as const satisfies Record<string, MetricDeclaration>;
