/** The runs of one suite in memory: as many as criteria may look back on, and small. */
import type { SuiteRun } from '#core/suite-state.ts';

/** Longer than any window: criteria look over a whole run, extensions included. */
const KEPT_MS = 14 * 24 * 3_600_000;
/** A week of a run every minute. */
const RUNS_MAX = 10_000;
/** Names of failed tests are only told of the newest runs. */
const NAMED_RUNS_MAX = 10;

/** Always a new array: whoever has derived something of the old one knows by that. */
export function withRun(known: readonly SuiteRun[], run: SuiteRun): readonly SuiteRun[] {
  const fromMs = run.finishedAtMs - KEPT_MS;
  const surplus = known.length + 1 - RUNS_MAX;
  const runs = [...known, run].filter(
    ({ finishedAtMs }, index) => index >= surplus && finishedAtMs >= fromMs,
  );
  forgetNames(runs, runs.length - NAMED_RUNS_MAX - 1);
  return runs;
}

/** Of many runs that brought the same, the result is kept once. */
function forgetNames(runs: SuiteRun[], index: number): void {
  const run = runs[index];
  if (run?.outcome.type !== 'done') return;
  const outcome = { ...run.outcome, failures: [] };
  const before = runs[index - 1]?.outcome;
  const isSame = before !== undefined && JSON.stringify(before) === JSON.stringify(outcome);
  runs[index] = { ...run, outcome: isSame ? before : outcome };
}

/** What another process has kept, as this one would have it. */
export function compact(kept: readonly SuiteRun[]): readonly SuiteRun[] {
  const runs = kept.slice(-RUNS_MAX);
  for (let index = 0; index < runs.length - NAMED_RUNS_MAX; index += 1) forgetNames(runs, index);
  return runs;
}

/**
 * Runs of one suite from two sources. It never runs twice at a time, so what overlaps with one of `first` is that one, seen by
 * somebody else's clock.
 * @returns ascending in `finishedAtMs`
 */
export function mergeRuns(
  first: readonly SuiteRun[],
  second: readonly SuiteRun[],
): readonly SuiteRun[] {
  if (first.length === 0 || second.length === 0) return first.length === 0 ? second : first;
  const others = second.filter((run) => !first.some((one) => isSameRun(one, run)));
  if (others.length === 0) return first;
  return [...first, ...others].toSorted((a, b) => a.finishedAtMs - b.finishedAtMs);
}

function isSameRun(one: SuiteRun, other: SuiteRun): boolean {
  const isOverlapping =
    one.startedAtMs < other.finishedAtMs && other.startedAtMs < one.finishedAtMs;
  return isOverlapping || one.startedAtMs === other.startedAtMs;
}
