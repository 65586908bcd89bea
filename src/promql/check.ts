/** Checks a query before anybody relies on it, and says what it reads: which metrics, by which labels, how far back. */
import { type Expr, type Matcher, PromqlFault } from './ast.ts';
import { knownSignatures } from './functions.ts';
import { parsePromql } from './parse.ts';
import { createTypeOf } from './types.ts';

export type { Matcher } from './ast.ts';

export interface Selector {
  /** Undefined where the name is matched by expression, or not at all. */
  readonly metric: string | undefined;
  readonly matchers: readonly Matcher[];
}

export type PromqlCheck =
  | {
      readonly type: 'ok';
      /** Names of the metrics selected, each once, in order of appearance. */
      readonly metrics: readonly string[];
      readonly selectors: readonly Selector[];
      /**
       * How far before the time of evaluation the oldest sample can lie that the query asks for: ranges, subqueries and offsets
       * add up along the way down to each selector (`max_over_time(rate(m[5m])[30m:1m] offset 1h)` is 95m), and the
       * longest way counts. A negative offset takes away. The look-back for plain selectors (5m by default)
       * is not part of it: it bridges missed scrapes, and a living series has a fresh sample.
       */
      readonly longestRangeMs: number;
      /**
       * True when `@` fixes a time: then the query reads what `longestRangeMs` does not tell, and `@ start()` and
       * `@ end()` mean something else in a range query than in an instant one.
       */
      readonly fixesTime: boolean;
    }
  | { readonly type: 'invalid'; readonly message: string };

/**
 * Whether Prometheus would accept the text as a query for numbers. Placeholders must have been put in before. Experimental
 * functions are accepted: whether a server has them switched on, only the server knows.
 */
export function checkPromql(text: string): PromqlCheck {
  try {
    const expr = parsePromql(text);
    const type = createTypeOf(knownSignatures())(expr);
    if (type === 'matrix') {
      throw new PromqlFault(
        expr.from,
        'the query gives a range of values; wrap it in a function such as rate()',
      );
    }
    if (type === 'string') throw new PromqlFault(expr.from, 'the query gives a string, no number');
    return { type: 'ok', ...read(expr) };
  } catch (error) {
    if (error instanceof PromqlFault) return { type: 'invalid', message: place(text, error) };
    throw error;
  }
}

function read(expr: Expr): Omit<PromqlCheck & { type: 'ok' }, 'type'> {
  const selectors: Selector[] = [];
  let longestRangeMs = 0;
  let fixesTime = false;

  const visit = (part: Expr, backMs: number): void => {
    switch (part.type) {
      case 'number':
      case 'string':
        return;
      case 'selector':
        selectors.push({ metric: part.metric, matchers: part.matchers });
        longestRangeMs = Math.max(longestRangeMs, backMs);
        return;
      case 'matrix':
      case 'subquery':
        visit(part.of, backMs + part.rangeMs);
        return;
      case 'offset':
        visit(part.of, backMs + part.offsetMs);
        return;
      case 'at':
        fixesTime = true;
        visit(part.of, backMs);
        return;
      case 'paren':
      case 'unary':
        visit(part.of, backMs);
        return;
      case 'binary':
        visit(part.left, backMs);
        visit(part.right, backMs);
        return;
      default:
        for (const arg of part.args) visit(arg, backMs);
    }
  };

  visit(expr, 0);
  const names = selectors.flatMap(({ metric }) => (metric === undefined ? [] : [metric]));
  return { metrics: [...new Set(names)], selectors, longestRangeMs, fixesTime };
}

/** "line 2, character 7: …", or without the line where there is only one. */
function place(text: string, fault: PromqlFault): string {
  const before = text.slice(0, fault.from);
  const line = before.split('\n').length;
  const character = fault.from - before.lastIndexOf('\n');
  const where = text.trim().includes('\n')
    ? `line ${line}, character ${character}`
    : `character ${character}`;
  return `at ${where}: ${fault.message}`;
}
