/** Response ladders: which responses of a firing trigger are due. `after` counts from `firingAt`. */
import type { ResponseAction } from './run-spec.ts';
import { fromIso } from './time.ts';
import type { TriggerOutcome } from './trigger.ts';

export function isDue(outcome: TriggerOutcome, action: ResponseAction, now: number): boolean {
  const dueAtMs = responseAtMs(outcome, action);
  return dueAtMs !== undefined && now >= dueAtMs;
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
