/**
 * Functions of a range vector. Windows are open on the left, as in Prometheus 3; rate and its kind extrapolate to the ends of the
 * window (promql/functions.go, extrapolatedRate, 3.5).
 */
import {
  type Column,
  emptyColumn,
  type Grid,
  type Labels,
  timeAt,
  withoutName,
} from './columns.ts';
import { average, line, quantile, Sum, variance } from './statistics.ts';
import type { RangeSeries } from './storage.ts';

/** The samples of one series from `from` up to, not with, `to`; the window they lie in. */
interface Window {
  readonly series: RangeSeries;
  readonly from: number;
  readonly to: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly atMs: number;
}

/** Undefined: no value at this instant. A window is never empty. */
type RangeFunction = (window: Window, scalars: readonly number[]) => number | undefined;

export const rangeFunctions: Readonly<Record<string, RangeFunction>> = {
  rate: (window) => extrapolated(window, { isCounter: true, isRate: true }),
  increase: (window) => extrapolated(window, { isCounter: true, isRate: false }),
  delta: (window) => extrapolated(window, { isCounter: false, isRate: false }),
  irate: (window) => lastTwo(window, true),
  idelta: (window) => lastTwo(window, false),
  deriv: (window) => {
    if (window.to - window.from < 2) return undefined;
    const times = timesOf(window);
    return line(times, valuesOf(window), times[0] ?? 0).slope;
  },
  predict_linear: (window, [seconds = 0]) => {
    if (window.to - window.from < 2) return undefined;
    const { slope, intercept } = line(timesOf(window), valuesOf(window), window.atMs);
    return slope * seconds + intercept;
  },
  avg_over_time: (window) => average(valuesOf(window)),
  sum_over_time: (window) => {
    const sum = new Sum();
    for (const value of valuesOf(window)) sum.add(value);
    return Number.isFinite(sum.sum) ? sum.total : sum.sum;
  },
  count_over_time: ({ from, to }) => to - from,
  present_over_time: () => 1,
  last_over_time: ({ series, to }) => series.values[to - 1],
  first_over_time: ({ series, from }) => series.values[from],
  min_over_time: (window) => extreme(valuesOf(window), (a, b) => a < b),
  max_over_time: (window) => extreme(valuesOf(window), (a, b) => a > b),
  stddev_over_time: (window) => Math.sqrt(variance(valuesOf(window))),
  stdvar_over_time: (window) => variance(valuesOf(window)),
  quantile_over_time: (window, [q = Number.NaN]) => quantile(q, valuesOf(window)),
  changes: (window) =>
    count(
      window,
      (before, after) => before !== after && !(Number.isNaN(before) && Number.isNaN(after)),
    ),
  resets: (window) => count(window, (before, after) => after < before),
};

/** These give a value as it was, so it is still of the same metric. */
const keepsName: readonly string[] = ['last_over_time', 'first_over_time'];

export interface RangeCall {
  readonly name: string;
  readonly rangeMs: number;
  readonly offsetMs: number;
  /** Scalar arguments at an instant. */
  readonly scalarsAt: (k: number) => readonly number[];
}

export function applyRangeFunction(
  series: RangeSeries,
  grid: Grid,
  { name, rangeMs, offsetMs, scalarsAt }: RangeCall,
): Column {
  const labels: Labels = keepsName.includes(name) ? series.labels : withoutName(series.labels);
  const column = emptyColumn(labels, grid.count);
  const compute = rangeFunctions[name];
  if (compute === undefined) return column;
  const { times } = series;
  let from = 0;
  let to = 0;
  for (let k = 0; k < grid.count; k += 1) {
    const atMs = timeAt(grid, k);
    const endMs = atMs - offsetMs;
    const startMs = endMs - rangeMs;
    while (to < times.length && (times[to] ?? 0) <= endMs) to += 1;
    while (from < to && (times[from] ?? 0) <= startMs) from += 1;
    if (from === to) continue;
    const value = compute({ series, from, to, startMs, endMs, atMs }, scalarsAt(k));
    if (value === undefined) continue;
    column.present[k] = 1;
    column.values[k] = value;
  }
  return column;
}

function valuesOf({ series, from, to }: Window): Float64Array {
  return series.values.subarray(from, to);
}

function timesOf({ series, from, to }: Window): Float64Array {
  return series.times.subarray(from, to);
}

function extreme(values: Float64Array, isBetter: (a: number, b: number) => boolean): number {
  let best = values[0] ?? Number.NaN;
  for (const value of values) if (isBetter(value, best) || Number.isNaN(best)) best = value;
  return best;
}

function count(window: Window, isOne: (before: number, after: number) => boolean): number {
  const { series, from, to } = window;
  let found = 0;
  for (let index = from + 1; index < to; index += 1) {
    if (isOne(series.values[index - 1] ?? Number.NaN, series.values[index] ?? Number.NaN))
      found += 1;
  }
  return found;
}

function lastTwo({ series, from, to }: Window, isRate: boolean): number | undefined {
  if (to - from < 2) return undefined;
  const before = series.values[to - 2] ?? Number.NaN;
  const last = series.values[to - 1] ?? Number.NaN;
  const distanceMs = (series.times[to - 1] ?? 0) - (series.times[to - 2] ?? 0);
  if (distanceMs === 0) return undefined;
  // A counter that has begun anew has risen from 0.
  const rise = isRate && last < before ? last : last - before;
  return isRate ? rise / (distanceMs / 1000) : rise;
}

/** What a counter had reached each time it began anew, added up: of any window it is a difference of two entries. */
const lostByReset = new WeakMap<Float64Array, Float64Array>();

function lost(values: Float64Array): Float64Array {
  const known = lostByReset.get(values);
  if (known !== undefined) return known;
  const sums = new Float64Array(values.length);
  for (let index = 1; index < values.length; index += 1) {
    const before = values[index - 1] ?? 0;
    const isReset = (values[index] ?? 0) < before;
    sums[index] = (sums[index - 1] ?? 0) + (isReset ? before : 0);
  }
  lostByReset.set(values, sums);
  return sums;
}

function lostBetween(values: Float64Array, from: number, last: number): number {
  const sums = lost(values);
  const difference = (sums[last] ?? 0) - (sums[from] ?? 0);
  if (Number.isFinite(difference)) return difference;
  // Of infinite sums there is no difference.
  let sum = 0;
  for (let index = from + 1; index <= last; index += 1) {
    const before = values[index - 1] ?? 0;
    if ((values[index] ?? 0) < before) sum += before;
  }
  return sum;
}

function extrapolated(
  { series, from, to, startMs, endMs }: Window,
  { isCounter, isRate }: { readonly isCounter: boolean; readonly isRate: boolean },
): number | undefined {
  if (to - from < 2) return undefined;
  const { times, values } = series;
  const [firstMs = 0, lastMs = 0] = [times[from], times[to - 1]];
  const first = values[from] ?? Number.NaN;
  let result = (values[to - 1] ?? Number.NaN) - first;
  if (isCounter) result += lostBetween(values, from, to - 1);
  const sampledS = (lastMs - firstMs) / 1000;
  const averageS = sampledS / (to - from - 1);
  let toStartS = (firstMs - startMs) / 1000;
  let toEndS = (endMs - lastMs) / 1000;
  const thresholdS = averageS * 1.1;
  if (toStartS >= thresholdS) toStartS = averageS / 2;
  // A counter cannot have been below 0.
  if (isCounter && result > 0 && first >= 0) {
    toStartS = Math.min(toStartS, sampledS * (first / result));
  }
  if (toEndS >= thresholdS) toEndS = averageS / 2;
  let factor = (sampledS + toStartS + toEndS) / sampledS;
  if (isRate) factor /= (endMs - startMs) / 1000;
  return result * factor;
}
