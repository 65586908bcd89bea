/** A PromQL expression, as far as checking it and finding out what it reads needs. Positions count characters from 0. */

export type MatchOp = '=' | '!=' | '=~' | '!~';

export interface Matcher {
  readonly label: string;
  readonly op: MatchOp;
  readonly value: string;
}

interface At {
  readonly from: number;
}

export type Expr = At &
  (
    | { readonly type: 'number' }
    | { readonly type: 'string' }
    | {
        readonly type: 'selector';
        readonly metric: string | undefined;
        readonly matchers: readonly Matcher[];
      }
    | { readonly type: 'matrix'; readonly of: Expr; readonly rangeMs: number }
    | { readonly type: 'subquery'; readonly of: Expr; readonly rangeMs: number }
    | { readonly type: 'offset'; readonly of: Expr; readonly offsetMs: number }
    /** `@`: at a fixed time, or at the start or end of a range query. */
    | { readonly type: 'at'; readonly of: Expr }
    | { readonly type: 'paren'; readonly of: Expr }
    | { readonly type: 'unary'; readonly of: Expr }
    | BinaryParts
    | { readonly type: 'aggregate'; readonly op: string; readonly args: readonly Expr[] }
    | { readonly type: 'call'; readonly name: string; readonly args: readonly Expr[] }
  );

export interface BinaryParts {
  readonly type: 'binary';
  readonly op: string;
  readonly bool: boolean;
  readonly matching: Matching | undefined;
  readonly left: Expr;
  readonly right: Expr;
}

export interface Matching {
  readonly on: boolean;
  readonly labels: readonly string[];
  readonly grouped: boolean;
  readonly included: readonly string[];
}

/** Why a text is not PromQL; thrown inside the parser and the check, never out of them. */
export class PromqlFault extends Error {
  readonly from: number;
  constructor(from: number, message: string) {
    super(message);
    this.name = 'PromqlFault';
    this.from = from;
  }
}
