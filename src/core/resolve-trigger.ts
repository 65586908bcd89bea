/** One trigger as a run follows it: defaults by severity, durations in ms, the ladder of responses. */
import { parseCondition } from '#api/condition-text.ts';
import { ladderBySeverity, noDataBySeverity, respondWithinBySeverity } from '#api/defaults.ts';
import { parseDuration } from '#api/duration.ts';
import { usedPlaceholders } from '#api/placeholders.ts';
import type { Trigger } from '#api/rollout.ts';
import type { Rung as RungInput } from '#api/trigger.ts';
import { rungText } from './ladder.ts';
import type { Judge, Measure, Rung, RunTrigger } from './run-spec.ts';

export function resolveTrigger(trigger: Trigger, measure: Measure, judge: Judge): RunTrigger {
  const { responder, runbookUrl, compareWithStable } = trigger;
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
    ladder: withoutTwins(ladder.map(resolveRung)),
    ...(compareWithStable === undefined
      ? {}
      : { compareWithStable: { holdForMs: parseDuration(compareWithStable.holdFor) } }),
    ...(respondWithin === undefined ? {} : { respondWithinMs: parseDuration(respondWithin) }),
    ...(responder === undefined ? {} : { responder }),
    ...(runbookUrl === undefined ? {} : { runbookUrl }),
  };
}

/** A rung that is written twice is one rung. */
function withoutTwins(ladder: readonly Rung[]): readonly Rung[] {
  const texts = ladder.map(rungText);
  return ladder.filter((_, index) => texts.indexOf(texts[index] ?? '') === index);
}

function resolveRung({ action, after, when, suite }: RungInput): Rung {
  return {
    action,
    afterMs: after === undefined ? 0 : parseDuration(after),
    ...(when === undefined ? {} : { when }),
    ...(suite === undefined ? {} : { suite }),
  };
}

/** Both arms must be asked for a comparison to say anything: a query that is the same for both always agrees with itself. */
export function comparisonProblem(
  trigger: Trigger,
  measure: Measure,
  where: string,
): string | undefined {
  if (trigger.compareWithStable === undefined) return undefined;
  const texts = textsOf(measure);
  if (texts.some((text) => usedPlaceholders(text).includes('arm.service'))) return undefined;
  return `${where}: compareWithStable needs a query with $(arm.service), so that stable can be asked the same; ${texts.join(' and ')} has none`;
}

function textsOf(measure: Measure): readonly string[] {
  switch (measure.type) {
    case 'query':
      return [measure.query, ...Object.values(measure.series ?? {})];
    case 'ratio':
      return [measure.bad, measure.total, ...Object.values(measure.series ?? {})];
    default:
      return [];
  }
}
