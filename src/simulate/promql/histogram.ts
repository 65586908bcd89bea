/** histogram_quantile over classic buckets (promql/quantile.go, BucketQuantile, 3.5). */
import {
  type Column,
  emptyColumn,
  type Labels,
  labelsKey,
  NAME,
  type Vector,
  without,
} from './columns.ts';

interface Bucket {
  readonly upper: number;
  count: number;
}

/** Counts that differ by less are the same but for rounding. */
const SMALL_DELTA = 1e-12;
const NORMAL_MIN = 2.2250738585072014e-308;

export function histogramQuantile(vector: Vector, q: Float64Array, count: number): Vector {
  const groups = new Map<
    string,
    { readonly labels: Labels; readonly buckets: [number, Column][] }
  >();
  for (const column of vector) {
    const upper = upperBound(column.labels.get('le'));
    if (upper === undefined) continue;
    const labels = without(column.labels, ['le', NAME]);
    const key = labelsKey(labels);
    const group = groups.get(key) ?? { labels, buckets: [] };
    group.buckets.push([upper, column]);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ labels, buckets }) => {
    buckets.sort(([a], [b]) => a - b);
    const result = emptyColumn(labels, count);
    for (let k = 0; k < count; k += 1) {
      const there = buckets.flatMap(([upper, column]) =>
        column.present[k] === 1 ? [{ upper, count: column.values[k] ?? Number.NaN }] : [],
      );
      if (there.length === 0) continue;
      result.present[k] = 1;
      result.values[k] = bucketQuantile(q[k] ?? Number.NaN, there);
    }
    return result;
  });
}

function upperBound(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[+]?inf$/i.test(text)) return Number.POSITIVE_INFINITY;
  const value = Number(text);
  return text.trim() === '' || Number.isNaN(value) ? undefined : value;
}

/** @param sorted ascending by upper bound */
function bucketQuantile(q: number, sorted: readonly Bucket[]): number {
  if (Number.isNaN(q)) return Number.NaN;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  const buckets = coalesced(sorted);
  const last = buckets.at(-1);
  if (last?.upper !== Number.POSITIVE_INFINITY) return Number.NaN;
  makeMonotonic(buckets);
  const observations = last.count;
  if (buckets.length < 2 || observations === 0 || Number.isNaN(observations)) return Number.NaN;
  let rank = q * observations;
  const found = buckets.slice(0, -1).findIndex((bucket) => bucket.count >= rank);
  if (found === -1) return buckets.at(-2)?.upper ?? Number.NaN;
  const bucket = buckets[found];
  if (bucket === undefined) return Number.NaN;
  if (found === 0 && bucket.upper <= 0) return bucket.upper;
  const before = found === 0 ? undefined : buckets[found - 1];
  const start = before?.upper ?? 0;
  rank -= before?.count ?? 0;
  return start + (bucket.upper - start) * (rank / (bucket.count - (before?.count ?? 0)));
}

/** `le="1"` and `le="1.0"` are one bucket. */
function coalesced(sorted: readonly Bucket[]): Bucket[] {
  const result: Bucket[] = [];
  for (const bucket of sorted) {
    const last = result.at(-1);
    if (last?.upper === bucket.upper) last.count += bucket.count;
    else result.push({ ...bucket });
  }
  return result;
}

/** Scrapes are not atomic: a bucket may seem to hold less than the one below it. */
function makeMonotonic(buckets: Bucket[]): void {
  let before = buckets[0]?.count ?? 0;
  for (const bucket of buckets.slice(1)) {
    if (bucket.count < before || isAlmost(before, bucket.count)) bucket.count = before;
    else before = bucket.count;
  }
}

function isAlmost(a: number, b: number): boolean {
  if (a === b) return true;
  const sum = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || sum < NORMAL_MIN) return difference < SMALL_DELTA * NORMAL_MIN;
  return difference / Math.min(sum, Number.MAX_VALUE) < SMALL_DELTA;
}
