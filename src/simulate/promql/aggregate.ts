/** Aggregations: many series become one for each group, or the best of each group stay (promql/engine.go, aggregation, 3.5). */
import type { Grouping } from '#promql/ast.ts';
import {
  type Column,
  emptyColumn,
  type Labels,
  labelsKey,
  NAME,
  only,
  type Vector,
  without,
} from './columns.ts';
import { average, quantile, Sum, variance } from './statistics.ts';

type Reduce = (values: Float64Array, parameter: number) => number;

const reductions: Readonly<Record<string, Reduce>> = {
  sum: (values) => {
    const sum = new Sum();
    for (const value of values) sum.add(value);
    return Number.isFinite(sum.sum) ? sum.total : sum.sum;
  },
  avg: (values) => average(values),
  min: (values) => best(values, (a, b) => a < b),
  max: (values) => best(values, (a, b) => a > b),
  count: (values) => values.length,
  group: () => 1,
  stddev: (values) => Math.sqrt(variance(values)),
  stdvar: (values) => variance(values),
  quantile: (values, q) => quantile(q, values),
};

const selections: readonly string[] = ['topk', 'bottomk'];

export const aggregations: readonly string[] = [...Object.keys(reductions), ...selections];

export interface Aggregation {
  readonly op: string;
  readonly grouping: Grouping;
  readonly count: number;
  /** The scalar argument at an instant, where there is one. */
  readonly parameterAt: (k: number) => number;
}

export function aggregate(vector: Vector, aggregation: Aggregation): Vector {
  const groups = new Map<string, { readonly labels: Labels; readonly columns: Column[] }>();
  for (const column of vector) {
    const labels = groupLabels(column.labels, aggregation.grouping);
    const key = labelsKey(labels);
    const group = groups.get(key) ?? { labels, columns: [] };
    group.columns.push(column);
    groups.set(key, group);
  }
  return [...groups.values()].flatMap(({ labels, columns }) =>
    selections.includes(aggregation.op)
      ? selected(columns, aggregation)
      : [reduced(labels, columns, aggregation)],
  );
}

function groupLabels(labels: Labels, { without: isWithout, labels: names }: Grouping): Labels {
  return isWithout ? without(labels, [...names, NAME]) : only(labels, names);
}

function reduced(
  labels: Labels,
  columns: readonly Column[],
  { op, count, parameterAt }: Aggregation,
): Column {
  const result = emptyColumn(labels, count);
  const reduce = reductions[op];
  const values = new Float64Array(columns.length);
  for (let k = 0; k < count; k += 1) {
    let there = 0;
    for (const column of columns) {
      if (column.present[k] !== 1) continue;
      values[there] = column.values[k] ?? Number.NaN;
      there += 1;
    }
    if (there === 0 || reduce === undefined) continue;
    result.present[k] = 1;
    result.values[k] = reduce(values.subarray(0, there), parameterAt(k));
  }
  return result;
}

function selected(columns: readonly Column[], { op, count, parameterAt }: Aggregation): Column[] {
  const results = columns.map(({ labels, values }) => ({
    labels,
    values,
    present: new Uint8Array(count),
  }));
  const sign = op === 'topk' ? -1 : 1;
  for (let k = 0; k < count; k += 1) {
    const size = Math.trunc(parameterAt(k));
    const there = [...columns.keys()].filter((index) => columns[index]?.present[k] === 1);
    const valueOf = (index: number) => columns[index]?.values[k] ?? Number.NaN;
    // NaN is the worst of all, whichever end is asked for.
    there.sort((a, b) => {
      const [x, y] = [valueOf(a), valueOf(b)];
      if (Number.isNaN(x) || Number.isNaN(y))
        return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
      return sign * (x - y);
    });
    for (const index of there.slice(0, Math.max(0, size))) {
      const result = results[index];
      if (result !== undefined) result.present[k] = 1;
    }
  }
  return results;
}

function best(values: Float64Array, isBetter: (a: number, b: number) => boolean): number {
  let found = values[0] ?? Number.NaN;
  for (const value of values) if (isBetter(value, found) || Number.isNaN(found)) found = value;
  return found;
}
