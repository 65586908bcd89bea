/** The range query that proves a hold: what Prometheus has stored, as truths on the evaluation grid. */
import type { Ask, FailedAnswer } from './answer.ts';
import { type HoldProof, proveHold, type Truth } from './hold-proof.ts';
import { type FilledMeasure, type ReadingAt, readWindow } from './reading.ts';
import type { RunTrigger } from './run-spec.ts';
import { tickAt } from './time.ts';
import type { Verdict } from './verdict.ts';

/** A hold that is true at `atMs`, and has to be proved from `fromMs` on. */
export interface HoldWindow {
  readonly trigger: RunTrigger;
  readonly measure: FilledMeasure;
  readonly fromMs: number;
  readonly atMs: number;
  /** Nothing before this instant counts. */
  readonly boundMs: number;
  readonly intervalMs: number;
  readonly judgeAt: (value: number, atMs: number) => Verdict | undefined;
}

/** A sequential judge counts anew for every point, so that a long hold is proved at so many points only. */
const COUNTED_POINTS_MAX = 20;

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
  const endMs = tickAt(atMs, intervalMs);
  const stepMs = intervalMs * everyNth(trigger, (endMs - startMs) / intervalMs);
  const grid = { startMs: endMs - tickAt(endMs - startMs, stepMs), endMs, stepMs };
  const readings = readWindow(measure, grid, ask);
  if (readings === undefined || 'type' in readings) return readings;
  const known = truths(
    readings.filter((point) => point.atMs < atMs),
    window,
  );
  if (known === undefined) return undefined;
  const closing: Truth = { atMs, truth: 'true' };
  return proveHold([...known, closing], { boundMs, forMs: trigger.forMs, intervalMs: stepMs });
}

function everyNth({ judge }: RunTrigger, points: number): number {
  return judge.type === 'Threshold' ? 1 : Math.max(1, Math.ceil(points / COUNTED_POINTS_MAX));
}

/**
 * With `noData: Breach`, what has been unknown for longer than `noDataFor` counts as true from then on.
 *
 * @returns undefined while an answer is missing
 */
function truths(
  readings: readonly ReadingAt[],
  { trigger, judgeAt }: HoldWindow,
): Truth[] | undefined {
  let unknownSinceMs: number | undefined;
  const all = readings.map(({ atMs, reading }): Truth | undefined => {
    const verdict = reading.type === 'value' ? judgeAt(reading.value, atMs) : 'unknown';
    if (verdict === undefined) return undefined;
    if (verdict !== 'unknown' && verdict.type === 'judged') {
      unknownSinceMs = undefined;
      return { atMs, truth: verdict.isTrue ? 'true' : 'false' };
    }
    unknownSinceMs ??= atMs;
    const isBreach = trigger.noData === 'Breach' && atMs >= unknownSinceMs + trigger.noDataForMs;
    return { atMs, truth: isBreach ? 'true' : 'unknown' };
  });
  const known = all.filter((point) => point !== undefined);
  return known.length === all.length ? known : undefined;
}
