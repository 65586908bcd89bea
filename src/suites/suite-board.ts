/** Which health suites run and what their runs have brought, kept in memory for as long as a hold may look back. */
import type { RunSuite } from '#core/run-spec.ts';
import type { SuiteRun, SuiteState } from '#core/suite-state.ts';
import type { Clock } from '#ports/clock.ts';
import type { KubeObject, ObjectKey } from '#ports/cluster.ts';
import type { Logger } from '#ports/logger.ts';
import type { SuiteBoard, SuiteOrder, SuiteOutcome, SuiteRunner } from '#ports/suite-runner.ts';
import { DeadlineExceeded, withDeadline } from '#runtime/deadline.ts';

export interface SuiteBoardOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly runners: Readonly<Record<RunSuite['runner']['type'], SuiteRunner>>;
  /** A run has ended, or what was not known is known: look at this rollout. */
  readonly onChange: (rollout: ObjectKey) => void;
  /** A run was due while the one before it was still under way. */
  readonly onDropped: () => void;
  /** Aborted when the process ends: a run that is cut off by that is no result. */
  readonly stopping: AbortSignal;
}

const KEPT_MS = 48 * 3_600_000;
const RUNS_MAX = 2_000;
/** Names of failed tests are only told of the newest runs. */
const NAMED_RUNS_MAX = 10;

interface Entry {
  /** Ascending in `finishedAtMs`. */
  readonly runs: SuiteRun[];
  runningSinceMs: number | undefined;
  isKnown: boolean;
}

interface OfRollout {
  readonly uid: string | undefined;
  readonly entries: Map<string, Entry>;
}

export function createSuiteBoard(options: SuiteBoardOptions): SuiteBoard {
  const { clock, logger, runners, stopping } = options;
  const rollouts = new Map<string, OfRollout>();

  const entryOf = (rollout: KubeObject, suite: RunSuite): Entry => {
    const id = idOf(keyOf(rollout));
    const { uid } = rollout.metadata;
    const known = rollouts.get(id);
    const ofRollout = known?.uid === uid ? known : undefined;
    const { entries } = ofRollout ?? { entries: new Map<string, Entry>() };
    if (ofRollout === undefined) rollouts.set(id, { uid, entries });
    const entry = entries.get(suite.name) ?? {
      runs: [],
      runningSinceMs: undefined,
      isKnown: false,
    };
    if (!entries.has(suite.name)) {
      entries.set(suite.name, entry);
      learn(rollout, suite, entry);
    }
    return entry;
  };

  /** What an earlier process has left. While that is not known nothing is run. */
  const learn = (rollout: KubeObject, suite: RunSuite, entry: Entry): void => {
    const runner = runners[suite.runner.type];
    if (runner.earlier === undefined) {
      entry.isKnown = true;
      return;
    }
    runner.earlier(rollout, suite, stopping).then(
      ({ runs, running }) => {
        entry.runs.push(...runs.toSorted((a, b) => a.finishedAtMs - b.finishedAtMs));
        entry.isKnown = true;
        if (running !== undefined) wait(running.order, entry, running.startedAtMs);
        options.onChange(keyOf(rollout));
      },
      (error: unknown) => {
        if (stopping.aborted) return;
        logger.warn({ err: error, suite: suite.name }, 'earlier runs of a suite cannot be read');
        // Asked again at the next look.
        rollouts.get(idOf(keyOf(rollout)))?.entries.delete(suite.name);
      },
    );
  };

  /** Until it has ended, and at most until its timeout, counted from its start. */
  const wait = (order: SuiteOrder, entry: Entry, startedAtMs: number): void => {
    const { suite, rollout } = order;
    entry.runningSinceMs = startedAtMs;
    const limitMs = Math.max(0, startedAtMs + suite.timeoutMs - clock.now());
    const work = (signal: AbortSignal) => runners[suite.runner.type].run(order, signal);
    withDeadline(clock, limitMs, [stopping], work)
      .catch((error: unknown) => failureOf(error, suite))
      .then((outcome) => {
        if (stopping.aborted) return;
        entry.runningSinceMs = undefined;
        keep(entry, { startedAtMs, finishedAtMs: clock.now(), outcome }, clock.now());
        options.onChange(keyOf(rollout));
      })
      .catch((error: unknown) => logger.error({ err: error }, 'a run of a suite was lost'));
  };

  return {
    states(rollout, suites) {
      const states = new Map<string, SuiteState>();
      for (const suite of suites) {
        const entry = entryOf(rollout, suite);
        if (entry.isKnown) states.set(suite.name, stateOf(entry));
      }
      return states;
    },
    start(order) {
      const entry = entryOf(order.rollout, order.suite);
      const isRunning = entry.runningSinceMs !== undefined;
      const hasRun = entry.runs.some((run) => run.startedAtMs >= order.dueAtMs);
      if (isRunning) options.onDropped();
      if (!entry.isKnown || isRunning || hasRun || stopping.aborted) return 'dropped';
      wait(order, entry, clock.now());
      return 'started';
    },
    forget(rollout) {
      rollouts.delete(idOf(rollout));
    },
  };
}

function stateOf({ runs, runningSinceMs }: Entry): SuiteState {
  return { runs: [...runs], ...(runningSinceMs === undefined ? {} : { runningSinceMs }) };
}

function keep({ runs }: Entry, run: SuiteRun, nowMs: number): void {
  runs.push(run);
  while (runs.length > RUNS_MAX || (runs[0]?.finishedAtMs ?? nowMs) < nowMs - KEPT_MS) runs.shift();
  const index = runs.length - 1 - NAMED_RUNS_MAX;
  const old = runs[index];
  if (old?.outcome.type === 'done' && old.outcome.failures.length > 0) {
    runs[index] = { ...old, outcome: { ...old.outcome, failures: [] } };
  }
}

function failureOf(error: unknown, { timeoutMs }: RunSuite): SuiteOutcome {
  if (error instanceof DeadlineExceeded) {
    return { type: 'failed', message: `no result within its timeout of ${timeoutMs / 1000} s` };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { type: 'failed', message };
}

function keyOf({ metadata: { namespace = '', name } }: KubeObject): ObjectKey {
  return { namespace, name };
}

function idOf({ namespace, name }: ObjectKey): string {
  return `${namespace}/${name}`;
}
