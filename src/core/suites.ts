/**
 * When health suites run: by their interval for as long as the run is watched, and whenever a rung, a checkpoint
 * or a rollback asks. Nothing of it is written down: the runs themselves say when the last one was.
 */
import type { Hold } from '#api/status.ts';
import type { Action } from './decision.ts';
import type { RunSpec, RunSuite } from './run-spec.ts';
import type { Snapshot } from './snapshot.ts';
import { suiteOf } from './suite-reading.ts';
import type { SuiteState } from './suite-state.ts';
import { fromIso } from './time.ts';

/** What of a view is needed: finders of holds have no more. */
export interface SuiteFacts {
  readonly snapshot: Snapshot;
  readonly run: RunSpec;
  readonly now: number;
}

const SUITE_FAILING = 'SuiteFailing';

/** An action to run the suite of this name, at once; none when the run has no such suite. */
export function runSuite(
  { snapshot, run }: SuiteFacts,
  name: string,
  dueAtMs: number,
  reason: string,
): Action[] {
  const suite = run.suites.find((one) => one.name === name);
  const { runId } = snapshot.status;
  if (suite === undefined || runId === undefined) return [];
  return [{ type: 'RunSuite', suite, runId, dueAtMs, reason }];
}

/** Those whose interval has passed. */
export function dueSuites(facts: SuiteFacts): Action[] {
  return dueTimes(facts)
    .filter(({ dueAtMs }) => dueAtMs <= facts.now)
    .flatMap(({ suite, dueAtMs }) =>
      runSuite(facts, suite.name, dueAtMs, `its interval has passed`),
    );
}

/** When each suite is due next by its interval; past ones too. */
export function suiteMoments(facts: SuiteFacts): number[] {
  return dueTimes(facts).map(({ dueAtMs }) => dueAtMs);
}

/**
 * Two runs in a row that could not be carried out say nothing of the service, and a person must know. While it is not
 * known what an earlier process has left, what that one held for stands.
 */
export function failingSuites({ snapshot, run }: SuiteFacts): Omit<Hold, 'since'>[] {
  return run.suites.flatMap(({ name }) => {
    const state = suiteOf(snapshot, name);
    if (state === undefined) {
      const held = snapshot.status.holds?.find(
        ({ reason, by }) => reason === SUITE_FAILING && by === name,
      );
      return held === undefined
        ? []
        : [{ reason: held.reason, by: held.by, message: held.message }];
    }
    const [before, last] = state.runs.slice(-2);
    if (before?.outcome.type !== 'failed' || last?.outcome.type !== 'failed') return [];
    const message = `suite ${name} could not be run twice in a row: ${last.outcome.message}`;
    return [{ reason: SUITE_FAILING, by: name, message }];
  });
}

function dueTimes(facts: SuiteFacts): { readonly suite: RunSuite; readonly dueAtMs: number }[] {
  const { snapshot, run } = facts;
  return run.suites.flatMap((suite) => {
    const dueAtMs = nextDueAt(suite, suiteOf(snapshot, suite.name), facts);
    return dueAtMs === undefined ? [] : [{ suite, dueAtMs }];
  });
}

/** @returns undefined while it runs, or while its runs are not known */
function nextDueAt(
  { intervalMs }: RunSuite,
  state: SuiteState | undefined,
  { snapshot, now }: SuiteFacts,
): number | undefined {
  const { startedAt } = snapshot.status;
  if (state === undefined || state.runningSinceMs !== undefined || startedAt === undefined) {
    return undefined;
  }
  if (state.runs.length === 0) return Math.min(now, fromIso(startedAt));
  // A start in the future was seen before the clock stepped back.
  const lastMs = Math.max(...state.runs.map((run) => run.startedAtMs));
  return Math.min(now, lastMs) + intervalMs;
}
