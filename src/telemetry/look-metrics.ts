/** What the controller's looks at rollouts add up to. */
import type { Instruments } from './instruments.ts';
import type { LookObserver, SeenBefore, SeenTrigger } from './look.ts';
import type { RolloutSeries } from './rollout-series.ts';
import { type Transition, transitions } from './transitions.ts';

/** What controller-runtime would call the controller and its queue: the kind in lower case. */
export const CONTROLLER = 'genesisrollout';
/** The worst first: it names the outcome of an evaluation. */
const STATES = ['Firing', 'Pending', 'Unknown', 'Inactive'] as const;
/** Whom a rollback may be due to; counted from 0, so that the first one is an increase. */
const ROLLBACK_REASONS = ['TriggerFiring', 'Aborted', 'RollbackResumed'] as const;
/** A conflict is looked at again at once, and what has to wait for its turn later: controller-runtime's words for both. */
const RESULTS = {
  success: 'success',
  conflict: 'requeue',
  deferred: 'requeue_after',
  error: 'error',
} as const;

export function createLookMetrics(instruments: Instruments, series: RolloutSeries): LookObserver {
  const count = createCounts(instruments);
  const evaluations = instruments.counter('genesis_evaluations_total');
  const evaluationTimes = instruments.histogram('genesis_evaluation_duration_seconds');
  const looks = instruments.counter('controller_runtime_reconcile_total');
  const lookTimes = instruments.histogram('genesis_reconcile_duration_seconds');
  for (const outcome of STATES) evaluations.inc({ outcome }, 0);
  for (const result of Object.values(RESULTS)) {
    looks.inc({ controller: CONTROLLER, result }, 0);
    lookTimes.zero({ result });
  }
  return {
    decided: (key, before, after) => {
      const { status, triggers, snapshots } = after;
      const { recorded: run, suites } = before;
      const chain = before.chain?.type === 'known' ? before.chain.report : undefined;
      series.keep(key, { status, triggers, snapshots, run, suites, chain }, answersOf(before));
      const outcome = worstState(after.triggers);
      if (outcome !== undefined) evaluations.inc({ outcome });
      for (const told of transitions(before.status, after.status, before.now)) count(told);
    },
    reconciled: (result, durationMs, evaluationMs) => {
      looks.inc({ controller: CONTROLLER, result: RESULTS[result] });
      lookTimes.observe({ result: RESULTS[result] }, durationMs / 1000);
      if (evaluationMs !== undefined) evaluationTimes.observe(evaluationMs / 1000);
    },
    forgotten: (key) => series.forget(key),
  };
}

function createCounts(instruments: Instruments): (told: Transition) => void {
  const rollbacks = instruments.counter('genesis_rollbacks_total');
  const rollbackTimes = instruments.histogram('genesis_rollback_seconds');
  const promotions = instruments.counter('genesis_promotions_total');
  const drift = instruments.counter('genesis_traffic_drift_total');
  for (const reason of ROLLBACK_REASONS) rollbacks.inc({ reason }, 0);
  for (const since of ['decision', 'firing']) rollbackTimes.zero({ since });
  return (told) => {
    switch (told.type) {
      case 'rollbackBegun':
        rollbacks.inc({ reason: told.reason });
        break;
      case 'trafficStopped':
        rollbackTimes.observe({ since: 'decision' }, told.sinceDecisionMs / 1000);
        if (told.sinceFiringMs !== undefined) {
          rollbackTimes.observe({ since: 'firing' }, told.sinceFiringMs / 1000);
        }
        break;
      case 'promoted':
        promotions.inc();
        break;
      case 'drifted':
        drift.inc(told.count);
        break;
    }
  };
}

/**
 * Whether Prometheus has answered anything at this look; a refusal of one query is an answer too.
 * @returns undefined when it was not asked
 */
function answersOf({ answers }: SeenBefore): boolean | undefined {
  const asked = [...(answers ?? [])].filter(([question]) => /^[ir] /.test(question));
  if (asked.length === 0) return undefined;
  return asked.some(
    ([, { type, fault }]) => type !== 'error' || fault === 'badQuery' || fault === 'partial',
  );
}

/** @returns undefined when no trigger was evaluated */
function worstState(triggers: readonly SeenTrigger[]): string | undefined {
  return STATES.find((state) => triggers.some(({ status }) => status.state === state));
}
