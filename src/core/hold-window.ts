/** The range query that proves a hold: what Prometheus has stored, as truths on the evaluation grid. */
import { holds } from '#api/condition-text.ts';
import type { Ask, FailedAnswer } from './answer.ts';
import { type HoldProof, proveHold, type Truth } from './hold-proof.ts';
import { type FilledMeasure, type ReadingAt, readWindow } from './reading.ts';
import type { RunTrigger } from './run-spec.ts';
import { tickAt } from './time.ts';

/** A hold that is true at `atMs`, and has to be proved from `fromMs` on. */
export interface HoldWindow {
  readonly trigger: RunTrigger;
  readonly measure: FilledMeasure;
  readonly fromMs: number;
  readonly atMs: number;
  /** Nothing before this instant counts. */
  readonly boundMs: number;
  readonly intervalMs: number;
}

/**
 * The newest reading, already known to be true, closes the hold.
 *
 * @returns undefined while the answer is missing; the failure when nothing was answered
 */
export function proveFrom(window: HoldWindow, ask: Ask): HoldProof | FailedAnswer | undefined {
  const { trigger, measure, atMs, boundMs, intervalMs } = window;
  // What counts as a breach for want of data is only told from where the data ends.
  const contextMs = trigger.noData === 'Breach' ? trigger.noDataForMs : 0;
  const startMs = tickAt(Math.max(boundMs, window.fromMs - contextMs), intervalMs);
  const grid = { startMs, endMs: tickAt(atMs, intervalMs), stepMs: intervalMs };
  const readings = readWindow(measure, grid, ask);
  if (readings === undefined || 'type' in readings) return readings;
  const known = truths(readings, trigger).filter((point) => point.atMs < atMs);
  const closing: Truth = { atMs, truth: 'true' };
  return proveHold([...known, closing], { boundMs, forMs: trigger.forMs, intervalMs });
}

/** With `noData: Breach`, what has been unknown for longer than `noDataFor` counts as true from then on. */
function truths(readings: readonly ReadingAt[], trigger: RunTrigger): Truth[] {
  let unknownSinceMs: number | undefined;
  return readings.map(({ atMs, reading }) => {
    if (reading.type === 'value') {
      unknownSinceMs = undefined;
      return { atMs, truth: holds(trigger.condition, reading.value) ? 'true' : 'false' };
    }
    unknownSinceMs ??= atMs;
    const isBreach = trigger.noData === 'Breach' && atMs >= unknownSinceMs + trigger.noDataForMs;
    return { atMs, truth: isBreach ? 'true' : 'unknown' };
  });
}
