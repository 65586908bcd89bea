/** The Prometheus of a scenario: answers the engine's questions from what the scenario says, faults and skew included. */
import type { Answer, FailedAnswer, MetricQuestion, QueryFault, Series } from '#core/answer.ts';
import type { Meanings } from './measures.ts';
import type { NamedValues } from './named-values.ts';
import { EvaluationFault } from './promql/columns.ts';
import type { ScenarioPromql } from './promql/scenario-promql.ts';

/** How Prometheus fails, in the words of a scenario. */
export type Outage = 'down' | 'slow' | 'partial' | 'refusing' | 'empty';

const faults: Readonly<Record<Exclude<Outage, 'empty'>, readonly [QueryFault, string]>> = {
  down: ['unreachable', 'Prometheus cannot be reached: connection refused'],
  slow: ['timeout', 'Prometheus has not answered in time'],
  partial: ['partial', 'a store behind Prometheus has not answered'],
  refusing: ['refused', 'Prometheus answers 401 Unauthorized'],
};

export interface VirtualPrometheusOptions {
  readonly meanings: () => Meanings;
  readonly named: () => NamedValues;
  readonly promql: ScenarioPromql;
  /** By the operator's clock. */
  readonly now: () => number;
}

export class VirtualPrometheus {
  readonly #options: VirtualPrometheusOptions;
  outage: Outage | undefined;
  /** How far its clock is ahead of the operator's, and since when it is. */
  skew: { readonly ms: number; readonly sinceMs: number } = { ms: 0, sinceMs: 0 };

  constructor(options: VirtualPrometheusOptions) {
    this.#options = options;
  }

  answer(question: MetricQuestion): Answer {
    if (this.outage !== undefined && this.outage !== 'empty') {
      const [fault, message] = faults[this.outage];
      return { type: 'error', fault, message } satisfies FailedAnswer;
    }
    try {
      return this.#measured(question);
    } catch (error) {
      if (!(error instanceof EvaluationFault)) throw error;
      const message = `Prometheus: ${error.message}`;
      return { type: 'error', fault: 'badQuery', message };
    }
  }

  /** The same world as it is now, whatever happens to it later. */
  remembered(): VirtualPrometheus {
    const meanings = this.#options.meanings();
    const same = new VirtualPrometheus({ ...this.#options, meanings: () => meanings });
    same.outage = this.outage;
    same.skew = this.skew;
    return same;
  }

  /** Until when a query answers exactly the same, if nobody moves traffic; undefined where only asking can tell. */
  constantUntil(query: string, atMs: number): number | undefined {
    // What fails, fails until the world changes.
    if (this.outage !== undefined) return Number.POSITIVE_INFINITY;
    const { meanings, named, promql } = this.#options;
    const meaning = meanings().of(query);
    if (promql.knows(query)) return undefined;
    if (meaning === undefined || !named().tells(meaning)) return undefined;
    return named().constantUntil(meaning, atMs);
  }

  #measured(question: MetricQuestion): Answer {
    const isInstant = question.type === 'instant';
    const grid = isInstant
      ? { startMs: question.atMs, endMs: question.atMs, stepMs: 1 }
      : { startMs: question.startMs, endMs: question.endMs, stepMs: question.stepMs };
    const series = this.outage === 'empty' ? [] : this.#series(question.query, grid);
    const skewMs = this.skew.ms;
    if (!isInstant) return { type: 'series', series, skewMs };
    const samples = series.flatMap(({ labels, points }) =>
      points.map(({ atMs, value }) => ({ labels, atMs, value })),
    );
    return { type: 'samples', samples, skewMs };
  }

  /**
   * When that happened, by the operator's clock, which samples of this time by Prometheus' clock tell of. A clock that is
   * ahead stamps what is new as later than it is; what was stamped before it went wrong stays where it is.
   */
  #happenedAtMs(stampMs: number): number {
    const { ms, sinceMs } = this.skew;
    if (ms === 0 || stampMs < sinceMs) return stampMs;
    return Math.min(Math.max(stampMs - ms, sinceMs), this.#options.now());
  }

  /** Each point of the grid for itself: neighbours may tell of the same moment. */
  #skewed(
    query: string,
    grid: { readonly startMs: number; readonly endMs: number; readonly stepMs: number },
  ): readonly Series[] {
    const found = new Map<
      string,
      { labels: Series['labels']; points: Series['points'][number][] }
    >();
    for (let atMs = grid.startMs; atMs <= grid.endMs; atMs += grid.stepMs) {
      const momentMs = this.#happenedAtMs(atMs);
      for (const { labels, points } of this.#options.promql.range(query, momentMs, momentMs, 1)) {
        const key = JSON.stringify(labels);
        const known = found.get(key) ?? { labels, points: [] };
        known.points.push(...points.map(({ value }) => ({ atMs, value })));
        found.set(key, known);
      }
    }
    return [...found.values()];
  }

  #series(
    query: string,
    grid: { readonly startMs: number; readonly endMs: number; readonly stepMs: number },
  ): readonly Series[] {
    const { meanings, named, promql } = this.#options;
    const meaning = meanings().of(query);
    const isRaw = promql.knows(query);
    if (isRaw || meaning === undefined || !named().tells(meaning)) {
      return this.skew.ms === 0
        ? promql.range(query, grid.startMs, grid.endMs, grid.stepMs)
        : this.#skewed(query, grid);
    }
    const at = named().reader(meaning);
    const points = [];
    for (let atMs = grid.startMs; atMs <= grid.endMs; atMs += grid.stepMs) {
      const value = at(this.#happenedAtMs(atMs));
      if (value !== undefined) points.push({ atMs, value });
    }
    return points.length === 0 ? [] : [{ labels: {}, points }];
  }
}
