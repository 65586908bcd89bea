/**
 * Which health suites run and what their runs have brought: in memory, for as long as criteria may look back, and in the
 * archive, from which the next process takes it. Until that is read nothing stands here and nothing is run.
 */
import type { RunSuite } from '#core/run-spec.ts';
import { mergeRuns } from '#core/suite-record.ts';
import type { SuiteRun, SuiteState } from '#core/suite-state.ts';
import type { Clock } from '#ports/clock.ts';
import type { KubeObject, ObjectKey } from '#ports/cluster.ts';
import type { Logger } from '#ports/logger.ts';
import type {
  SuiteArchive,
  SuiteBoard,
  SuiteOrder,
  SuiteOutcome,
  SuiteRunner,
} from '#ports/suite-runner.ts';
import { DeadlineExceeded, withDeadline } from '#runtime/deadline.ts';

export interface SuiteBoardOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly runners: Readonly<Record<RunSuite['runner']['type'], SuiteRunner>>;
  readonly archive: SuiteArchive;
  /** A run has ended, or what was not known is known: look at this rollout. */
  readonly onChange: (rollout: ObjectKey) => void;
  /** A run was due while the one before it was still under way. */
  readonly onDropped: () => void;
  /** Aborted when the process ends: a run that is cut off by that is no result. */
  readonly stopping: AbortSignal;
}

/** Longer than any window: criteria look over a whole run, extensions included. */
const KEPT_MS = 14 * 24 * 3_600_000;
/** A week of a run every minute. */
const RUNS_MAX = 10_000;
/** Names of failed tests are only told of the newest runs. */
const NAMED_RUNS_MAX = 10;
/** An archive that cannot be read for so long must not keep suites from being run. */
const ARCHIVE_WAIT_MS = 30_000;

interface Entry {
  state: SuiteState;
  readonly sinceMs: number;
  /** What the runner has of an earlier process. */
  isLearnt: boolean;
  /** What the archive has of it. */
  isRead: boolean;
}

interface OfRollout {
  readonly uid: string | undefined;
  readonly entries: Map<string, Entry>;
}

export function createSuiteBoard(options: SuiteBoardOptions): SuiteBoard {
  const { clock, logger, runners, archive, stopping } = options;
  const rollouts = new Map<string, OfRollout>();

  const entryOf = (rollout: KubeObject, suite: RunSuite): Entry => {
    const id = idOf(keyOf(rollout));
    const { uid } = rollout.metadata;
    const known = rollouts.get(id);
    const ofRollout = known?.uid === uid ? known : undefined;
    const { entries } = ofRollout ?? { entries: new Map<string, Entry>() };
    if (ofRollout === undefined) rollouts.set(id, { uid, entries });
    const entry = entries.get(suite.name) ?? {
      state: { runs: [] },
      sinceMs: clock.monotonic(),
      isLearnt: false,
      isRead: false,
    };
    if (!entries.has(suite.name)) {
      entries.set(suite.name, entry);
      learn(rollout, suite, entry);
    }
    return entry;
  };

  const isKnown = ({ isLearnt, isRead, sinceMs }: Entry): boolean =>
    isLearnt && (isRead || clock.monotonic() - sinceMs >= ARCHIVE_WAIT_MS);

  /** What an earlier process has left with the runner. While that is not known nothing is run. */
  const learn = (rollout: KubeObject, suite: RunSuite, entry: Entry): void => {
    const runner = runners[suite.runner.type];
    if (runner.earlier === undefined) {
      entry.isLearnt = true;
      return;
    }
    runner.earlier(rollout, suite, stopping).then(
      ({ runs, running }) => {
        const found = runs.toSorted((a, b) => a.finishedAtMs - b.finishedAtMs);
        entry.state = { ...entry.state, runs: mergeRuns(entry.state.runs, found) };
        entry.isLearnt = true;
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

  /** Once for each process: what comes later it has run itself. */
  const read = (entry: Entry, rollout: KubeObject, suite: string, runId?: string): void => {
    if (entry.isRead) return;
    const kept = runId === undefined ? noRuns : archive.keptSuiteRuns(rollout, runId);
    if (kept === undefined) return;
    entry.isRead = true;
    const runs = mergeRuns(compact(kept.get(suite) ?? []), entry.state.runs);
    entry.state = { ...entry.state, runs };
  };

  /** Until it has ended, and at most until its timeout, counted from its start. */
  const wait = (order: SuiteOrder, entry: Entry, startedAtMs: number): void => {
    const { suite, rollout } = order;
    entry.state = { ...entry.state, runningSinceMs: startedAtMs };
    const limitMs = Math.max(0, startedAtMs + suite.timeoutMs - clock.now());
    const work = (signal: AbortSignal) => runners[suite.runner.type].run(order, signal);
    withDeadline(clock, limitMs, [stopping], work)
      .catch((error: unknown) => failureOf(error, suite))
      .then((outcome) => {
        if (stopping.aborted) return;
        const run = { startedAtMs, finishedAtMs: clock.now(), outcome };
        entry.state = { runs: withRun(entry.state.runs, run) };
        archive.keepSuiteRun(order, run);
        options.onChange(keyOf(rollout));
      })
      .catch((error: unknown) => logger.error({ err: error }, 'a run of a suite was lost'));
  };

  return {
    states(rollout, suites, runId) {
      const states = new Map<string, SuiteState>();
      for (const suite of suites) {
        const entry = entryOf(rollout, suite);
        read(entry, rollout, suite.name, runId);
        if (isKnown(entry)) states.set(suite.name, entry.state);
      }
      return states;
    },
    start(order) {
      const entry = entryOf(order.rollout, order.suite);
      read(entry, order.rollout, order.suite.name, order.runId);
      const { runs, runningSinceMs } = entry.state;
      const isRunning = runningSinceMs !== undefined;
      const hasRun = runs.some((run) => run.startedAtMs >= order.dueAtMs);
      if (isRunning) options.onDropped();
      if (!isKnown(entry) || isRunning || hasRun || stopping.aborted) return 'dropped';
      wait(order, entry, clock.now());
      return 'started';
    },
    forget(rollout) {
      rollouts.delete(idOf(rollout));
    },
  };
}

const noRuns: ReadonlyMap<string, readonly SuiteRun[]> = new Map();

/** Always a new array: whoever has derived something of the old one knows by that. */
function withRun(known: readonly SuiteRun[], run: SuiteRun): readonly SuiteRun[] {
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

function compact(kept: readonly SuiteRun[]): readonly SuiteRun[] {
  const runs = kept.slice(-RUNS_MAX);
  for (let index = 0; index < runs.length - NAMED_RUNS_MAX; index += 1) forgetNames(runs, index);
  return runs;
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
