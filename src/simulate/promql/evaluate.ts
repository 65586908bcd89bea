/**
 * PromQL over the series of a scenario, for a whole grid of instants at once, with the semantics of Prometheus 3.5. What is
 * not carried out is refused with a sentence that names it.
 */
import type { BinaryParts, Expr, Matcher } from '#promql/ast.ts';
import { aggregate, aggregations } from './aggregate.ts';
import { scalarsCombined, setCombined, vectorsCombined, vectorWithScalar } from './binary.ts';
import {
  type Column,
  EvaluationFault,
  emptyColumn,
  type Grid,
  mapped,
  merged,
  timeAt,
  type Vector,
} from './columns.ts';
import { histogramQuantile } from './histogram.ts';
import { applyRangeFunction, rangeFunctions } from './range-functions.ts';
import {
  instantColumn,
  type RangeSeries,
  rangeSeries,
  type StoredSeries,
  selects,
  stampsOf,
} from './storage.ts';

export type Value =
  | { readonly type: 'scalar'; readonly values: Float64Array }
  | { readonly type: 'vector'; readonly vector: Vector };

/** Prometheus' default for subqueries without a step: the global evaluation interval. */
const SUBQUERY_STEP_MS = 60_000;

const SET_OPERATORS: readonly string[] = ['and', 'or', 'unless'];

/** Functions of each value by itself. */
const simpleFunctions: Readonly<Record<string, (value: number) => number>> = {
  abs: Math.abs,
  ceil: Math.ceil,
  floor: Math.floor,
  exp: Math.exp,
  sqrt: Math.sqrt,
  ln: Math.log,
  log2: Math.log2,
  log10: Math.log10,
  sgn: (value) => (value > 0 ? 1 : value < 0 ? -1 : value),
};

export function evaluate(expr: Expr, series: readonly StoredSeries[], grid: Grid): Value {
  return new Evaluation(series, grid).value(expr);
}

class Evaluation {
  readonly #series: readonly StoredSeries[];
  readonly #grid: Grid;

  constructor(series: readonly StoredSeries[], grid: Grid) {
    this.#series = series;
    this.#grid = grid;
  }

  value(expr: Expr): Value {
    switch (expr.type) {
      case 'number':
        return scalar(new Float64Array(this.#grid.count).fill(expr.value));
      case 'paren':
        return this.value(expr.of);
      case 'selector':
      case 'offset':
        return vector(this.#instants(expr));
      case 'unary':
        return this.#unary(expr.op, this.value(expr.of));
      case 'binary':
        return this.#binary(expr);
      case 'aggregate':
        return this.#aggregate(expr);
      case 'call':
        return this.#call(expr);
      case 'at':
        throw new EvaluationFault('@ is not carried out by simulate');
      default:
        throw new EvaluationFault(`a ${expr.type} is no number`);
    }
  }

  #scalar(expr: Expr | undefined, fallback: number): Float64Array {
    if (expr === undefined) return new Float64Array(this.#grid.count).fill(fallback);
    const value = this.value(expr);
    if (value.type === 'scalar') return value.values;
    throw new EvaluationFault('a scalar is needed where a vector stands');
  }

  #vector(expr: Expr | undefined): Vector {
    if (expr === undefined) throw new EvaluationFault('an argument is missing');
    const value = this.value(expr);
    if (value.type === 'vector') return value.vector;
    throw new EvaluationFault('a vector is needed where a scalar stands');
  }

  #instants(expr: Expr): Vector {
    const { of, offsetMs } = unwrapped(expr);
    if (of.type !== 'selector') throw new EvaluationFault(`a ${of.type} is no instant vector`);
    return this.#selected(of).map((one) => instantColumn(one, this.#grid, offsetMs));
  }

  #selected(of: { readonly metric: string | undefined; readonly matchers: readonly Matcher[] }) {
    return this.#series.filter(({ labels }) => selects(labels, of.metric, of.matchers));
  }

  #unary(op: string, value: Value): Value {
    if (op !== '-') return value;
    if (value.type === 'scalar') return scalar(value.values.map((one) => -one));
    return vector(mapped(value.vector, this.#grid.count, (one) => -one));
  }

  #binary(expr: BinaryParts): Value {
    const { count } = this.#grid;
    const left = this.value(expr.left);
    const right = this.value(expr.right);
    if (left.type === 'scalar' && right.type === 'scalar') {
      return scalar(scalarsCombined(expr, left.values, right.values));
    }
    if (left.type === 'vector' && right.type === 'scalar') {
      return vector(vectorWithScalar(expr, left.vector, right.values, 'left'));
    }
    if (left.type === 'scalar' && right.type === 'vector') {
      return vector(vectorWithScalar(expr, right.vector, left.values, 'right'));
    }
    if (left.type !== 'vector' || right.type !== 'vector') return left;
    const combine = SET_OPERATORS.includes(expr.op) ? setCombined : vectorsCombined;
    return vector(combine(expr, left.vector, right.vector, count));
  }

  #aggregate({ op, grouping, args }: Extract<Expr, { type: 'aggregate' }>): Value {
    if (!aggregations.includes(op)) throw unknown(op);
    const of = this.#vector(args.at(-1));
    const parameters = this.#scalar(args.length > 1 ? args[0] : undefined, 0);
    const parameterAt = (k: number) => parameters[k] ?? Number.NaN;
    return vector(aggregate(of, { op, grouping, count: this.#grid.count, parameterAt }));
  }

  #call({ name, args }: Extract<Expr, { type: 'call' }>): Value {
    const { count } = this.#grid;
    const [first, second, third] = args;
    const simple = Object.hasOwn(simpleFunctions, name) ? simpleFunctions[name] : undefined;
    if (simple !== undefined) return vector(mapped(this.#vector(first), count, simple));
    if (Object.hasOwn(rangeFunctions, name)) return vector(this.#rangeCall(name, args));
    switch (name) {
      case 'time':
        return scalar(Float64Array.from({ length: count }, (_, k) => timeAt(this.#grid, k) / 1000));
      case 'pi':
        return scalar(new Float64Array(count).fill(Math.PI));
      case 'vector':
        return vector([
          {
            labels: new Map(),
            values: this.#scalar(first, 0),
            present: new Uint8Array(count).fill(1),
          },
        ]);
      case 'scalar':
        return scalar(onlyValues(this.#vector(first), count));
      case 'absent':
        return vector([absent(this.#vector(first), first, count)]);
      case 'absent_over_time':
        return vector([absent(this.#rangeCall('present_over_time', args), first, count)]);
      case 'timestamp':
        return vector(this.#timestamps(first));
      case 'sort':
      case 'sort_desc':
        return vector(this.#vector(first));
      case 'clamp':
        return vector(this.#clamped(first, this.#scalar(second, 0), this.#scalar(third, 0)));
      case 'clamp_min':
        return vector(this.#clamped(first, this.#scalar(second, 0), undefined));
      case 'clamp_max':
        return vector(this.#clamped(first, undefined, this.#scalar(second, 0)));
      case 'round': {
        const inverse = this.#scalar(second, 1).map((nearest) => 1 / nearest);
        const round = (value: number, k: number) => {
          const times = inverse[k] ?? 1;
          return Math.floor(value * times + 0.5) / times;
        };
        return vector(mapped(this.#vector(first), count, round));
      }
      case 'histogram_quantile':
        return vector(
          merged(histogramQuantile(this.#vector(second), this.#scalar(first, 0), count), count),
        );
      default:
        throw unknown(`${name}()`);
    }
  }

  /** Of a plain selector the samples' own times, of anything else the time of evaluation. */
  #timestamps(expr: Expr | undefined): Vector {
    const { of, offsetMs } = unwrapped(expr ?? { type: 'number', from: 0, value: 0 });
    if (of.type === 'selector') {
      return merged(
        this.#selected(of).map((one) => instantColumn(stampsOf(one), this.#grid, offsetMs)),
        this.#grid.count,
      );
    }
    const at = (_: number, k: number) => timeAt(this.#grid, k) / 1000;
    return mapped(this.#vector(expr), this.#grid.count, at);
  }

  #clamped(
    expr: Expr | undefined,
    low: Float64Array | undefined,
    high: Float64Array | undefined,
  ): Vector {
    const { count } = this.#grid;
    const isEmpty = (k: number) => (low?.[k] ?? -Infinity) > (high?.[k] ?? Infinity);
    const clamped = mapped(this.#vector(expr), count, (value, k) =>
      Number.isNaN(value)
        ? value
        : Math.max(low?.[k] ?? -Infinity, Math.min(high?.[k] ?? Infinity, value)),
    );
    return clamped.map((column) => ({
      ...column,
      present: column.present.map((one, k) => (isEmpty(k) ? 0 : one)),
    }));
  }

  /** The range vector is the argument that is one; the others are scalars. */
  #rangeCall(name: string, args: readonly Expr[]): Vector {
    const { count } = this.#grid;
    const isRange = (expr: Expr) => ['matrix', 'subquery'].includes(unwrapped(expr).of.type);
    const ranged = args.find(isRange);
    if (ranged === undefined) throw new EvaluationFault(`${name}() needs a range`);
    const scalars = args.filter((one) => one !== ranged).map((one) => this.#scalar(one, 0));
    const { of, offsetMs } = unwrapped(ranged);
    if (of.type !== 'matrix' && of.type !== 'subquery') return [];
    const series = of.type === 'matrix' ? this.#stored(of.of) : this.#subquery(of, offsetMs);
    const call = {
      name,
      rangeMs: of.rangeMs,
      offsetMs,
      scalarsAt: (k: number) => scalars.map((values) => values[k] ?? Number.NaN),
    };
    return merged(
      series.map((one) => applyRangeFunction(one, this.#grid, call)),
      count,
    );
  }

  #stored(of: Expr): RangeSeries[] {
    if (of.type !== 'selector')
      throw new EvaluationFault(`a range over a ${of.type} is no range vector`);
    return this.#selected(of).map(rangeSeries);
  }

  /** Evaluated once for all instants, on multiples of its own step. */
  #subquery(
    { of, rangeMs, stepMs = SUBQUERY_STEP_MS }: Extract<Expr, { type: 'subquery' }>,
    offsetMs: number,
  ): RangeSeries[] {
    const { startMs, count } = this.#grid;
    const firstMs = startMs - offsetMs - rangeMs;
    const lastMs = timeAt(this.#grid, count - 1) - offsetMs;
    const beginMs = Math.floor(firstMs / stepMs) * stepMs + stepMs;
    const inner: Grid = {
      startMs: beginMs,
      stepMs,
      count: Math.max(0, Math.floor((lastMs - beginMs) / stepMs) + 1),
    };
    const value = new Evaluation(this.#series, inner).value(of);
    if (value.type === 'scalar') throw new EvaluationFault('a subquery needs a vector');
    return value.vector.map(({ labels, values, present }) => {
      const there = [...present.keys()].filter((k) => present[k] === 1);
      return {
        labels,
        times: Float64Array.from(there, (k) => timeAt(inner, k)),
        values: Float64Array.from(there, (k) => values[k] ?? Number.NaN),
      };
    });
  }
}

/** Through brackets and `offset` down to what is offset. */
function unwrapped(expr: Expr): { readonly of: Expr; readonly offsetMs: number } {
  if (expr.type === 'paren') return unwrapped(expr.of);
  if (expr.type !== 'offset') return { of: expr, offsetMs: 0 };
  const { of, offsetMs } = unwrapped(expr.of);
  return { of, offsetMs: offsetMs + expr.offsetMs };
}

/** The value of the only series; NaN where there is none or are several. */
function onlyValues(columns: Vector, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, k) => {
    const there = columns.filter(({ present }) => present[k] === 1);
    return there.length === 1 ? (there[0]?.values[k] ?? Number.NaN) : Number.NaN;
  });
}

/** Its labels are those that the selector says with `=`, each once. */
function absent(columns: Vector, expr: Expr | undefined, count: number): Column {
  const inner = expr === undefined ? undefined : unwrapped(expr).of;
  const selector = inner?.type === 'matrix' ? inner.of : inner;
  const matchers = selector?.type === 'selector' ? selector.matchers : [];
  const equal = matchers.filter(({ op, value, label }) => {
    return op === '=' && value !== '' && matchers.filter((one) => one.label === label).length === 1;
  });
  const column = emptyColumn(new Map(equal.map(({ label, value }) => [label, value])), count);
  for (let k = 0; k < count; k += 1) {
    if (columns.some(({ present }) => present[k] === 1)) continue;
    column.present[k] = 1;
    column.values[k] = 1;
  }
  return column;
}

function scalar(values: Float64Array): Value {
  return { type: 'scalar', values };
}

function vector(columns: Vector): Value {
  return { type: 'vector', vector: columns };
}

function unknown(name: string): EvaluationFault {
  return new EvaluationFault(`${name} is not one of the functions that simulate carries out`);
}
