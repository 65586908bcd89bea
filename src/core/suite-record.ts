/** Runs of health suites as evidence: each is kept as it ends, so that whoever takes over knows what came before. */
import type { EvidenceLine, SuiteRecord } from './record.ts';
import type { SuiteRun } from './suite-state.ts';
import { toIso } from './time.ts';

/** Names of failed tests that are kept of one run. */
const NAMES_MAX = 20;

export function suiteRecord(
  name: string,
  { startedAtMs, finishedAtMs, outcome }: SuiteRun,
): SuiteRecord {
  const kept =
    outcome.type === 'done' && outcome.failures.length > NAMES_MAX
      ? { ...outcome, failures: outcome.failures.slice(0, NAMES_MAX) }
      : outcome;
  return {
    type: 'suite',
    name,
    startedAt: toIso(startedAtMs),
    finishedAt: toIso(finishedAtMs),
    outcome: kept,
  };
}

/** By suite, ascending in `finishedAtMs`. */
export function suiteRunsOf(
  lines: readonly EvidenceLine[],
): ReadonlyMap<string, readonly SuiteRun[]> {
  const runs = new Map<string, SuiteRun[]>();
  for (const line of lines) {
    if (line.type !== 'suite') continue;
    const startedAtMs = Date.parse(line.startedAt);
    const finishedAtMs = Date.parse(line.finishedAt);
    if (!(startedAtMs <= finishedAtMs)) continue;
    const known = runs.get(line.name) ?? [];
    known.push({ startedAtMs, finishedAtMs, outcome: line.outcome });
    runs.set(line.name, known);
  }
  for (const known of runs.values()) known.sort((a, b) => a.finishedAtMs - b.finishedAtMs);
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
