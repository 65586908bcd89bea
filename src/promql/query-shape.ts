/** What must be known of a query before it is built into a larger expression. */
import { PromqlFault } from './ast.ts';
import { knownSignatures } from './functions.ts';
import { parsePromql } from './parse.ts';
import { createTypeOf } from './types.ts';

export interface QueryShape {
  /** A number, no vector: it can be compared, but not alerted on. */
  readonly isScalar: boolean;
  /** Operators stand at its top, so that it needs parentheses between others. */
  readonly isOperation: boolean;
  /** It answers with at most one series, which has no labels. */
  readonly isTotal: boolean;
}

/** Throws PromqlFault when the text is no query. */
export function shapeOf(text: string): QueryShape {
  const expr = parsePromql(text);
  return {
    isScalar: createTypeOf(knownSignatures())(expr) === 'scalar',
    isOperation: expr.type === 'binary' || expr.type === 'unary',
    isTotal:
      expr.type === 'aggregate' &&
      /^(sum|min|max|avg|count)$/.test(expr.op) &&
      !expr.grouping.without &&
      expr.grouping.labels.length === 0,
  };
}

export function isPromql(text: string): boolean {
  try {
    shapeOf(text);
    return true;
  } catch (error) {
    if (error instanceof PromqlFault) return false;
    throw error;
  }
}
