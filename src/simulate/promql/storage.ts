/** The series of a scenario as Prometheus would have stored them, and how selectors find them. */
import type { Matcher } from '#promql/ast.ts';
import { type Samples, type SampleTiming, sampleKinds } from '#simulate/series-notation.ts';
import { type Column, emptyColumn, type Grid, type Labels, NAME, timeAt } from './columns.ts';

/** Samples in order of time. A stale one ends the series until the next. */
export interface StoredSeries {
  readonly labels: Labels;
  readonly times: Float64Array;
  readonly values: Float64Array;
  /** 1 where the sample only says that the series has ended. */
  readonly stale: Uint8Array;
}

/** Prometheus' default: a sample is good for less than this long. */
const LOOKBACK_MS = 5 * 60_000;

export function storedSeries(labels: Labels, samples: Samples, timing: SampleTiming): StoredSeries {
  const there = [...samples.kinds.keys()].filter(
    (index) => samples.kinds[index] !== sampleKinds.absent,
  );
  return {
    labels,
    times: Float64Array.from(there, (index) => timing.beginMs + index * timing.intervalMs),
    values: Float64Array.from(there, (index) => samples.values[index] ?? Number.NaN),
    stale: Uint8Array.from(there, (index) => (samples.kinds[index] === sampleKinds.stale ? 1 : 0)),
  };
}

export function selects(
  labels: Labels,
  metric: string | undefined,
  matchers: readonly Matcher[],
): boolean {
  if (metric !== undefined && labels.get(NAME) !== metric) return false;
  return matchers.every(({ label, op, value }) => {
    const is = labels.get(label) ?? '';
    if (op === '=') return is === value;
    if (op === '!=') return is !== value;
    // Anchored, and a dot matches a line break too.
    return new RegExp(`^(?:${value})$`, 's').test(is) === (op === '=~');
  });
}

/** The newest sample of the last five minutes at each instant, the left end open, as Prometheus 3 has it. */
export function instantColumn(series: StoredSeries, grid: Grid, offsetMs: number): Column {
  const { times, values, stale, labels } = series;
  const column = emptyColumn(labels, grid.count);
  let next = 0;
  for (let k = 0; k < grid.count; k += 1) {
    const atMs = timeAt(grid, k) - offsetMs;
    while (next < times.length && (times[next] ?? 0) <= atMs) next += 1;
    const newest = next - 1;
    if (newest < 0 || stale[newest] === 1) continue;
    if ((times[newest] ?? 0) <= atMs - LOOKBACK_MS) continue;
    column.present[k] = 1;
    column.values[k] = values[newest] ?? Number.NaN;
  }
  return column;
}

/** The same samples with their own times, in seconds, as values; the name of the metric is lost. */
export function stampsOf(series: StoredSeries): StoredSeries {
  const labels = new Map([...series.labels].filter(([label]) => label !== NAME));
  return { ...series, labels, values: series.times.map((atMs) => atMs / 1000) };
}

/** What range functions look at: no sample of it is stale. */
export interface RangeSeries {
  readonly labels: Labels;
  readonly times: Float64Array;
  readonly values: Float64Array;
}

export function rangeSeries(series: StoredSeries): RangeSeries {
  const { labels, times, values, stale } = series;
  if (!stale.includes(1)) return { labels, times, values };
  const isLive = (_: number, index: number) => stale[index] !== 1;
  return { labels, times: times.filter(isLive), values: values.filter(isLive) };
}
