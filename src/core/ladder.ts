/** Response ladders: which responses of a firing trigger are due. `after` counts from `firingAt`. */
import type { ResponseAction } from './run-spec.ts';
import { fromIso, fromIsoOptional } from './time.ts';
import type { TriggerOutcome } from './trigger.ts';

export function isDue(outcome: TriggerOutcome, action: ResponseAction, now: number): boolean {
  const dueAtMs = responseAtMs(outcome, action);
  if (dueAtMs === undefined) return false;
  // A clock that steps back undoes nothing: what follows at once from a firing has followed.
  const isAtOnce = dueAtMs === fromIsoOptional(outcome.status.firingAt);
  return isAtOnce || now >= dueAtMs;
}

/** When the soonest rung with this action is due; undefined when the trigger does not fire or has none. */
export function responseAtMs(outcome: TriggerOutcome, action: ResponseAction): number | undefined {
  const { status, trigger } = outcome;
  if (status.state !== 'Firing' || status.firingAt === undefined) return undefined;
  const firingAtMs = fromIso(status.firingAt);
  const times = trigger.ladder
    .filter((rung) => rung.action === action)
    .map((rung) => firingAtMs + rung.afterMs);
  return times.length === 0 ? undefined : Math.min(...times);
}
