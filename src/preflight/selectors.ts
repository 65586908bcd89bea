/** The series that a query selects, each with what must be so of them. */
import { type Expr, type Matcher, PromqlFault } from '#promql/ast.ts';
import { parsePromql } from '#promql/parse.ts';
import { checkRegex } from '#promql/regex.ts';

/**
 * `must`: without series of it the query says nothing. `mayBeAbsent`: a healthy service may have none, so only its name and
 * its labels are proved. `alternative`: something else is read where it has none.
 */
export type Need = 'must' | 'mayBeAbsent' | 'alternative';

export interface Selector {
  /** Undefined where the name is matched by expression, or not at all. */
  readonly metric: string | undefined;
  readonly matchers: readonly Matcher[];
}

export interface UsedSelector extends Selector {
  readonly need: Need;
}

/** Each once, in order of appearance. Throws PromqlFault where the text is no PromQL. */
export function selectorsOf(query: string, need: Need): readonly UsedSelector[] {
  const found: UsedSelector[] = [];
  collect(parsePromql(query), need, found);
  const texts = found.map(selectorText);
  return found.filter((_, index) => texts.indexOf(texts[index] ?? '') === index);
}

function collect(expr: Expr, need: Need, found: UsedSelector[]): void {
  switch (expr.type) {
    case 'number':
    case 'string':
      return;
    case 'selector':
      found.push({ metric: expr.metric, matchers: expr.matchers, need });
      return;
    case 'binary': {
      const [left, right] = needsOf(expr, need);
      collect(expr.left, left, found);
      collect(expr.right, right, found);
      return;
    }
    case 'aggregate':
      for (const arg of expr.args) collect(arg, need, found);
      return;
    case 'call': {
      const asksForAbsence = expr.name === 'absent' || expr.name === 'absent_over_time';
      // The second argument of info() only lists labels.
      const args = expr.name === 'info' ? expr.args.slice(0, 1) : expr.args;
      for (const arg of args)
        collect(arg, asksForAbsence ? weaker(need, 'mayBeAbsent') : need, found);
      return;
    }
    default:
      collect(expr.of, need, found);
  }
}

function needsOf(
  { op, right }: Extract<Expr, { type: 'binary' }>,
  need: Need,
): readonly [Need, Need] {
  if (op === 'unless') return [need, weaker(need, 'mayBeAbsent')];
  if (op !== 'or') return [need, need];
  const inRight: UsedSelector[] = [];
  collect(right, need, inRight);
  // `or vector(0)` hides that the left side is not there: its name and labels are proved all the same.
  return inRight.length === 0
    ? [weaker(need, 'mayBeAbsent'), need]
    : [weaker(need, 'alternative'), weaker(need, 'alternative')];
}

const strength: Readonly<Record<Need, number>> = { must: 2, mayBeAbsent: 1, alternative: 0 };

function weaker(a: Need, b: Need): Need {
  return strength[a] < strength[b] ? a : b;
}

/** The metric alone; undefined where the selector names none. */
export function nameOnly({ metric }: Selector): Selector | undefined {
  return metric === undefined ? undefined : { metric, matchers: [] };
}

/** As PromQL has it. */
export function selectorText({ metric, matchers }: Selector): string {
  const isPlain = metric !== undefined && /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(metric);
  const name = metric === undefined || isPlain ? [] : [`__name__=${quoted(metric)}`];
  const parts = [
    ...name,
    ...matchers.map(({ label, op, value }) => `${labelText(label)}${op}${quoted(value)}`),
  ];
  const braces = parts.length === 0 ? '' : `{${parts.join(',')}}`;
  return `${isPlain ? metric : ''}${braces}`;
}

/** As it stands in a matcher or after `by`. */
export function labelText(label: string): string {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label) ? label : quoted(label);
}

/** Escapes of JSON are escapes of PromQL too. */
export function quoted(value: string): string {
  return JSON.stringify(value);
}

/** Undefined: beyond what can be told without RE2. */
export function matches({ op, value }: Matcher, actual: string): boolean | undefined {
  if (op === '=') return actual === value;
  if (op === '!=') return actual !== value;
  const regex = checkRegex(value);
  return regex.type === 'ok' ? regex.matches(actual) === (op === '=~') : undefined;
}

/** Whether a series that has these labels, and others that are not known, may be selected. */
export function maySelect(
  { matchers }: Selector,
  known: Readonly<Record<string, string>>,
): boolean {
  return matchers.every((matcher) => {
    const value = known[matcher.label];
    // A template is filled in from the series.
    const isOpen = value === undefined || value.includes('{{');
    return isOpen || matches(matcher, value) !== false;
  });
}

/** Whether a series without the label is selected. */
export function matchesNothing(matcher: Matcher): boolean {
  return matches(matcher, '') === true;
}

/**
 * The selector without what tells failures from the rest: such a label has only to be there. What is left selects something on
 * a healthy service too. What `known` fixes to one value is none of it: there `bad` must have a value that exists.
 */
export function relaxed(selector: Selector, known: readonly Selector[]): Selector {
  const fixed = known.flatMap(({ matchers }) => matchers);
  const isKept = (one: Matcher) =>
    matchesOnlyAbsence(one) ||
    fixed.some(
      ({ label, op, value }) =>
        label === one.label && op === one.op && (op === '=' || value === one.value),
    );
  const matchers = selector.matchers.map(
    (one): Matcher => (isKept(one) ? one : { label: one.label, op: '!=', value: '' }),
  );
  const texts = matchers.map(({ label, op, value }) => `${label}${op}${value}`);
  return {
    metric: selector.metric,
    matchers: matchers.filter((_, index) => texts.indexOf(texts[index] ?? '') === index),
  };
}

function matchesOnlyAbsence({ op, value }: Matcher): boolean {
  return op === '=' && value === '';
}

/** Why a text is no PromQL; undefined: it is. */
export function promqlProblem(query: string): string | undefined {
  try {
    parsePromql(query);
    return undefined;
  } catch (error) {
    if (error instanceof PromqlFault) return error.message;
    throw error;
  }
}
