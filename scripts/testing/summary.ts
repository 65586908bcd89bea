/** The last lines of a test run: what all stages add up to, in the form of node's own runner. */
import type { StageResult } from './stage.ts';
import type { Totals } from './totals.ts';

type Count = keyof Totals['counts'];

const lines: readonly (readonly [label: string, count: Count])[] = [
  ['tests', 'tests'],
  ['suites', 'suites'],
  ['pass', 'passed'],
  ['fail', 'failed'],
  ['cancelled', 'cancelled'],
  ['skipped', 'skipped'],
  ['todo', 'todo'],
];

export function summaryText(results: readonly StageResult[], durationMs: number): string {
  const totals = results.flatMap((result) => result.totals ?? []);
  const sum = (count: Count): number =>
    totals.reduce((total, { counts }) => total + counts[count], 0);
  const skipped = totals.flatMap((one) => one.skipped.map((name) => `skipped: ${name}`));
  const problems = results.flatMap(({ problem }) => problem ?? []);
  const failed = results.filter(({ success }) => !success).map(({ name }) => name);
  const verdict = failed.length === 0 ? [] : [`failed: ${failed.join(', ')}`];
  return [
    '',
    ...skipped,
    ...problems,
    ...verdict,
    ...lines.map(([label, count]) => `ℹ ${label} ${sum(count)}`),
    `ℹ duration_ms ${durationMs.toFixed(3)}`,
    '',
  ].join('\n');
}
