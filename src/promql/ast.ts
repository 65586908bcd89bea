/** A PromQL expression, as far as checking it, finding out what it reads and answering it needs. Positions count characters from 0. */

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
    | { readonly type: 'number'; readonly value: number }
    | { readonly type: 'string'; readonly value: string }
    | {
        readonly type: 'selector';
        readonly metric: string | undefined;
        readonly matchers: readonly Matcher[];
      }
    | { readonly type: 'matrix'; readonly of: Expr; readonly rangeMs: number }
    | {
        readonly type: 'subquery';
        readonly of: Expr;
        readonly rangeMs: number;
        /** Undefined: the server's default. */
        readonly stepMs: number | undefined;
      }
    | { readonly type: 'offset'; readonly of: Expr; readonly offsetMs: number }
    /** `@`: at a fixed time, or at the start or end of a range query. */
    | { readonly type: 'at'; readonly of: Expr }
    | { readonly type: 'paren'; readonly of: Expr }
    | { readonly type: 'unary'; readonly op: string; readonly of: Expr }
    | BinaryParts
    | {
        readonly type: 'aggregate';
        readonly op: string;
        readonly grouping: Grouping;
        readonly args: readonly Expr[];
      }
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

/** Which labels of an aggregation's input stay. */
export interface Grouping {
  readonly without: boolean;
  readonly labels: readonly string[];
}

export interface Matching {
  readonly on: boolean;
  readonly labels: readonly string[];
  readonly grouped: boolean;
  /** The side that has many series for one of the other; undefined where neither has. */
  readonly many: 'left' | 'right' | undefined;
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
