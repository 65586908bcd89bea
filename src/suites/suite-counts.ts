/** What a suite has told, in whatever form: counts and the names of failures, or why it is no result. */

/** Counts as they were told, before the known flaky ones are told apart. */
export interface SuiteReport {
  readonly total: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Names of failed tests, as far as they were told; a test may have a short and a long one. */
  readonly failures: readonly (readonly string[])[];
}

export type ReportResult =
  | { readonly type: 'ok'; readonly report: SuiteReport }
  | { readonly type: 'invalid'; readonly message: string };

const EXCERPT_MAX = 120;

export function invalid(message: string): ReportResult {
  return { type: 'invalid', message };
}

/** On one line, cut. */
export function excerpt(text: string): string {
  const line = oneLine(text);
  return line.length > EXCERPT_MAX ? `${line.slice(0, EXCERPT_MAX)}…` : line;
}

/** The same of its end. */
export function excerptOfEnd(text: string): string {
  // No more is looked at than may be shown.
  const line = oneLine(text.trimEnd().slice(-4 * EXCERPT_MAX));
  return line.length > EXCERPT_MAX ? `…${line.slice(-EXCERPT_MAX)}` : line;
}

function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
}
