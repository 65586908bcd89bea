/** Health suites: one run of one suite, and the board on which the runs of all suites stand. */
import type { RunSuite } from '#core/run-spec.ts';
import type { SuiteRun, SuiteState } from '#core/suite-state.ts';
import type { KubeObject, ObjectKey } from './cluster.ts';

export type SuiteOutcome = SuiteRun['outcome'];

export interface SuiteOrder {
  readonly rollout: KubeObject;
  readonly suite: RunSuite;
  readonly runId: string;
  /** Together with the run's id it names this run of the suite, whoever asks for it. */
  readonly dueAtMs: number;
}

/** What an earlier process has left of a suite. */
export interface EarlierRuns {
  readonly runs: readonly SuiteRun[];
  /** Still running: waited for like one of our own. */
  readonly running: { readonly startedAtMs: number; readonly order: SuiteOrder } | undefined;
}

export interface SuiteRunner {
  /**
   * Runs it once, or goes on waiting for the run that this order has already made, and resolves with what came of it.
   * What cannot be carried out is an outcome too. Rejects only when `signal` is aborted.
   */
  run(order: SuiteOrder, signal: AbortSignal): Promise<SuiteOutcome>;
  /** Undefined for runners whose runs end with the process. */
  earlier?(rollout: KubeObject, suite: RunSuite, signal: AbortSignal): Promise<EarlierRuns>;
}

/** Where the runs of suites outlive a process. Nothing here waits or throws. */
export interface SuiteArchive {
  keepSuiteRun(order: SuiteOrder, run: SuiteRun): void;
  /** What is kept of a run of the rollout, by suite; undefined while that is not known, and being read. */
  keptSuiteRuns(
    rollout: KubeObject,
    runId: string,
  ): ReadonlyMap<string, readonly SuiteRun[]> | undefined;
}

export interface SuiteBoard {
  /**
   * By name. Absent: not known yet.
   * @param runId of the run under way, if there is one: what an earlier process has kept of it is read first
   */
  states(
    rollout: KubeObject,
    suites: readonly RunSuite[],
    runId: string | undefined,
  ): ReadonlyMap<string, SuiteState>;
  /** Begins a run and returns at once; one at a time for each suite, and one for each time it was due. */
  start(order: SuiteOrder): 'started' | 'dropped';
  /** The rollout is gone. */
  forget(rollout: ObjectKey): void;
}
