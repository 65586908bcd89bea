/** One trigger as a run follows it: defaults by severity, durations in ms, the ladder of responses. */
import { parseCondition } from '#api/condition-text.ts';
import { ladderBySeverity, noDataBySeverity, respondWithinBySeverity } from '#api/defaults.ts';
import { parseDuration } from '#api/duration.ts';
import type { Trigger } from '#api/rollout.ts';
import type { Rung as RungInput } from '#api/trigger.ts';
import type { Judge, Measure, Rung, RunTrigger } from './run-spec.ts';

export function resolveTrigger(trigger: Trigger, measure: Measure, judge: Judge): RunTrigger {
  const { responder, runbookUrl } = trigger;
  const ladder: readonly RungInput[] = trigger.onFiring ?? ladderBySeverity[trigger.severity];
  const respondWithin = trigger.respondWithin ?? respondWithinBySeverity[trigger.severity];
  return {
    name: trigger.name,
    severity: trigger.severity,
    measure,
    condition: parseCondition(trigger.condition),
    judge,
    forMs: parseDuration(trigger.for),
    keepFiringForMs: parseDuration(trigger.keepFiringFor),
    noData: trigger.noData ?? noDataBySeverity[trigger.severity],
    noDataForMs: parseDuration(trigger.noDataFor),
    ladder: ladder.map(resolveRung),
    ...(respondWithin === undefined ? {} : { respondWithinMs: parseDuration(respondWithin) }),
    ...(responder === undefined ? {} : { responder }),
    ...(runbookUrl === undefined ? {} : { runbookUrl }),
  };
}

function resolveRung({ action, after, when, suite }: RungInput): Rung {
  return {
    action,
    afterMs: after === undefined ? 0 : parseDuration(after),
    ...(when === undefined ? {} : { when }),
    ...(suite === undefined ? {} : { suite }),
  };
}
