/**
 * Regular expressions of label matchers. Prometheus uses RE2, which we do not have: only what is wrong for certain is
 * called wrong, the rest is left to the server.
 */

export type RegexCheck =
  | { readonly type: 'ok'; readonly matches: (value: string) => boolean }
  | { readonly type: 'invalid'; readonly message: string }
  /** Beyond what can be told without RE2. */
  | { readonly type: 'unknown' };

/** What JavaScript's expressions can do and RE2's refuse. */
const NOT_IN_RE2: readonly (readonly [RegExp, string])[] = [
  [/(?<!\\)(?:\\\\)*\(\?<?[=!]/, 'look-ahead and look-behind do not exist in RE2'],
  [/(?<!\\)(?:\\\\)*\\[1-9](?![0-7])/, 'backreferences do not exist in RE2'],
];

/** Legal in RE2, different or unknown in JavaScript. */
const ONLY_IN_RE2 = /\\[QEAzZCpPxa0-7]|\[\[:|\(\?[a-zA-Z-]*[sUm]|\(\?[a-zA-Z]+-|(?:[*+?}])\?\+/;

export function checkRegex(source: string): RegexCheck {
  for (const [pattern, message] of NOT_IN_RE2) {
    if (pattern.test(source)) return { type: 'invalid', message };
  }
  if (ONLY_IN_RE2.test(source)) return { type: 'unknown' };
  const ignoresCase = source.startsWith('(?i)');
  const own = (ignoresCase ? source.slice(4) : source).replaceAll('(?P<', '(?<');
  if (own.includes('(?i)')) return { type: 'unknown' };
  try {
    const regex = new RegExp(`^(?:${own})$`, ignoresCase ? 'si' : 's');
    return { type: 'ok', matches: (value) => regex.test(value) };
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    return { type: 'invalid', message: words.replace(/^.*\/[a-z]*: /s, '').toLowerCase() };
  }
}
