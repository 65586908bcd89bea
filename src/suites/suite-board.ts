/**
 * Which health suites run and what their runs have brought: in memory, for as long as criteria may look back, and in the
 * archive, from which the next process takes it. Until that is read nothing stands here and nothing is run.
 */
import type { RunSuite } from '#core/run-spec.ts';
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
import { logRun } from './run-log.ts';
import { compact, mergeRuns, withRun } from './suite-runs.ts';

export interface SuiteBoardOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly runners: Readonly<Record<RunSuite['runner']['type'], SuiteRunner>>;
  readonly archive: SuiteArchive;
  /** A run has ended, or what was not known is known: look at this rollout. */
  readonly onChange: (rollout: ObjectKey) => void;
  /** A run was due while the one before it was still under way. */
  readonly onDropped: (order: SuiteOrder) => void;
  /** Aborted when the process ends: a run that is cut off by that is no result. */
  readonly stopping: AbortSignal;
}

/** An archive that cannot be read for so long must not keep suites from being run. */
const ARCHIVE_WAIT_MS = 30_000;

/** A clock that differs by more from one look to the next has been set. */
const CLOCK_SET_MS = 1_000;

interface Entry {
  state: SuiteState;
  /** What our clock was ahead of the time since the start of the process, when last looked at. */
  aheadMs: number;
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
  return new Board(options);
}

class Board implements SuiteBoard {
  readonly #options: SuiteBoardOptions;
  readonly #rollouts = new Map<string, OfRollout>();
  /** Runs that this process has seen the end of. */
  readonly #own = new WeakSet<SuiteRun>();

  constructor(options: SuiteBoardOptions) {
    this.#options = options;
  }

  states(
    rollout: KubeObject,
    suites: readonly RunSuite[],
    runId: string | undefined,
  ): ReadonlyMap<string, SuiteState> {
    const states = new Map<string, SuiteState>();
    for (const suite of suites) {
      const entry = this.#entryOf(rollout, suite);
      this.#read(entry, rollout, suite.name, runId);
      this.#redate(entry);
      if (this.#isKnown(entry)) states.set(suite.name, entry.state);
    }
    return states;
  }

  start(order: SuiteOrder): 'started' | 'dropped' {
    const { clock, onDropped, stopping } = this.#options;
    const entry = this.#entryOf(order.rollout, order.suite);
    this.#read(entry, order.rollout, order.suite.name, order.runId);
    const { runs, runningSinceMs } = entry.state;
    const isRunning = runningSinceMs !== undefined;
    const hasRun = runs.some((run) => run.startedAtMs >= order.dueAtMs);
    if (isRunning) onDropped(order);
    if (!this.#isKnown(entry) || isRunning || hasRun || stopping.aborted) return 'dropped';
    this.#wait(order, entry, clock.now());
    return 'started';
  }

  forget(rollout: ObjectKey): void {
    this.#rollouts.delete(idOf(rollout));
  }

  #entryOf(rollout: KubeObject, suite: RunSuite): Entry {
    const id = idOf(keyOf(rollout));
    const { uid } = rollout.metadata;
    const known = this.#rollouts.get(id);
    const ofRollout = known?.uid === uid ? known : undefined;
    const { entries } = ofRollout ?? { entries: new Map<string, Entry>() };
    if (ofRollout === undefined) this.#rollouts.set(id, { uid, entries });
    const found = entries.get(suite.name);
    if (found !== undefined) return found;
    const sinceMs = this.#options.clock.monotonic();
    const entry: Entry = {
      state: { runs: [] },
      aheadMs: this.#aheadMs(),
      sinceMs,
      isLearnt: false,
      isRead: false,
    };
    entries.set(suite.name, entry);
    this.#learn(rollout, suite, entry);
    return entry;
  }

  #isKnown({ isLearnt, isRead, sinceMs }: Entry): boolean {
    return isLearnt && (isRead || this.#options.clock.monotonic() - sinceMs >= ARCHIVE_WAIT_MS);
  }

  /** What an earlier process has left with the runner. While that is not known nothing is run. */
  #learn(rollout: KubeObject, suite: RunSuite, entry: Entry): void {
    const { logger, onChange, runners, stopping } = this.#options;
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
        if (running !== undefined) this.#wait(running.order, entry, running.startedAtMs);
        onChange(keyOf(rollout));
      },
      (error: unknown) => {
        if (stopping.aborted) return;
        logger.warn({ err: error, suite: suite.name }, 'earlier runs of a suite cannot be read');
        // Asked again at the next look.
        this.#rollouts.get(idOf(keyOf(rollout)))?.entries.delete(suite.name);
      },
    );
  }

  /** Once for each process: what comes later it has run itself. */
  #read(entry: Entry, rollout: KubeObject, suite: string, runId: string | undefined): void {
    if (entry.isRead) return;
    const { archive } = this.#options;
    const kept = runId === undefined ? noRuns : archive.keptSuiteRuns(rollout, runId);
    if (kept === undefined) return;
    entry.isRead = true;
    const runs = mergeRuns(compact(kept.get(suite) ?? []), entry.state.runs);
    entry.state = { ...entry.state, runs };
  }

  /** Runs of this process keep their age when its clock is set: otherwise the newest would lie in a time to come. */
  #redate(entry: Entry): void {
    const aheadMs = this.#aheadMs();
    const byMs = aheadMs - entry.aheadMs;
    if (Math.abs(byMs) <= CLOCK_SET_MS) return;
    entry.aheadMs = aheadMs;
    const { runs, runningSinceMs } = entry.state;
    const redated = runs.map((run) => {
      if (!this.#own.has(run)) return run;
      const { startedAtMs, finishedAtMs, outcome } = run;
      return this.#asOwn({
        startedAtMs: startedAtMs + byMs,
        finishedAtMs: finishedAtMs + byMs,
        outcome,
      });
    });
    entry.state = {
      runs: redated.toSorted((a, b) => a.finishedAtMs - b.finishedAtMs),
      ...(runningSinceMs === undefined ? {} : { runningSinceMs: runningSinceMs + byMs }),
    };
  }

  #aheadMs(): number {
    const { clock } = this.#options;
    return clock.now() - clock.monotonic();
  }

  #asOwn(run: SuiteRun): SuiteRun {
    this.#own.add(run);
    return run;
  }

  /** Until it has ended, and at most until its timeout, counted from its start. */
  #wait(order: SuiteOrder, entry: Entry, startedAtMs: number): void {
    const { archive, clock, logger, onChange, runners, stopping } = this.#options;
    const { suite, rollout } = order;
    entry.state = { ...entry.state, runningSinceMs: startedAtMs };
    const limitMs = Math.max(0, startedAtMs + suite.timeoutMs - clock.now());
    const work = (signal: AbortSignal) => runners[suite.runner.type].run(order, signal);
    withDeadline(clock, limitMs, [stopping], work)
      .catch((error: unknown) => failureOf(error, suite))
      .then((outcome) => {
        if (stopping.aborted) return;
        this.#redate(entry);
        const { runningSinceMs = startedAtMs } = entry.state;
        const finishedAtMs = clock.now();
        const run = this.#asOwn({ startedAtMs: runningSinceMs, finishedAtMs, outcome });
        entry.state = { runs: withRun(entry.state.runs, run) };
        logRun(logger, order, run);
        archive.keepSuiteRun(order, run);
        onChange(keyOf(rollout));
      })
      .catch((error: unknown) => logger.error({ err: error }, 'a run of a suite was lost'));
  }
}

const noRuns: ReadonlyMap<string, readonly SuiteRun[]> = new Map();

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
