/**
 * Backtest: a trigger's threshold replayed over readings of the past. When would it have been active, when would it have fired,
 * until when, and how near did it come where it did not?
 */
import { holds } from '#api/condition-text.ts';
import { gapLimitMs } from '#core/hold-proof.ts';
import type { ReadingAt } from '#core/reading.ts';
import type { RunTrigger } from '#core/run-spec.ts';

/** A stretch of time in which the condition was true; gaps in it were not held. */
export interface Stretch {
  readonly activeAtMs: number;
  /** Undefined where it did not hold for its time. */
  readonly firingAtMs: number | undefined;
  /** The first reading that ended it; undefined where it still stands at the end. */
  readonly untilMs: number | undefined;
  readonly heldMs: number;
  /** The value furthest beyond the threshold. */
  readonly worst: number;
}

export interface Replay {
  readonly firings: readonly Stretch[];
  /** The longest stretch that did not fire. */
  readonly nearestMiss: Stretch | undefined;
  readonly readings: number;
  readonly missing: number;
}

/** @param readings ascending, one for each point of the grid */
export function replayTrigger(
  trigger: RunTrigger,
  readings: readonly ReadingAt[],
  intervalMs: number,
): Replay {
  const stretches: Stretch[] = [];
  let open: Open | undefined;
  let missing = 0;
  for (const { atMs, reading } of readings) {
    if (reading.type !== 'value') {
      missing += 1;
      continue;
    }
    const isTrue = holds(trigger.condition, reading.value);
    const gapMs = open === undefined ? 0 : Math.max(0, atMs - open.coveredToMs);
    if (open !== undefined && (!isTrue || gapMs > gapLimitMs(trigger.forMs))) {
      stretches.push(closed(open, trigger, isTrue ? open.coveredToMs : atMs));
      open = undefined;
    }
    if (!isTrue) continue;
    const worst = open === undefined ? reading.value : worse(trigger, open.worst, reading.value);
    open = {
      activeAtMs: open?.activeAtMs ?? atMs,
      gapMs: (open?.gapMs ?? 0) + (open === undefined ? 0 : gapMs),
      lastMs: atMs,
      coveredToMs: atMs + intervalMs,
      worst,
    };
  }
  if (open !== undefined) stretches.push(closed(open, trigger, undefined));
  const misses = stretches.filter(({ firingAtMs }) => firingAtMs === undefined);
  return {
    firings: stretches.filter(({ firingAtMs }) => firingAtMs !== undefined),
    nearestMiss: misses.toSorted((a, b) => b.heldMs - a.heldMs)[0],
    readings: readings.length,
    missing,
  };
}

interface Open {
  readonly activeAtMs: number;
  readonly gapMs: number;
  readonly lastMs: number;
  readonly coveredToMs: number;
  readonly worst: number;
}

function closed(open: Open, { forMs }: RunTrigger, untilMs: number | undefined): Stretch {
  const heldMs = open.lastMs - open.activeAtMs - open.gapMs;
  const firingAtMs = heldMs >= forMs ? open.activeAtMs + open.gapMs + forMs : undefined;
  return { activeAtMs: open.activeAtMs, firingAtMs, untilMs, heldMs, worst: open.worst };
}

function worse({ condition }: RunTrigger, a: number, b: number): number {
  return condition.operator.startsWith('<') ? Math.min(a, b) : Math.max(a, b);
}
