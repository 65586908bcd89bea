/**
 * `compareWithStable`: is it the canary, or the service as a whole? Where stable breaches the same condition too, a
 * rollback would help nobody, so the run is held and a person is paged for `holdFor`; then the ladder begins.
 *
 * - Stable is asked when the trigger fires, and at each evaluation after. What begins at the firing counts from
 *   `firingAt`, so a process that comes back late holds no longer than it would have.
 * - The `after`s of rungs that are still open count from the end of the hold: a person had the service to look at
 *   until then. What has been carried out before is not repeated.
 * - Stable recovers while canary still breaches: the hold ends there and then. Stable without a reading is not
 *   known to breach, which begins no hold, nor to be well, which ends none.
 * - Once per firing: a service that is ill on and off would otherwise hold for ever.
 */
import { compareText, formatValue, holds } from '#api/condition-text.ts';
import type { TriggerStatus } from '#api/status.ts';
import { fillMeasure, readAt } from './reading.ts';
import { clockText, fromIso, fromIsoOptional, toIso } from './time.ts';
import type { TriggerContext, TriggerOutcome } from './trigger.ts';

/**
 * @param previous the entry as it was read
 * @returns the outcome with the hold begun, ended or as it was; undefined while stable's answer is missing
 */
export function compareWithStable(
  outcome: TriggerOutcome,
  previous: TriggerStatus | undefined,
  context: TriggerContext,
): TriggerOutcome | undefined {
  const { trigger, status, readAtMs } = outcome;
  if (trigger.compareWithStable === undefined || status.firingAt === undefined) return outcome;
  if (readAtMs === undefined || context.arms === undefined) return outcome;
  const { sharedSince, sharedUntil } = status;
  const isOver = sharedUntil !== undefined && readAtMs >= fromIso(sharedUntil);
  // A reading older than the hold says nothing of it.
  if (isOver || readAtMs < (fromIsoOptional(sharedSince) ?? fromIso(status.firingAt)))
    return outcome;
  const reading = readAt(
    fillMeasure(trigger.measure, context.arms.fillStable),
    readAtMs,
    context.ask,
  );
  if (reading === undefined) return undefined;
  if (reading.type !== 'value') return outcome;
  const { condition } = trigger;
  if (!holds(condition, reading.value)) {
    if (sharedSince === undefined) return outcome;
    const message = `stable is ${formatValue(reading.value, condition.unit)}`;
    return { ...outcome, status: { ...status, sharedUntil: toIso(readAtMs) }, stable: message };
  }
  const stable = `stable ${compareText(condition, reading.value)}`;
  if (sharedSince !== undefined) return { ...outcome, stable };
  const isFirstLook = previous?.firingAt !== status.firingAt;
  const sinceMs = isFirstLook ? fromIso(status.firingAt) : readAtMs;
  return {
    ...outcome,
    status: {
      ...status,
      sharedSince: toIso(sinceMs),
      sharedUntil: toIso(sinceMs + trigger.compareWithStable.holdForMs),
    },
    stable,
  };
}

/** What a person is told while the hold stands; undefined while it does not. */
export function sharedSentence(
  { status, stable }: TriggerOutcome,
  now: number,
): string | undefined {
  const untilMs = fromIsoOptional(status.sharedUntil);
  if (status.state !== 'Firing' || untilMs === undefined || now >= untilMs) return undefined;
  const too = stable === undefined ? 'stable breaches too' : `${stable} too`;
  return `the service, not the canary: ${status.message ?? status.name}; ${too}; held until ${clockText(untilMs)}, then the ladder begins`;
}
