/** Two leaders at once, and one that acts on what it saw long ago: neither can do worse than lower to 0. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { errorsTrigger, HOUR, MINUTE, SECOND, T0 } from '#test/builders.ts';
import { EngineHarness } from '#test/engine-harness.ts';
import { decide } from './decide.ts';

const isCanary = (query: string) => query.includes('"new"');

/** A leader that saw the world as it is now and will act on it later; the object may have changed by then. */
function sleeper(run: EngineHarness): () => boolean {
  const version = run.version;
  const snapshot = run.observe();
  const decision = decide(snapshot);
  return () => run.carryOut(snapshot, decision, version);
}

describe('a leader that was asleep', () => {
  test('and wakes with a raise after another has rolled back raises nothing', () => {
    const run = new EngineHarness({
      world: { series: (query, atMs) => (isCanary(query) && atMs > T0 + 121 * MINUTE ? 1 : 0) },
    });
    run.runUntil(T0 + 2 * HOUR - SECOND);
    run.now = T0 + 2 * HOUR;
    const wake = sleeper(run);
    run.runUntil(T0 + 130 * MINUTE);
    assert.equal(run.status.phase, 'RolledBack');
    assert.equal(wake(), false);
    assert.equal(run.weight(), 0);
    assert.equal(run.status.phase, 'RolledBack');
  });

  test('and wakes with a write that only puts drift right raises nothing either', () => {
    const run = new EngineHarness();
    run.runUntil(T0 + 90 * MINUTE);
    run.world.write = () => 'lost';
    run.writeElsewhere(20);
    run.runFor(SECOND);
    run.world.write = () => 'done';
    const wake = sleeper(run);
    run.annotate('abort 1');
    run.runFor(SECOND);
    wake();
    assert.equal(run.weight(), 0);
  });

  test('and wakes with a rollback when another has succeeded lowers, and the next look stands by it', () => {
    const run = new EngineHarness({ spec: { triggers: [{ ...errorsTrigger, for: '0s' }] } });
    run.runUntil(T0 + 179 * MINUTE);
    run.world.series = (query) => (isCanary(query) ? 1 : 0);
    const wake = sleeper(run);
    run.world.series = () => 0;
    run.runUntil(T0 + 181 * MINUTE);
    assert.equal(run.status.phase, 'Succeeded');
    assert.equal(wake(), false);
    assert.equal(run.weight(), 0);
    run.runFor(MINUTE);
    assert.equal(run.status.phase, 'RolledBack');
    assert.equal(run.status.rollback?.reason, 'RollbackResumed');
  });

  test('and wakes with the start of a run that another has started starts no second one', () => {
    const run = new EngineHarness();
    const wake = sleeper(run);
    run.runUntil(T0 + MINUTE);
    const { runId } = run.status;
    assert.equal(wake(), false);
    run.runFor(MINUTE);
    assert.equal(run.status.runId, runId);
  });

  test('at any moment of a run that fails ends it no worse', () => {
    for (let minute = 0; minute < 110; minute += 8) {
      for (const laterMs of [0, 20 * SECOND, 7 * MINUTE]) {
        const run = new EngineHarness({
          world: { series: (query, atMs) => (isCanary(query) && atMs > T0 + 95 * MINUTE ? 1 : 0) },
        });
        run.runUntil(T0 + minute * MINUTE);
        const wake = sleeper(run);
        run.runFor(laterMs);
        const before = run.weight();
        const isFresh = wake();
        assert.ok(isFresh || run.weight() === before || run.weight() === 0, `at minute ${minute}`);
        run.runUntil(T0 + 105 * MINUTE);
        assert.equal(run.weight(), 0);
        assert.equal(run.status.phase, 'RolledBack');
      }
    }
  });
});

test('two leaders that look at everything in turn do what one does', () => {
  const course = (leaders: number) => {
    const run = new EngineHarness({
      world: { series: (query, atMs) => (isCanary(query) && atMs > T0 + 95 * MINUTE ? 1 : 0) },
    });
    while (run.nextAt !== undefined && run.nextAt < T0 + 3 * HOUR) {
      run.now = run.nextAt;
      const wakes = Array.from({ length: leaders }, () => sleeper(run));
      const wanted = wakes.map((wake) => {
        wake();
        return run.nextAt;
      });
      run.nextAt = wanted.includes(run.now) ? run.now : wanted[0];
    }
    return { writes: run.writes, phase: run.status.phase, rollback: run.status.rollback };
  };
  assert.deepEqual(course(2), course(1));
});
