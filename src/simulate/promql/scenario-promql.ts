/** Answers queries over the series of a scenario: each text is parsed once, and evaluated once for the whole run. */
import type { Series } from '#core/answer.ts';
import { type Expr, PromqlFault } from '#promql/ast.ts';
import { checkPromql } from '#promql/check.ts';
import { parsePromql } from '#promql/parse.ts';
import type { SeriesInput } from '#simulate/scenario.ts';
import { parseSamples, type SampleTiming } from '#simulate/series-notation.ts';
import { type Column, EvaluationFault, type Grid, type Labels, NAME } from './columns.ts';
import { evaluate, type Value } from './evaluate.ts';
import { type StoredSeries, selects, storedSeries } from './storage.ts';

export interface PromqlTiming extends SampleTiming {
  /** When the last instant is that anybody asks for, and how far apart they ask. */
  readonly endMs: number;
  readonly stepMs: number;
}

export type ScenarioPromqlResult =
  | { readonly type: 'ok'; readonly promql: ScenarioPromql }
  | { readonly type: 'invalid'; readonly problems: readonly string[] };

export function scenarioPromql(
  series: readonly SeriesInput[],
  timing: PromqlTiming,
): ScenarioPromqlResult {
  const problems: string[] = [];
  const stored: StoredSeries[] = [];
  for (const [index, { series: text, values }] of series.entries()) {
    if (text === undefined) continue;
    const labels = readLabels(text);
    const parsed = parseSamples(values);
    if (typeof labels === 'string') problems.push(`series[${index}].series: ${labels}`);
    else if (parsed.type === 'invalid') problems.push(`series[${index}].values: ${parsed.message}`);
    else stored.push(storedSeries(labels, parsed.samples, timing));
  }
  return problems.length > 0
    ? { type: 'invalid', problems }
    : { type: 'ok', promql: new ScenarioPromql(stored, timing) };
}

/** @returns a sentence where the text names no single series */
function readLabels(text: string): Labels | string {
  const form = 'is no series such as errors_total{service="canary",code="500"}';
  try {
    const expr = parsePromql(text);
    const isPlain = expr.type === 'selector' && expr.matchers.every(({ op }) => op === '=');
    if (!isPlain || expr.metric === undefined) return `${JSON.stringify(text)} ${form}`;
    const labels = new Map([[NAME, expr.metric]]);
    for (const { label, value } of expr.matchers) if (value !== '') labels.set(label, value);
    return labels;
  } catch (error) {
    if (!(error instanceof PromqlFault)) throw error;
    return `${JSON.stringify(text)} ${form}: ${error.message}`;
  }
}

interface Known {
  readonly expr: Expr;
  readonly knows: boolean;
  asked: number;
  grid: Grid | undefined;
  columns: readonly Column[];
}

/** A text that is asked for the second time will be asked at every tick: then all ticks are computed at once. */
const ASKED_ONCE_MAX = 1;

export class ScenarioPromql {
  readonly #stored: readonly StoredSeries[];
  readonly #timing: PromqlTiming;
  readonly #known = new Map<string, Known>();

  constructor(stored: readonly StoredSeries[], timing: PromqlTiming) {
    this.#stored = stored;
    this.#timing = timing;
  }

  /** Whether any series of the scenario bears a name that the query selects. */
  knows(query: string): boolean {
    return this.#stored.length > 0 && this.#of(query).knows;
  }

  /** Throws EvaluationFault where Prometheus would answer an error, or where simulate does not carry something out. */
  range(query: string, startMs: number, endMs: number, stepMs: number): readonly Series[] {
    const known = this.#of(query);
    known.asked += 1;
    const isOnGrid =
      startMs % this.#timing.stepMs === 0 && (startMs === endMs || stepMs === this.#timing.stepMs);
    if (known.grid === undefined && isOnGrid && known.asked > ASKED_ONCE_MAX)
      this.#computeAll(known, startMs);
    const { grid } = known;
    if (
      grid !== undefined &&
      isOnGrid &&
      startMs >= grid.startMs &&
      endMs <= grid.startMs + (grid.count - 1) * grid.stepMs
    ) {
      const from = (startMs - grid.startMs) / grid.stepMs;
      return seriesOf(
        known.columns,
        grid,
        from,
        from + Math.floor((endMs - startMs) / grid.stepMs),
      );
    }
    const own: Grid = { startMs, stepMs, count: Math.floor((endMs - startMs) / stepMs) + 1 };
    return seriesOf(columnsOf(evaluate(known.expr, this.#stored, own)), own, 0, own.count - 1);
  }

  #of(query: string): Known {
    const known = this.#known.get(query);
    if (known !== undefined) return known;
    const check = checkPromql(query);
    if (check.type === 'invalid') throw new EvaluationFault(check.message);
    const isKnown = check.selectors.some(({ metric, matchers }) =>
      metric === undefined
        ? this.#stored.some(({ labels }) => selects(labels, metric, matchers))
        : this.#stored.some(({ labels }) => labels.get(NAME) === metric),
    );
    const made: Known = {
      expr: parsePromql(query),
      knows: isKnown,
      asked: 0,
      grid: undefined,
      columns: [],
    };
    this.#known.set(query, made);
    return made;
  }

  #computeAll(known: Known, askedMs: number): void {
    const { stepMs, endMs, beginMs } = this.#timing;
    const startMs = Math.floor(Math.min(askedMs, beginMs) / stepMs) * stepMs;
    const grid: Grid = { startMs, stepMs, count: Math.floor((endMs - startMs) / stepMs) + 1 };
    known.columns = columnsOf(evaluate(known.expr, this.#stored, grid));
    known.grid = grid;
  }
}

function columnsOf(value: Value): readonly Column[] {
  if (value.type === 'vector') return value.vector;
  const present = new Uint8Array(value.values.length).fill(1);
  return [{ labels: new Map(), values: value.values, present }];
}

function seriesOf(
  columns: readonly Column[],
  grid: Grid,
  from: number,
  to: number,
): readonly Series[] {
  return columns.flatMap(({ labels, values, present }) => {
    const points = [];
    for (let k = from; k <= to; k += 1) {
      if (present[k] === 1)
        points.push({ atMs: grid.startMs + k * grid.stepMs, value: values[k] ?? Number.NaN });
    }
    return points.length === 0 ? [] : [{ labels: Object.fromEntries(labels), points }];
  });
}
