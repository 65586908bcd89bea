/** Nothing diverts a rollback: no process that dies, no other firing, no edit and no request. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { errorsTrigger, HOUR, MINUTE, SECOND, T0 } from '#test/builders.ts';
import type { Crash } from '#test/engine-harness.ts';
import { at, decidedAt, failingCanary, START } from '#test/failing-canary.ts';

describe('a process that dies in the middle', () => {
  for (const crash of [
    'beforeFirst',
    'beforeStatus',
    'beforeActions',
  ] as const satisfies readonly Crash[]) {
    test(`(${crash}) leaves a rollback that the next one carries out`, () => {
      const run = failingCanary();
      run.runUntil(decidedAt - SECOND);
      run.crashNext = crash;
      run.sleepUntil(decidedAt);
      run.runUntil(decidedAt);
      run.sleepUntil(decidedAt + 20 * SECOND);
      run.runUntil(decidedAt + MINUTE);
      assert.equal(run.weight(), 0);
      assert.equal(run.status.phase, 'RolledBack');
      assert.equal(run.status.history?.length, 1);
    });
  }

  test('between route and status is found by the mark on the route, even when the breach is over', () => {
    const run = failingCanary();
    run.runUntil(decidedAt - SECOND);
    run.crashNext = 'beforeStatus';
    run.now = decidedAt;
    run.look();
    assert.equal(run.route().mark, run.status.runId);
    assert.equal(run.status.phase, 'Progressing');
    run.world.series = () => 0;
    run.sleepUntil(decidedAt + 5 * SECOND);
    run.runUntil(decidedAt + MINUTE);
    assert.equal(run.status.phase, 'RolledBack');
    assert.equal(run.status.rollback?.reason, 'RollbackResumed');
    assert.equal(run.status.rollback?.trigger, 'errors');
    assert.match(run.status.rollback?.message ?? '', /^errors .* for 1m0s since .*; a rollback/);
    assert.ok(!run.told().includes('Held'), run.told().join());
  });

  test('by a person, between route and status, is laid to no trigger', () => {
    const run = failingCanary({ world: { series: () => 0 } });
    run.annotate('abort 1');
    run.crashNext = 'beforeStatus';
    run.look();
    run.request = undefined;
    run.runUntil(decidedAt + MINUTE);
    assert.equal(run.status.rollback?.reason, 'RollbackResumed');
    assert.equal(run.status.rollback?.trigger, undefined);
  });

  test('with a phase but no rollback in its status is taken for one under way', () => {
    const run = failingCanary({ world: { series: () => 0 } });
    const { rollback: _, ...rest } = run.status;
    run.status = { ...rest, phase: 'RollingBack' };
    run.runUntil(START + MINUTE);
    assert.equal(run.weight(), 0);
    assert.equal(run.status.phase, 'RolledBack');
  });

  test('as well where every route already reads 0, and nothing rises again', () => {
    const run = failingCanary({ world: { series: () => 0 } });
    const { rollback: _, ...rest } = run.status;
    run.status = { ...rest, phase: 'RollingBack' };
    run.writeElsewhere(0);
    run.runUntil(START + MINUTE);
    assert.equal(run.status.phase, 'RolledBack');
    assert.equal(run.weight(), 0);
  });

  test('the mark of an earlier run is no rollback of this one', () => {
    const run = failingCanary({ world: { series: () => 0 }, route: { mark: 'another-run' } });
    run.runUntil(T0 + 10 * HOUR);
    assert.equal(run.status.phase, 'Succeeded');
  });
});

describe('later firings during a rollback', () => {
  test('are recorded and do not start it again', () => {
    const run = failingCanary({
      spec: {
        triggers: [
          { ...errorsTrigger, for: '1m' },
          { ...errorsTrigger, name: 'slow', query: 'slow{service="$(arm.service)"}', for: '2m' },
        ],
      },
      world: {
        write: (_route, _action, now) =>
          now >= START && now < decidedAt + 5 * MINUTE ? 'lost' : 'done',
      },
    });
    run.runUntil(decidedAt + 90 * SECOND);
    assert.equal(run.status.phase, 'RollingBack');
    assert.equal(run.trigger('slow')?.state, 'Firing');
    assert.equal(run.trigger('slow')?.firingAt, at(START + 2 * MINUTE));
    run.runUntil(decidedAt + 10 * MINUTE);
    assert.equal(run.status.rollback?.trigger, 'errors');
    assert.equal(run.status.rollback?.startedAt, at(decidedAt));
    assert.equal(run.events.filter(({ reason }) => reason === 'RollbackStarted').length, 1);
  });

  test('nor does anything else: no edit, no new revision, no request', () => {
    const run = failingCanary({
      world: {
        write: (_route, _action, now) =>
          now >= START && now < decidedAt + 5 * MINUTE ? 'lost' : 'done',
      },
    });
    run.runUntil(decidedAt + MINUTE);
    const { runId } = run.status;
    run.edit({ triggers: [] });
    run.annotate('abort 7');
    run.runUntil(decidedAt + 2 * MINUTE);
    run.edit({ revision: 'v3' });
    run.runUntil(decidedAt + 4 * MINUTE);
    assert.equal(run.status.phase, 'RollingBack');
    assert.equal(run.status.runId, runId);
    run.runUntil(decidedAt + 6 * MINUTE);
    assert.equal(run.status.history?.[0]?.outcome, 'RolledBack');
    assert.equal(run.status.revision, 'v3');
  });
});
