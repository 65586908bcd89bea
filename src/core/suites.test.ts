/** Health suites in a whole run: when they run, what their results mean, and what follows when they cannot be run. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutSpecInput } from '#api/rollout.ts';
import {
  errorsTrigger,
  HOUR,
  MINUTE,
  SECOND,
  suiteFailure,
  suiteRun,
  T0,
  threeSteps,
} from '#test/builders.ts';
import { EngineHarness, type World } from '#test/engine-harness.ts';
import { answerSuite } from './suite-reading.ts';

const healthSuites: RolloutSpecInput['healthSuites'] = [
  { name: 'health', interval: '5m', timeout: '4m', http: { url: 'http://health/run' } },
];
const passRate = {
  name: 'pass-rate',
  severity: 'Critical',
  suite: 'health',
  condition: '< 95%',
  for: '10m',
} as const;

type Trigger = NonNullable<RolloutSpecInput['triggers']>[number];

function world(suite: World['suite'], trigger: Trigger = passRate): EngineHarness {
  return new EngineHarness({ spec: { healthSuites, triggers: [trigger] }, world: { suite } });
}

/** When each run of the suite was asked for. */
function starts(run: EngineHarness): number[] {
  return run.timeline.flatMap((entry) =>
    entry.actions.filter((action) => action === 'RunSuite').map(() => entry.at),
  );
}

describe('a suite runs', () => {
  test('as the run begins, then by its interval, and no longer once the run has ended', () => {
    const run = world(() => suiteRun({ passed: 100 }));
    run.runUntil(T0 + 6 * HOUR);
    assert.equal(run.status.phase, 'Succeeded');
    const at = starts(run);
    const ideal = at.map((_, index) => T0 + index * 5 * MINUTE);
    assert.deepEqual(at, ideal);
    assert.equal(at.at(-1), T0 + 3 * HOUR);
  });

  test('while the run is paused or held, since the watch goes on', () => {
    const run = new EngineHarness({
      spec: { healthSuites, triggers: [passRate], paused: true },
      world: { suite: () => suiteRun({ passed: 100 }) },
    });
    run.runUntil(T0 + HOUR - SECOND);
    assert.equal(run.status.phase, 'Paused');
    assert.equal(starts(run).length, 12);
  });

  test('one at a time: what is due while it runs waits until it has ended', () => {
    const run = new EngineHarness({
      spec: {
        triggers: [errorsTrigger],
        healthSuites: [
          { name: 'health', interval: '1m', timeout: '1m', http: { url: 'http://health/run' } },
        ],
      },
      world: { suite: () => suiteRun({ passed: 1, tookMs: 2 * MINUTE }) },
    });
    run.runUntil(T0 + 10 * MINUTE - SECOND);
    const at = starts(run);
    assert.equal(at.length, 10);
    assert.equal(new Set(at).size, 10);
  });

  test('in steady state without a single write of the status', () => {
    const run = world(() => suiteRun({ passed: 100 }));
    run.runUntil(T0 + 10 * MINUTE);
    const before = run.statusWrites;
    run.runUntil(T0 + HOUR - SECOND);
    assert.equal(run.statusWrites, before);
  });
});

describe('a trigger by suite', () => {
  /** Results come 20 s after each start; those of the runs from then on are bad. */
  const badFrom = T0 + HOUR + 20 * MINUTE;
  const bad = () =>
    world((_name, nowMs) =>
      suiteRun(nowMs < badFrom ? { passed: 100 } : { passed: 94, failed: 6 }),
    );

  test('does not let the first step pass before there is a first result', () => {
    const run = world(() => suiteRun({ passed: 100, tookMs: 3 * MINUTE }));
    run.runUntil(T0 + 3 * MINUTE - SECOND);
    assert.equal(run.status.phase, 'Preflight');
    run.runUntil(T0 + 3 * MINUTE + 15 * SECOND);
    assert.equal(run.status.phase, 'Progressing');
  });

  test('fires at exactly the first evaluation that knew the result, plus its time', () => {
    const run = bad();
    run.runUntil(T0 + 2 * HOUR);
    const { activeAt, firingAt, message } = run.trigger('pass-rate') ?? {};
    assert.equal(activeAt, '2026-11-22T13:20:30Z');
    assert.equal(firingAt, '2026-11-22T13:30:30Z');
    assert.equal(run.status.rollback?.startedAt, '2026-11-22T13:30:30Z');
    assert.match(message ?? '', /^pass-rate 94% < 95% for 10m0s since 13:20:30 \(suite health\)$/);
  });

  test('at exactly its threshold does not fire', () => {
    const run = world(() => suiteRun({ passed: 95, failed: 5 }));
    run.runUntil(T0 + 6 * HOUR);
    assert.equal(run.status.phase, 'Succeeded');
  });

  test('leaves skipped tests out of the pass rate', () => {
    const run = world(() => suiteRun({ passed: 95, failed: 5, skipped: 900 }));
    run.runUntil(T0 + 6 * HOUR);
    assert.equal(run.status.phase, 'Succeeded');
  });

  test('counts known flaky failures as failures', () => {
    const run = world(() => suiteRun({ passed: 94, flaky: 6 }));
    run.runUntil(T0 + HOUR);
    // Preflight wants a reading, not a good one; a trigger may fire before traffic too.
    assert.equal(run.status.phase, 'RolledBack');
  });

  test('has no reading when every test was skipped', () => {
    const run = world(() => suiteRun({ passed: 0, skipped: 10 }));
    run.runUntil(T0 + MINUTE);
    const figure = { suite: 'health', of: 'PassRate', validForMs: HOUR } as const;
    const state = run.observe().suites.get('health');
    assert.ok(state !== undefined);
    const answer = answerSuite({ type: 'suite', ...figure, atMs: run.now }, state);
    assert.deepEqual(answer, {
      type: 'error',
      fault: 'partial',
      message: 'suite health has run no test',
    });
    assert.equal(run.status.phase, 'Preflight');
  });

  const figures: readonly (readonly [measure: Trigger['measure'], fires: boolean])[] = [
    ['Failed', true],
    ['KnownFlaky', true],
    ['NewFailures', false],
  ];
  for (const [measure, fires] of figures) {
    test(`by ${measure} ${fires ? 'fires' : 'does not fire'} when only a flaky test has failed`, () => {
      const flaky = { name: 'it', severity: 'Info', suite: 'health', condition: '> 0' } as const;
      const run = world(() => suiteRun({ passed: 99, flaky: 1 }), {
        ...flaky,
        ...(measure === undefined ? {} : { measure }),
      });
      run.runUntil(T0 + HOUR);
      assert.equal(run.trigger('it')?.state, fires ? 'Firing' : 'Inactive');
      assert.equal(run.status.rollback, undefined);
    });
  }

  test('goes on with the last result for interval and timeout, then has no reading', () => {
    const failsFrom = T0 + HOUR;
    const run = world((_name, nowMs) =>
      nowMs < failsFrom ? suiteRun({ passed: 100 }) : suiteFailure('connection refused'),
    );
    // The last good run began at 12:55: it is good until 13:04.
    run.runUntil(T0 + HOUR + 4 * MINUTE);
    assert.equal(run.trigger('pass-rate')?.state, 'Inactive');
    run.runUntil(T0 + HOUR + 4 * MINUTE + 15 * SECOND);
    assert.equal(run.trigger('pass-rate')?.state, 'Unknown');
  });

  test('goes on with what the process before has kept: neither the interval nor a hold begins anew', () => {
    const run = bad();
    const status = (atMs: number) => {
      run.runUntil(atMs);
      run.restart();
      return run.trigger('pass-rate')?.state;
    };
    assert.equal(status(T0 + 32 * MINUTE), 'Inactive');
    assert.equal(status(T0 + HOUR + 21 * MINUTE), 'Pending');
    assert.equal(status(T0 + HOUR + 29 * MINUTE), 'Pending');
    run.runUntil(T0 + 2 * HOUR);
    assert.deepEqual(
      starts(run).slice(0, 17),
      Array.from({ length: 17 }, (_, index) => T0 + index * 5 * MINUTE),
    );
    assert.equal(run.status.rollback?.startedAt, '2026-11-22T13:30:30Z');
  });

  test('begins a run anew that the process before has not seen to its end', () => {
    const run = bad();
    run.runUntil(T0 + 30 * MINUTE + 10 * SECOND);
    run.restart();
    run.runUntil(T0 + 31 * MINUTE);
    assert.deepEqual(starts(run).slice(-2), [T0 + 30 * MINUTE, T0 + 30 * MINUTE + 10 * SECOND]);
    assert.equal(run.trigger('pass-rate')?.unknownSince, undefined);
  });

  test('is not judged while it is not known what the process before has kept: no rise meanwhile', () => {
    const run = new EngineHarness({
      spec: { healthSuites, triggers: [passRate], schedule: threeSteps },
      world: { suite: () => suiteRun({ passed: 100 }) },
    });
    const dueMs = T0 + 2 * HOUR;
    run.runUntil(dueMs - MINUTE);
    const { trigger, weight } = { trigger: run.trigger('pass-rate'), weight: run.weight() };
    run.restart();
    run.evidence.isKnown = false;
    run.runUntil(dueMs + 10 * MINUTE);
    assert.equal(run.weight(), weight);
    assert.deepEqual(run.trigger('pass-rate'), trigger);
    assert.match(run.status.message ?? '', /pass-rate has not been asked at this tick/);
    const asked = starts(run).filter((atMs) => atMs >= dueMs - MINUTE);
    assert.deepEqual(asked, []);
    run.evidence.isKnown = true;
    run.runFor(MINUTE);
    assert.ok(run.weight() > weight);
  });

  test('takes nothing from the run of an older revision', () => {
    const run = world(
      (_name, nowMs) => suiteRun(nowMs < T0 + HOUR / 2 ? { passed: 0, failed: 1 } : { passed: 1 }),
      {
        ...passRate,
        for: '1h',
      },
    );
    run.runUntil(T0 + HOUR / 2 - 15 * SECOND);
    assert.equal(run.trigger('pass-rate')?.state, 'Pending');
    run.sleepUntil(T0 + HOUR / 2);
    run.edit({ revision: 'v3' });
    run.runFor(SECOND);
    assert.notEqual(run.trigger('pass-rate')?.state, 'Pending');
    run.runFor(MINUTE);
    assert.equal(run.trigger('pass-rate')?.state, 'Inactive');
  });
});

describe('a suite that could not be run', () => {
  const failing = (_name: string, nowMs: number) =>
    nowMs < T0 + HOUR / 2 || nowMs >= T0 + HOUR
      ? suiteRun({ passed: 100 })
      : suiteFailure('connection refused');

  test('once is no reason to hold', () => {
    const run = world((_name, nowMs) =>
      nowMs === T0 + HOUR / 2 ? suiteFailure('connection refused') : suiteRun({ passed: 100 }),
    );
    run.runUntil(T0 + 50 * MINUTE);
    const held = run.events.filter((event) => event.reason === 'Held' && event.at > T0 + MINUTE);
    assert.deepEqual(held, []);
  });

  test('is no broken chain while the first result waits for the next evaluation', () => {
    // It comes between two evaluations, which are fifteen seconds apart.
    const run = world(() => suiteRun({ passed: 100, tookMs: 20 * SECOND }));
    const reasons = new Set<string>();
    for (let atMs = T0; atMs < T0 + 2 * MINUTE; atMs += SECOND) {
      run.runUntil(atMs);
      for (const { reason } of run.status.holds ?? []) reasons.add(reason);
    }
    assert.deepEqual([...reasons], ['SuiteAwaited']);
    assert.equal(run.status.phase, 'Progressing');
  });

  test('twice in a row holds and warns, whether a trigger reads it or not', () => {
    const run = new EngineHarness({
      spec: { healthSuites, triggers: [errorsTrigger], schedule: threeSteps },
      world: { suite: failing },
    });
    run.runUntil(T0 + 35 * MINUTE);
    assert.deepEqual(run.status.holds, []);
    run.runUntil(T0 + 35 * MINUTE + 20 * SECOND);
    assert.deepEqual(
      run.status.holds?.map(({ reason, by, message }) => [reason, by, message]),
      [
        [
          'SuiteFailing',
          'health',
          'suite health could not be run twice in a row: connection refused',
        ],
      ],
    );
    const told = run.events.at(-1);
    assert.equal(told?.type, 'Warning');
    assert.match(told?.note ?? '', /could not be run twice in a row/);
  });

  test('is held by the next process too, before it knows what the one before has kept', () => {
    const run = new EngineHarness({
      spec: { healthSuites, triggers: [errorsTrigger] },
      world: { suite: failing },
    });
    run.runUntil(T0 + 50 * MINUTE);
    const { holds } = run.status;
    assert.equal(holds?.[0]?.reason, 'SuiteFailing');
    run.restart();
    run.evidence.isKnown = false;
    const writes = run.statusWrites;
    run.runUntil(T0 + 51 * MINUTE);
    run.evidence.isKnown = true;
    run.runUntil(T0 + 52 * MINUTE);
    assert.deepEqual(run.status.holds, holds);
    assert.equal(run.statusWrites, writes);
  });

  test('is held no longer once it has run', () => {
    const run = new EngineHarness({
      spec: { healthSuites, triggers: [errorsTrigger] },
      world: { suite: failing },
    });
    run.runUntil(T0 + HOUR);
    assert.equal(run.status.phase, 'Held');
    run.runUntil(T0 + HOUR + 20 * SECOND);
    assert.deepEqual(run.status.holds, []);
  });
});
