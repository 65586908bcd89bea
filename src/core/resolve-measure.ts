/** Where a number comes from, as a run asks for it: the same for triggers, success criteria and the baseline. */
import { usedPlaceholders } from '#api/placeholders.ts';
import type { HealthSuite, Metric, RolloutSpec, Trigger } from '#api/rollout.ts';
import { alertsQuery } from './alert-matchers.ts';
import type { SuiteFigure } from './answer.ts';
import { validForMs } from './resolve-suites.ts';
import type { CountText, Measure } from './run-spec.ts';

/** How many there were instead of how many a second. */
export type Counting =
  | {
      readonly type: 'counted';
      /** Stretched to the whole time, as `increase` does it. */
      readonly increase: CountText;
      /** No more than was seen. */
      readonly seen: CountText;
    }
  | { readonly type: 'uncounted'; readonly message: string };

export type QueryFacts =
  | {
      readonly type: 'ok';
      readonly longestRangeMs: number;
      /** Found out only where somebody counts. */
      readonly counting: () => Counting;
    }
  | { readonly type: 'invalid'; readonly message: string };

export interface MeasureInput {
  readonly spec: RolloutSpec;
  /** Parses a query whose placeholders are filled with stand-ins, and says how far back it looks. */
  readonly inspect: (query: string) => QueryFacts;
}

/** Exactly one of the sources is set; criteria know fewer of them than triggers. */
export type MeasureSource = Partial<
  Pick<Trigger, 'metric' | 'query' | 'ratio' | 'suite' | 'measure' | 'probe' | 'alerts'>
>;

/**
 * @param where the field, for sentences: `spec.triggers[0] (errors)`
 * @returns undefined when it cannot be had; then a sentence has been added to `problems`
 */
export function resolveMeasure(
  input: MeasureInput,
  source: MeasureSource,
  where: string,
  problems: string[],
): Measure | undefined {
  if (source.suite !== undefined) {
    const suite = input.spec.healthSuites.find((one) => one.name === source.suite);
    if (suite !== undefined) return suiteMeasure(suite, source.measure ?? 'PassRate');
    problems.push(`${where}: suite "${source.suite}" is not in spec.healthSuites`);
    return undefined;
  }
  if (source.probe !== undefined) {
    const { url, expectStatus } = source.probe;
    return { type: 'probe', url, expectStatus, isArmBound: false, rangeMs: 0 };
  }
  if (source.alerts !== undefined) {
    const at = `${where}.alerts.matchers`;
    const query = alertsQuery(source.alerts.matchers, at, problems);
    return query === undefined ? undefined : queryMeasure(input, { query }, at, problems);
  }
  const metric =
    source.metric === undefined
      ? source
      : input.spec.analysis.metrics.find((one) => one.name === source.metric);
  if (metric === undefined) {
    problems.push(`${where}: metric "${source.metric}" is not in spec.analysis.metrics`);
    return undefined;
  }
  return queryMeasure(input, metric, where, problems);
}

function suiteMeasure(suite: HealthSuite, of: SuiteFigure): Measure {
  const figure = { suite: suite.name, of, validForMs: validForMs(suite) };
  return { type: 'suite', ...figure, isArmBound: false, rangeMs: 0 };
}

function queryMeasure(
  input: MeasureInput,
  metric: Partial<Pick<Metric, 'query' | 'ratio' | 'series'>>,
  where: string,
  problems: string[],
): Measure | undefined {
  const { query, ratio, series } = metric;
  if (ratio !== undefined) {
    const { bad, total } = ratio;
    const rangeMs = Math.max(
      inspected(input, `${where}: bad`, bad, problems),
      inspected(input, `${where}: total`, total, problems),
    );
    const isArmBound =
      [bad, total].some(namesAnArm) || Object.values(series ?? {}).some(namesAnArm);
    return { type: 'ratio', bad, total, series, isArmBound, rangeMs };
  }
  if (query === undefined) return undefined;
  const rangeMs = inspected(input, `${where}: query`, query, problems);
  const isArmBound = namesAnArm(query) || Object.values(series ?? {}).some(namesAnArm);
  return { type: 'query', query, series, isArmBound, rangeMs };
}

function inspected(input: MeasureInput, where: string, query: string, problems: string[]): number {
  const facts = input.inspect(query);
  if (facts.type === 'ok') return facts.longestRangeMs;
  problems.push(`${where}: not PromQL: ${facts.message}`);
  return 0;
}

/** Canary-arm queries are those that ask for the arm, or for canary by name. */
function namesAnArm(text: string): boolean {
  const used = usedPlaceholders(text);
  return used.includes('arm.service') || used.includes('canary.service');
}
