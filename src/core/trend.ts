/**
 * The trend of a trigger's measure: does it go towards the breach, away from it, or neither? It is what the
 * rungs `when: Worsening`, `Improving` and `Steady` wait for.
 *
 * Formula (engine.md, "Ladders"): the least-squares slope `b = Σ(t−t̄)(y−ȳ) / Σ(t−t̄)²` (ordinary least squares
 * on one regressor; NIST/SEMATECH e-Handbook of Statistical Methods, 4.1.4.1) over the last `max(for, 10m)`,
 * times `for`, towards the breach, as a share of the threshold: ≥ 10 % is Worsening, ≤ −10 % Improving, else
 * Steady. What the formula leaves open is settled so:
 *
 * - `>` and `>=` breach upwards, `<` and `<=` downwards. For `==` worse is nearer to the threshold, for `!=`
 *   farther from it, so there the distance is what is regressed on time.
 * - A threshold of 0 has no tenth. The yardstick is then the mean of the absolute values in the window, so that
 *   noise stays Steady and a count that goes from 1 to 2 does not.
 * - `for: 0s` would make every slope nothing: the change over the window itself is taken.
 * - Fewer than 3 readings, or readings that span less than half the window, are no trend: the rung waits. What
 *   lies before the run does not count, and what is not finite is no reading.
 */
import { type Condition, formatValue } from '#api/condition-text.ts';
import { fillMeasure, readWindow } from './reading.ts';
import type { RunTrigger } from './run-spec.ts';
import { spanText, tickAt } from './time.ts';
import type { TriggerContext } from './trigger.ts';

export type Direction = 'Worsening' | 'Improving' | 'Steady';

export type Trend =
  | { readonly type: 'known'; readonly direction: Direction; readonly message: string }
  | { readonly type: 'unknown' };

export interface TrendPoint {
  readonly atMs: number;
  readonly value: number;
}

const WINDOW_MIN_MS = 10 * 60_000;
const POINTS_MIN = 3;
const SHARE_MIN = 0.1;
/** So that exactly a tenth is a tenth, whatever the binary fractions make of it. */
const ROUNDING = 1e-9;

/** @returns undefined while the answer of the range query is missing */
export function trendOf(trigger: RunTrigger, context: TriggerContext): Trend | undefined {
  const { horizonMs, intervalMs, startedAtMs, fill, ask } = context;
  const endMs = tickAt(horizonMs, intervalMs);
  const windowMs = trendWindowMs(trigger.forMs, intervalMs);
  const boundMs = startedAtMs + trigger.measure.rangeMs;
  const startMs = Math.ceil(Math.max(endMs - windowMs, boundMs) / intervalMs) * intervalMs;
  if (endMs - startMs < windowMs / 2) return { type: 'unknown' };
  const grid = { startMs, endMs, stepMs: intervalMs };
  const readings = readWindow(fillMeasure(trigger.measure, fill), grid, ask);
  if (readings === undefined) return undefined;
  if ('type' in readings) return { type: 'unknown' };
  const points = readings.flatMap(({ atMs, reading }) =>
    reading.type === 'value' ? [{ atMs, value: reading.value }] : [],
  );
  return judgeTrend(points, { condition: trigger.condition, forMs: trigger.forMs, windowMs });
}

/** An evaluation so rare that three do not fit into the window makes the window longer. */
export function trendWindowMs(forMs: number, intervalMs: number): number {
  return Math.max(forMs, WINDOW_MIN_MS, (POINTS_MIN - 1) * intervalMs);
}

/** @param points in order of time, all from within the window */
export function judgeTrend(
  points: readonly TrendPoint[],
  of: { readonly condition: Condition; readonly forMs: number; readonly windowMs: number },
): Trend {
  const { condition, forMs, windowMs } = of;
  const known = points.filter(({ value }) => Number.isFinite(value));
  const spanMs = (known.at(-1)?.atMs ?? 0) - (known[0]?.atMs ?? 0);
  if (known.length < POINTS_MIN || spanMs < windowMs / 2) return { type: 'unknown' };
  const badness = known.map(({ atMs, value }) => ({ atMs, value: badnessOf(condition, value) }));
  const overMs = forMs > 0 ? forMs : windowMs;
  const change = slopePerMs(badness) * overMs;
  const yardstick = Math.abs(condition.threshold) || mean(known.map((one) => Math.abs(one.value)));
  const share = yardstick === 0 ? 0 : change / yardstick;
  const direction = directionOf(share);
  const figure = formatValue(Math.abs(change), condition.unit);
  const way = change < 0 ? 'away from' : 'towards';
  const message = `${direction}: ${figure} ${way} the breach in ${spanText(overMs)}`;
  return { type: 'known', direction, message };
}

function directionOf(share: number): Direction {
  if (share >= SHARE_MIN - ROUNDING) return 'Worsening';
  return share <= -SHARE_MIN + ROUNDING ? 'Improving' : 'Steady';
}

/** The same value so that more of it is always worse. */
function badnessOf({ operator, threshold }: Condition, value: number): number {
  switch (operator) {
    case '>':
    case '>=':
      return value;
    case '<':
    case '<=':
      return -value;
    default: {
      const distance = Math.abs(value - threshold);
      return operator === '!=' ? distance : -distance;
    }
  }
}

/** Change of the value per ms. Times are taken from their mean, so that no digits are lost to the epoch. */
function slopePerMs(points: readonly TrendPoint[]): number {
  const meanMs = mean(points.map((one) => one.atMs));
  const meanValue = mean(points.map((one) => one.value));
  let products = 0;
  let squares = 0;
  for (const { atMs, value } of points) {
    products += (atMs - meanMs) * (value - meanValue);
    squares += (atMs - meanMs) ** 2;
  }
  return squares === 0 ? 0 : products / squares;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
