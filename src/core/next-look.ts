/** When a run is looked at next at the latest, and how much later will do. */
import type { Decision } from './decision.ts';
import type { RunSpec } from './run-spec.ts';
import { tickAt } from './time.ts';

/** A second of delay is nothing to a reading that is good for an interval. */
const SLACK_MAX_MS = 1_000;

export interface Ahead {
  readonly now: number;
  /** The soonest moment, apart from the next evaluation, at which a look can make a difference; infinity for none. */
  readonly soonestMs: number;
  /** Every trigger is Inactive. */
  readonly isCalm: boolean;
}

/** At the next point of the evaluation grid, in our time, or sooner where a moment comes before it. */
export function routineLook(
  { intervalMs, offsetMs }: RunSpec,
  { now, soonestMs, isCalm }: Ahead,
): Pick<Decision, 'slackMs'> & { readonly wakeAtMs: number } {
  const tickMs = tickAt(now - offsetMs, intervalMs) + intervalMs + offsetMs;
  const slackMs = Math.min(SLACK_MAX_MS, intervalMs / 10);
  const isRoutine = isCalm && soonestMs > tickMs + slackMs;
  return { wakeAtMs: Math.min(tickMs, soonestMs), slackMs: isRoutine ? slackMs : 0 };
}

/** The first of several moments that comes after another one, ms; undefined when none does. */
export function soonest(
  times: readonly (number | undefined)[],
  after = Number.NEGATIVE_INFINITY,
): number | undefined {
  let least: number | undefined;
  for (const time of times) {
    if (time !== undefined && time > after && time < (least ?? Infinity)) least = time;
  }
  return least;
}
