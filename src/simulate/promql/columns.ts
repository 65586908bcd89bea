/** Values on a grid of instants, as columns: one number and one flag for each series and instant. */

export interface Grid {
  readonly startMs: number;
  readonly stepMs: number;
  readonly count: number;
}

export type Labels = ReadonlyMap<string, string>;

/** One series on the grid; `values` means something only where `present` is 1. */
export interface Column {
  readonly labels: Labels;
  readonly values: Float64Array;
  readonly present: Uint8Array;
}

export type Vector = readonly Column[];

export const NAME = '__name__';

export function timeAt(grid: Grid, index: number): number {
  return grid.startMs + index * grid.stepMs;
}

export function emptyColumn(labels: Labels, count: number): Column {
  return { labels, values: new Float64Array(count), present: new Uint8Array(count) };
}

/** The same labels in whatever order have the same key. */
export function labelsKey(labels: Labels): string {
  return [...labels]
    .map(([name, value]) => `${name}\u0000${value}`)
    .sort()
    .join('\u0001');
}

export function withoutName(labels: Labels): Labels {
  return labels.has(NAME) ? without(labels, [NAME]) : labels;
}

export function without(labels: Labels, names: readonly string[]): Labels {
  return new Map([...labels].filter(([name]) => !names.includes(name)));
}

export function only(labels: Labels, names: readonly string[]): Labels {
  return new Map([...labels].filter(([name]) => names.includes(name)));
}

/** What Prometheus refuses while it evaluates; the sentence is for a person. */
export class EvaluationFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'EvaluationFault';
  }
}

/** Series that have become equal, as by the loss of their names, are one as long as they never meet. */
export function merged(columns: Vector, count: number): Vector {
  const byKey = new Map<string, Column[]>();
  for (const column of columns) {
    const key = labelsKey(column.labels);
    const known = byKey.get(key);
    if (known === undefined) byKey.set(key, [column]);
    else known.push(column);
  }
  if (byKey.size === columns.length) return columns;
  return [...byKey.values()].map((group) => joined(group, count));
}

function joined(group: readonly Column[], count: number): Column {
  const [first] = group;
  if (first === undefined || group.length === 1) return first ?? emptyColumn(new Map(), count);
  const result = emptyColumn(first.labels, count);
  for (const { values, present } of group) {
    for (let k = 0; k < count; k += 1) {
      if (present[k] !== 1) continue;
      if (result.present[k] === 1) {
        throw new EvaluationFault('vector cannot contain metrics with the same labelset');
      }
      result.present[k] = 1;
      result.values[k] = values[k] ?? Number.NaN;
    }
  }
  return result;
}

/** The same function of every value that is there; names are lost, as a changed value is another metric. */
export function mapped(
  vector: Vector,
  count: number,
  change: (value: number, k: number) => number,
): Vector {
  return merged(
    vector.map(({ labels, values, present }) => {
      const result = new Float64Array(count);
      for (let k = 0; k < count; k += 1) {
        if (present[k] === 1) result[k] = change(values[k] ?? Number.NaN, k);
      }
      return { labels: withoutName(labels), values: result, present };
    }),
    count,
  );
}
