/**
 * Known flaky tests, by the patterns of the spec. Patterns and names come from whoever may write a rollout, so they
 * are matched by an engine that takes linear time: one bad pattern must not stop the operator for everybody.
 */
import { RE2JS } from 're2js';

const NAME_LENGTH_MAX = 1024;

/** Anywhere in the name, as regular expressions have it; `^` and `$` bind. A pattern that RE2 does not know matches nothing. */
export function flakyMatcher(patterns: readonly string[]): (name: string) => boolean {
  const compiled = patterns.flatMap((pattern) => compile(pattern) ?? []);
  return (name) => {
    const text = name.slice(0, NAME_LENGTH_MAX);
    return compiled.some((pattern) => pattern.matcher(text).find());
  };
}

/** @returns the rest of a sentence when it cannot be used */
export function patternProblem(pattern: string): string | undefined {
  return compile(pattern) === undefined
    ? 'is not a regular expression of the RE2 syntax, which has no lookaround and no backreferences'
    : undefined;
}

function compile(pattern: string): RE2JS | undefined {
  try {
    return RE2JS.compile(pattern);
  } catch {
    return undefined;
  }
}
