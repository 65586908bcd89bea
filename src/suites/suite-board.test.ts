/** The board of suites: one run at a time, none twice, nothing lost when a process ends and another begins. */
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { SuiteRun } from '#core/suite-state.ts';
import { silentLogger } from '#ports/logger.ts';
import type {
  EarlierRuns,
  SuiteBoard,
  SuiteOrder,
  SuiteOutcome,
  SuiteRunner,
} from '#ports/suite-runner.ts';
import { VirtualClock } from '#test/kube/virtual-clock.ts';
import { createSuiteBoard } from './suite-board.ts';

const done = (failures: readonly string[] = []): SuiteOutcome => ({
  type: 'done',
  total: 10,
  passed: 10 - failures.length,
  failed: failures.length,
  skipped: 0,
  knownFlaky: 0,
  newFailures: failures.length,
  failures,
});

let clock: VirtualClock;
let stopping: AbortController;
let running: { readonly order: SuiteOrder; end(outcome: SuiteOutcome | Error): void }[];
let changed: number;
let dropped: number;
let earlier: (() => Promise<EarlierRuns>) | undefined;
let board: SuiteBoard;
let archived: SuiteRun[];
/** What the archive has; undefined while it cannot be read. */
let kept: ReadonlyMap<string, readonly SuiteRun[]> | undefined;

beforeEach(() => {
  clock = new VirtualClock();
  stopping = new AbortController();
  running = [];
  changed = 0;
  dropped = 0;
  earlier = undefined;
  archived = [];
  kept = new Map();
  board = open();
});

function open(): SuiteBoard {
  const runner: SuiteRunner = {
    run: (order) =>
      new Promise((resolve, reject) => {
        const end = (outcome: SuiteOutcome | Error) =>
          outcome instanceof Error ? reject(outcome) : resolve(outcome);
        running.push({ order, end });
      }),
  };
  const job: SuiteRunner = {
    ...runner,
    earlier: () => earlier?.() ?? Promise.resolve({ runs: [], running: undefined }),
  };
  return createSuiteBoard({
    clock,
    logger: silentLogger,
    runners: { http: runner, job },
    archive: {
      keepSuiteRun: (_, run) => archived.push(run),
      keptSuiteRuns: () => kept,
    },
    onChange: () => (changed += 1),
    onDropped: () => (dropped += 1),
    stopping: stopping.signal,
  });
}

function order(dueAtMs: number, type: 'http' | 'job' = 'http', uid = 'u-1'): SuiteOrder {
  return {
    rollout: { apiVersion: 'v', kind: 'k', metadata: { name: 'r', namespace: 'n', uid } },
    suite: {
      name: 'health',
      intervalMs: 60_000,
      timeoutMs: 40_000,
      runner: type === 'http' ? { type, url: 'http://u' } : { type, template: {} },
      knownFlaky: [],
    },
    runId: 'run',
    dueAtMs,
  };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));
const stateOf = ({ rollout, suite }: SuiteOrder) =>
  board.states(rollout, [suite], 'run').get('health');

describe('a run', () => {
  test('stands on the board while it runs, and as a result once it has ended', async () => {
    const one = order(clock.now());
    assert.deepEqual(stateOf(one), { runs: [] });
    const startedAtMs = clock.now();
    assert.equal(board.start(one), 'started');
    assert.deepEqual(stateOf(one), { runs: [], runningSinceMs: startedAtMs });
    await clock.advance(10_000);
    running[0]?.end(done());
    await settle();
    const run = { startedAtMs, finishedAtMs: startedAtMs + 10_000, outcome: done() };
    assert.deepEqual(stateOf(one), { runs: [run] });
    assert.equal(changed, 1);
  });

  test('never overlaps another: what is due meanwhile is dropped and counted', async () => {
    board.start(order(clock.now()));
    assert.equal(board.start(order(clock.now() + 1)), 'dropped');
    assert.equal(running.length, 1);
    assert.equal(dropped, 1);
    running[0]?.end(done());
    await settle();
    assert.equal(board.start(order(clock.now() + 1)), 'started');
  });

  test('keeps its age when the clock is put back', async () => {
    const one = order(clock.now());
    board.start(one);
    running[0]?.end(done());
    await clock.advance(10_000);
    board.start(order(clock.now()));
    clock.step(-30_000);
    const runs = [{ startedAtMs: clock.now() - 10_000, finishedAtMs: clock.now() - 10_000 }];
    const state = stateOf(one);
    assert.deepEqual(
      state?.runs.map(({ startedAtMs, finishedAtMs }) => ({ startedAtMs, finishedAtMs })),
      runs,
    );
    assert.equal(state?.runningSinceMs, clock.now());
    await clock.advance(5_000);
    running[1]?.end(done(['login']));
    await settle();
    const newest = stateOf(one)?.runs.at(-1);
    assert.equal(newest?.startedAtMs, clock.now() - 5_000);
    assert.equal(newest?.finishedAtMs, clock.now());
  });

  test('is not made twice for the time it was due', async () => {
    const one = order(clock.now());
    board.start(one);
    running[0]?.end(done());
    await settle();
    assert.equal(board.start(one), 'dropped');
    assert.equal(running.length, 1);
  });

  test('without a result within its timeout has failed', async () => {
    const one = order(clock.now());
    board.start(one);
    await clock.advance(40_000);
    await settle();
    assert.deepEqual(stateOf(one)?.runs[0]?.outcome, {
      type: 'failed',
      message: 'no result within its timeout of 40 s',
    });
  });

  test('whose runner breaks has failed', async () => {
    const one = order(clock.now());
    board.start(one);
    running[0]?.end(new Error('no more memory'));
    await settle();
    assert.deepEqual(stateOf(one)?.runs[0]?.outcome, {
      type: 'failed',
      message: 'no more memory',
    });
  });

  test('that the end of the process cuts off is no result', async () => {
    const one = order(clock.now());
    board.start(one);
    stopping.abort(new Error('the operator is being stopped'));
    await settle();
    assert.deepEqual(stateOf(one)?.runs, []);
    assert.equal(changed, 0);
  });

  test('of a rollout that was made anew under the same name is not the old one', async () => {
    board.start(order(clock.now()));
    running[0]?.end(done());
    await settle();
    assert.deepEqual(stateOf(order(0, 'http', 'u-2')), { runs: [] });
  });
});

describe('names of failed tests', () => {
  test('are told of the newest runs only', async () => {
    for (let n = 0; n < 12; n += 1) {
      board.start(order(clock.now()));
      running[n]?.end(done(['it']));
      await settle();
      await clock.advance(60_000);
    }
    const named = stateOf(order(0))?.runs.map(
      ({ outcome }) => outcome.type === 'done' && outcome.failures.length,
    );
    assert.deepEqual(named, [0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
  });
});

describe('what an earlier process has left', () => {
  test('is waited for: until it is known nothing stands on the board, and nothing is run', async () => {
    const one = order(clock.now(), 'job');
    assert.equal(stateOf(one), undefined);
    assert.equal(board.start(one), 'dropped');
    await settle();
    assert.deepEqual(stateOf(one), { runs: [] });
    assert.equal(changed, 1);
  });

  test('is on the board, and what still runs is waited for', async () => {
    const one = order(clock.now() - 20_000, 'job');
    const startedAtMs = clock.now() - 20_000;
    const run = { startedAtMs: startedAtMs - 60_000, finishedAtMs: startedAtMs, outcome: done() };
    earlier = () => Promise.resolve({ runs: [run], running: { startedAtMs, order: one } });
    assert.equal(stateOf(one), undefined);
    await settle();
    assert.deepEqual(stateOf(one), { runs: [run], runningSinceMs: startedAtMs });
    // Its timeout counts from its own start.
    await clock.advance(20_000);
    await settle();
    assert.equal(stateOf(one)?.runs.at(-1)?.outcome.type, 'failed');
  });

  test('that cannot be read is asked for again at the next look', async () => {
    const one = order(clock.now(), 'job');
    earlier = () => Promise.reject(new Error('forbidden'));
    stateOf(one);
    await settle();
    earlier = undefined;
    assert.equal(stateOf(one), undefined);
    await settle();
    assert.deepEqual(stateOf(one), { runs: [] });
  });
});

describe('the archive', () => {
  const run = (startedAtMs: number, failures: readonly string[] = []): SuiteRun => ({
    startedAtMs,
    finishedAtMs: startedAtMs + 5_000,
    outcome: done(failures),
  });

  test('is given every run as it ends, also one that could not be carried out', async () => {
    const startedAtMs = clock.now();
    board.start(order(startedAtMs));
    assert.deepEqual(archived, []);
    running[0]?.end(new Error('no more memory'));
    await settle();
    const outcome = { type: 'failed', message: 'no more memory' } as const;
    assert.deepEqual(archived, [{ startedAtMs, finishedAtMs: startedAtMs, outcome }]);
  });

  test('is read before anything stands on the board or is run', async () => {
    kept = undefined;
    const one = order(clock.now());
    assert.equal(stateOf(one), undefined);
    assert.equal(board.start(one), 'dropped');
    const runs = [run(clock.now() - 60_000), run(clock.now() - 10_000)];
    kept = new Map([['health', runs]]);
    assert.deepEqual(stateOf(one), { runs });
    // What has run since it was due is not run again.
    assert.equal(board.start(order(clock.now() - 10_000)), 'dropped');
    assert.equal(board.start(one), 'started');
  });

  test('is read once: what a process has run itself it does not take from there', async () => {
    assert.deepEqual(stateOf(order(0)), { runs: [] });
    kept = new Map([['health', [run(clock.now() - 60_000)]]]);
    assert.deepEqual(stateOf(order(0)), { runs: [] });
  });

  test('that cannot be read for 30 seconds is done without, and read when it can be', async () => {
    kept = undefined;
    assert.equal(stateOf(order(0)), undefined);
    await clock.advance(29_999);
    assert.equal(stateOf(order(0)), undefined);
    await clock.advance(1);
    assert.deepEqual(stateOf(order(0)), { runs: [] });
    assert.equal(board.start(order(clock.now())), 'started');
    running[0]?.end(done());
    await settle();
    const before = run(clock.now() - 60_000);
    kept = new Map([['health', [before]]]);
    assert.deepEqual(
      stateOf(order(0))?.runs.map(({ startedAtMs }) => startedAtMs),
      [before.startedAtMs, clock.now()],
    );
  });

  test('and the Jobs that are still there tell of the same run once', async () => {
    const atMs = clock.now() - 60_000;
    kept = new Map([['health', [run(atMs + 250)]]]);
    const ofJobs = [run(atMs), run(atMs + 30_000)];
    earlier = () => Promise.resolve({ runs: ofJobs, running: undefined });
    stateOf(order(0, 'job'));
    await settle();
    assert.deepEqual(stateOf(order(0, 'job'))?.runs, [run(atMs + 250), run(atMs + 30_000)]);
  });

  test('of many runs tells the names of the newest only', () => {
    const runs = Array.from({ length: 12 }, (_, n) => run(clock.now() - 60_000 * (12 - n), ['it']));
    kept = new Map([['health', runs]]);
    const named = stateOf(order(0))?.runs.map(
      ({ outcome }) => outcome.type === 'done' && outcome.failures.length,
    );
    assert.deepEqual(named, [0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
  });
});
