/**
 * The smallest regression that the sequential judge finds at a given traffic: what a preflight can promise. Below a
 * few requests a second that is a gross one, and people should know before they rely on it.
 */
import type { ArmCounts } from './e-value.ts';
import { type Bar, weigh } from './evidence.ts';

export interface Traffic {
  /** Requests a second of canary, as they will be at the step in question. */
  readonly canaryPerSecond: number;
  /** Requests a second of stable; 0 where there is no control, as at weight 100. */
  readonly stablePerSecond: number;
  /** Share of bad requests of a healthy arm. */
  readonly baseline: number;
}

/** Of normally distributed values nine in ten lie above their mean less so many standard deviations. */
const NINE_IN_TEN = 1.2816;

/** A share is told to this part of itself. */
const PRECISION = 1e-3;

/**
 * The share of bad requests which is found in nine cases of ten, within a time that begins with a block: where ln e at
 * the expected counts, less 1.28 of its standard deviations, reaches the bar.
 *
 * @param withinMs at most the length of a block
 * @returns undefined when not even a canary whose every request is bad is found
 */
export function smallestDetectable(
  traffic: Traffic,
  withinMs: number,
  bar: Bar,
): number | undefined {
  const isFound = (share: number) => isFoundAt(traffic, share, withinMs, bar);
  if (!isFound(1)) return undefined;
  let missed = traffic.baseline;
  let found = 1;
  while (found - missed > found * PRECISION) {
    const between = Math.sqrt(Math.max(missed, Number.MIN_VALUE) * found);
    // The geometric mean gets nowhere from 0; half does.
    const share = missed > 0 ? between : found / 2;
    if (isFound(share)) found = share;
    else missed = share;
  }
  return found;
}

/** Whether ln e, less what chance takes away in nine cases of ten, reaches the bar. */
function isFoundAt(traffic: Traffic, share: number, withinMs: number, bar: Bar): boolean {
  const canary = expected(traffic.canaryPerSecond, share, withinMs);
  const control = expected(traffic.stablePerSecond, traffic.baseline, withinMs);
  const logE = (mine: number, other: number) =>
    weigh(
      { ...canary, bad: canary.bad + mine },
      control.total > 0
        ? { ...control, bad: control.bad + other, beside: control.total }
        : undefined,
      bar,
    ).logE;
  const mean = logE(0, 0);
  // What one bad request more or less of an arm changes, times how many of them chance adds or takes.
  const mine = (logE(1, 0) - mean) * Math.sqrt(canary.bad * (1 - share));
  const other = (logE(0, 1) - mean) * Math.sqrt(control.bad);
  return mean - NINE_IN_TEN * Math.hypot(mine, other) >= bar.logBar;
}

function expected(perSecond: number, share: number, withinMs: number): ArmCounts {
  const total = (perSecond * withinMs) / 1000;
  return { bad: total * share, total };
}
