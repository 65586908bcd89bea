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
