/** PromQL string literals: `"…"` and `'…'` with Go's escapes, `` `…` `` as it is (Prometheus util/strutil/quote.go). */
import { PromqlFault } from './ast.ts';

const SIMPLE: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};

/** Numeric escapes: first letter, number of digits, base. */
const NUMERIC: Readonly<Record<string, readonly [number, number]>> = {
  x: [2, 16],
  u: [4, 16],
  U: [8, 16],
};

const CODE_POINT_MAX = 0x10ffff;

/** The value of a literal with its quotes. `from` is where it stands, for messages. */
export function unquote(literal: string, from: number): string {
  const quote = literal.charAt(0);
  const inner = literal.slice(1, -1);
  if (quote === '`' || !inner.includes('\\')) return inner;
  return inner.replaceAll(
    /\\([0-7]{3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[^])/g,
    (found, escape: string, at: number) => {
      const value = unescape(escape, quote);
      if (value !== undefined) return value;
      const hint = /[.\-dDsSwWbB+*?()[\]{}|^$/]/.test(escape)
        ? `; in a regular expression write \\\\${escape}`
        : '';
      throw new PromqlFault(from + 1 + at, `unknown escape ${found} in a string${hint}`);
    },
  );
}

function unescape(escape: string, quote: string): string | undefined {
  if (escape === quote) return quote;
  if (escape.length === 1) return SIMPLE[escape];
  const numeric = NUMERIC[escape.charAt(0)];
  const code = numeric ? Number.parseInt(escape.slice(1), numeric[1]) : Number.parseInt(escape, 8);
  if (code > CODE_POINT_MAX || (!numeric && code > 0o377)) return undefined;
  return String.fromCodePoint(code);
}
