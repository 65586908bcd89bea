/** Sums that lose nothing to rounding, quantiles and lines, as Prometheus computes them (promql/functions.go, quantile.go, 3.5). */

/** Kahan's summation in Neumaier's form. */
export class Sum {
  sum = 0;
  rest = 0;

  add(value: number): void {
    const total = this.sum + value;
    if (!Number.isFinite(total)) this.rest = 0;
    else if (Math.abs(this.sum) >= Math.abs(value)) this.rest += this.sum - total + value;
    else this.rest += value - total + this.sum;
    this.sum = total;
  }

  get total(): number {
    return this.sum + this.rest;
  }
}

export function average(values: Float64Array): number {
  const sum = new Sum();
  for (const [index, value] of values.entries()) {
    const before = { sum: sum.sum, rest: sum.rest };
    sum.add(value);
    if (index > 0 && Math.abs(sum.sum) === Number.POSITIVE_INFINITY) {
      return averageOfLarge(values, index, before);
    }
  }
  return sum.sum / values.length + sum.rest / values.length;
}

/** Where the sum is more than a number can be, the mean itself is carried along. */
function averageOfLarge(
  values: Float64Array,
  from: number,
  before: { readonly sum: number; readonly rest: number },
): number {
  const mean = new Sum();
  mean.sum = before.sum / from;
  mean.rest = before.rest / from;
  for (let index = from; index < values.length; index += 1) {
    const share = index / (index + 1);
    mean.sum *= share;
    mean.rest *= share;
    mean.add((values[index] ?? Number.NaN) / (index + 1));
  }
  return mean.total;
}

/** Of a sorted or unsorted list; NaN is the smallest number here. */
export function quantile(q: number, given: Float64Array): number {
  if (given.length === 0 || Number.isNaN(q)) return Number.NaN;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  const values = [...given].sort(compareNaNFirst);
  const rank = q * (values.length - 1);
  const lower = Math.max(0, Math.floor(rank));
  const upper = Math.min(values.length - 1, lower + 1);
  const weight = rank - Math.floor(rank);
  return (values[lower] ?? 0) * (1 - weight) + (values[upper] ?? 0) * weight;
}

function compareNaNFirst(a: number, b: number): number {
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : -1;
  return Number.isNaN(b) ? 1 : a - b;
}

/** Population variance, by Welford's recurrence. */
export function variance(values: Float64Array): number {
  const mean = new Sum();
  const squares = new Sum();
  for (const [index, value] of values.entries()) {
    const delta = value - mean.total;
    mean.add(delta / (index + 1));
    squares.add(delta * (value - mean.total));
  }
  return squares.total / values.length;
}

/** Least squares over time in seconds. */
export function line(
  times: Float64Array,
  values: Float64Array,
  interceptMs: number,
): { readonly slope: number; readonly intercept: number } {
  const [initial = Number.NaN] = values;
  if (values.every((value) => value === initial)) {
    return Number.isFinite(initial) || Number.isNaN(initial)
      ? { slope: 0, intercept: initial }
      : { slope: Number.NaN, intercept: Number.NaN };
  }
  const [sumX, sumY, sumXY, sumXX] = [new Sum(), new Sum(), new Sum(), new Sum()];
  const n = values.length;
  for (let index = 0; index < n; index += 1) {
    const x = ((times[index] ?? 0) - interceptMs) / 1000;
    const y = values[index] ?? Number.NaN;
    sumX.add(x);
    sumY.add(y);
    sumXY.add(x * y);
    sumXX.add(x * x);
  }
  const covariance = sumXY.total - (sumX.total * sumY.total) / n;
  const spread = sumXX.total - (sumX.total * sumX.total) / n;
  const slope = covariance / spread;
  return { slope, intercept: sumY.total / n - (slope * sumX.total) / n };
}
