/** Tests that the health suites of a rollout have run since this process began to look: what its counters say. */
import type { SeenSuiteResult, SeenSuites } from './look.ts';

export interface Tally {
  readonly tests: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly knownFlaky: number;
  /** Runs with a result, and runs that could not be carried out. */
  readonly runs: number;
  readonly failedRuns: number;
  /** When the newest run that is counted ended; none is counted twice. */
  readonly countedUntilMs: number;
}

export type Tallies = ReadonlyMap<string, Tally>;

export const noTallies: Tallies = new Map();

const nothing: Tally = {
  tests: 0,
  passed: 0,
  failed: 0,
  skipped: 0,
  knownFlaky: 0,
  runs: 0,
  failedRuns: 0,
  countedUntilMs: Number.NEGATIVE_INFINITY,
};

/** The same object when nothing is new. */
export function counted(before: Tallies, suites: SeenSuites | undefined): Tallies {
  if (suites === undefined) return before;
  let after: Map<string, Tally> | undefined;
  for (const [name, { runs }] of suites) {
    const tally = before.get(name) ?? nothing;
    const fresh = runs.filter((run) => run.finishedAtMs > tally.countedUntilMs);
    if (fresh.length === 0 && before.has(name)) continue;
    after ??= new Map(before);
    after.set(
      name,
      fresh.reduce(
        (sum, { finishedAtMs, outcome }) => ({
          ...(outcome.type === 'done' ? withResult(sum, outcome) : withoutResult(sum)),
          countedUntilMs: Math.max(sum.countedUntilMs, finishedAtMs),
        }),
        tally,
      ),
    );
  }
  return after ?? before;
}

function withResult(sum: Tally, result: SeenSuiteResult): Tally {
  return {
    ...sum,
    tests: sum.tests + result.total,
    passed: sum.passed + result.passed,
    failed: sum.failed + result.failed,
    skipped: sum.skipped + result.skipped,
    knownFlaky: sum.knownFlaky + result.knownFlaky,
    runs: sum.runs + 1,
  };
}

function withoutResult(sum: Tally): Tally {
  return { ...sum, failedRuns: sum.failedRuns + 1 };
}
