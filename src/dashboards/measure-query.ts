/**
 * One PromQL expression for what a trigger measures on canary, such that it has a value exactly when the engine has one:
 * a healthy service without failing series reads 0, a service without traffic reads nothing.
 */
import { assertNever } from '#core/assert.ts';
import { fillerFor } from '#core/fill.ts';
import { fillMeasure } from '#core/reading.ts';
import type { RunSpec, RunTrigger } from '#core/run-spec.ts';
import { isPromql, shapeOf } from '#promql/query-shape.ts';

/**
 * What the engine itself has read and exports: for probes and suites, which Prometheus cannot ask, and for
 * judges whose verdict is no comparison.
 */
export function ownSeries(run: RunSpec, metric: string, more: Readonly<Record<string, string>>) {
  const { namespace, rollout } = run.placeholders;
  const matchers = Object.entries({ namespace, rollout, ...more }).map(
    ([label, value]) => `${label}=${quoted(value)}`,
  );
  return `${metric}{${matchers.join(',')}}`;
}

/** While leadership changes two processes may export the same. */
export function ownValue(run: RunSpec, metric: string, more: Readonly<Record<string, string>>) {
  return `max by (namespace, rollout) (${ownSeries(run, metric, more)})`;
}

/** It can be compared as it is: where it needs parentheses it has them. */
export function measureQuery(run: RunSpec, { name, measure }: RunTrigger): string {
  const filled = fillMeasure(measure, (text) => fill(run, text));
  switch (filled.type) {
    case 'query':
      return picked(filled.query, filled.series);
    case 'ratio': {
      const bad = summed(filled.bad, filled.series);
      const total = summed(filled.total, filled.series);
      return `(\n  ${bad}\n  or ${total} * 0\n)\n/ (${total} > 0)`;
    }
    case 'probe':
    case 'suite':
      return ownValue(run, 'genesis_trigger_value', { trigger: name });
    default:
      return assertNever(filled);
  }
}

/**
 * `$(window)` is the whole plan, since a rule cannot grow with time; `$(weight)` is the weight as exported, where the
 * text allows an expression in its place.
 */
function fill(run: RunSpec, text: string): string {
  const end = run.points.find(({ kind }) => kind === 'End')?.atMs ?? 0;
  const filler = fillerFor(run, 'canary', { weight: 100, windowMs: end });
  if (!text.includes('$(weight)')) return filler(text);
  const weight = `(100 * scalar(${ownValue(run, 'genesis_rollout_weight_ratio', {})}))`;
  const live = filler(text.replaceAll(/(?<![$])[$][(]weight[)]/g, () => weight));
  return isPromql(live) ? live : filler(text);
}

/** Both parts of a ratio may have labels, which must not keep them from meeting. */
function summed(query: string, series: SeriesLabels): string {
  const part = picked(query, series);
  return series === undefined && shapeOf(query).isTotal ? part : `sum(${part})`;
}

type SeriesLabels = Readonly<Record<string, string>> | undefined;

/** The one series with these labels: joined with a vector that has nothing else. */
function picked(query: string, series: SeriesLabels): string {
  const operand = vectorOf(query);
  const wanted = Object.entries(series ?? {});
  if (wanted.length === 0) return operand;
  const names = wanted.map(([label]) => label).join(', ');
  const vector = wanted.reduce(
    (inner, [label, value]) =>
      `label_replace(${inner}, ${quoted(label)}, ${quoted(value.replaceAll('$', '$$$$'))}, "", "")`,
    'vector(1)',
  );
  return `(${operand} and on (${names}) ${vector})`;
}

/** Behind a comment the closing parenthesis needs a line of its own. */
function vectorOf(query: string): string {
  const text = query.trim();
  const { isScalar, isOperation } = shapeOf(text);
  const isCommented = text.includes('#');
  if (!isScalar && !isOperation && !isCommented) return text;
  return `${isScalar ? 'vector' : ''}(${text}${isCommented ? '\n' : ''})`;
}

export function quoted(value: string): string {
  const escaped = value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  return `"${escaped}"`;
}
