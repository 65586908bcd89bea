/** Stage 1 of a rollback: traffic stopped, read back, and never given up on. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutSpecInput } from '#api/rollout.ts';
import { HOUR, MINUTE, SECOND, T0 } from '#test/builders.ts';
import { EngineHarness } from '#test/engine-harness.ts';
import { at, decidedAt, failingCanary, isCanary, START } from '#test/failing-canary.ts';

describe('a trigger that has held', () => {
  test('brings canary to 0 before the status is written, and ends when it is read back', () => {
    const run = failingCanary();
    run.runUntil(decidedAt + MINUTE);
    const { rollback, phase } = run.status;
    assert.equal(phase, 'RolledBack');
    assert.deepEqual(run.writes.at(-1), { at: decidedAt, route: 'web', weight: 0 });
    assert.equal(rollback?.trigger, 'errors');
    assert.equal(rollback?.startedAt, at(decidedAt));
    assert.equal(rollback?.slaDeadline, at(decidedAt + 15 * MINUTE));
    assert.equal(rollback?.completedAt, at(decidedAt));
    assert.equal(rollback?.withinSla, true);
    assert.equal(rollback?.outcome, 'Succeeded');
    assert.deepEqual(
      rollback?.stages.map(({ name, outcome }) => `${name} ${outcome}`),
      [
        'StopTraffic Succeeded',
        'Verify Skipped',
        'Restore Skipped',
        'Stabilize Skipped',
        'Report Succeeded',
      ],
    );
    assert.equal(run.status.history?.[0]?.outcome, 'RolledBack');
    assert.equal(run.condition('Stalled')?.status, 'True');
    const decision = run.timeline.find((one) => one.rule === 'fired');
    assert.equal(decision?.actions[0], 'SetWeight web 0');
    assert.deepEqual(
      run.told().filter((reason) => reason.startsWith('Roll')),
      ['RollbackStarted', 'RolledBack'],
    );
  });

  test('keeps saying that and when it fired', () => {
    const run = failingCanary();
    run.runUntil(decidedAt + HOUR);
    assert.equal(run.trigger()?.state, 'Firing');
    assert.equal(run.trigger()?.firingAt, at(decidedAt));
  });
});

describe('a rollback that does not get through', () => {
  test('is retried every second without end, is stuck after a minute, paged every five, and isolates', () => {
    const run = failingCanary({
      world: {
        write: (_route, action, now) =>
          action.type === 'SetWeight' && now >= START
            ? 'lost'
            : action.type === 'Isolate' && now < START + 20 * MINUTE
              ? 'lost'
              : 'done',
      },
    });
    run.runUntil(decidedAt + 59 * SECOND);
    assert.equal(run.status.phase, 'RollingBack');
    assert.ok(!run.told().includes('RollbackStuck'));
    const tries = run.timeline.filter(({ actions }) => actions.includes('SetWeight web 0'));
    assert.ok(tries.length >= 59, `${tries.length} tries in a minute`);
    run.runUntil(decidedAt + 60 * SECOND);
    assert.equal(run.status.holds?.[0]?.reason, 'RollbackStuck');
    assert.ok(run.timeline.at(-1)?.actions.includes('Isolate web'));
    assert.ok(run.timeline.at(-1)?.actions.includes('SetWeight web 0'));
    run.runUntil(decidedAt + 16 * MINUTE + 30 * SECOND);
    const pages = run.events.filter(({ reason }) => reason === 'RollbackStuck');
    assert.deepEqual(
      pages.map((page) => (page.at - decidedAt) / MINUTE),
      [1, 6, 11, 16],
    );
    run.runUntil(decidedAt + 30 * MINUTE);
    assert.equal(run.status.phase, 'RolledBack');
    assert.equal(run.weight(), 0);
    assert.equal(run.status.rollback?.withinSla, false);
  });

  test('is paged every five minutes by its own clock, however irregularly it is looked at', () => {
    const run = failingCanary();
    run.route().mode = 'refused';
    run.runUntil(decidedAt);
    for (let second = 1; second < 20 * 60; second += 37) {
      run.sleepUntil(decidedAt + second * SECOND);
      run.runUntil(run.now);
      run.look();
    }
    const pages = run.events.filter(({ reason }) => reason === 'RollbackStuck');
    assert.equal(
      pages.length,
      4,
      JSON.stringify(pages.map((page) => (page.at - decidedAt) / SECOND)),
    );
  });

  test('of a route that is refused is tried all the same, and never called done', () => {
    const run = failingCanary();
    run.route().mode = 'refused';
    run.runUntil(decidedAt + 10 * MINUTE);
    assert.equal(run.status.phase, 'RollingBack');
    assert.ok(run.timeline.at(-1)?.actions.includes('SetWeight web 0'));
    run.route().mode = 'read';
    run.runUntil(decidedAt + 11 * MINUTE);
    assert.equal(run.status.phase, 'RolledBack');
  });

  test('of a route that is gone has nothing to lower', () => {
    const run = failingCanary();
    run.route().mode = 'missing';
    run.runUntil(decidedAt + 10 * MINUTE);
    assert.equal(run.status.phase, 'RolledBack');
  });

  test('fights another writer who raises canary again, for as long as it takes', () => {
    const run = failingCanary();
    run.runUntil(decidedAt - SECOND);
    run.world.write = (route, action) => {
      if (run.now < decidedAt + 5 * MINUTE && action.type !== 'Release') {
        Object.assign(route, { weight: 50, writtenBy: 'argocd' });
        return 'lost';
      }
      return 'done';
    };
    run.runUntil(decidedAt + 4 * MINUTE);
    assert.equal(run.status.phase, 'RollingBack');
    run.runUntil(decidedAt + 6 * MINUTE);
    assert.equal(run.status.phase, 'RolledBack');
    assert.equal(run.weight(), 0);
  });
});

describe('several routes and a flag', () => {
  const traffic: RolloutSpecInput['traffic'] = {
    stable: { service: 'old', port: 80 },
    canary: { service: 'new', port: 80 },
    routes: [
      { kind: 'HTTPRoute', name: 'web' },
      { kind: 'GRPCRoute', name: 'api' },
    ],
    featureFlag: { configMap: 'flags', key: 'new-checkout', format: 'Percent' },
  };

  test('move together, and a step is passed when all of them say so', () => {
    const run = failingCanary({ spec: { traffic } });
    assert.deepEqual(
      ['web', 'api', 'flags'].map((name) => run.weight(name)),
      [50, 50, 50],
    );
  });

  test('all go to 0, and one that is stuck keeps the rollback going without holding the others up', () => {
    const run = failingCanary({ spec: { traffic } });
    run.world.write = (route) =>
      route.name === 'api' && run.now < decidedAt + 90 * SECOND ? 'lost' : 'done';
    run.runUntil(decidedAt);
    assert.deepEqual(
      ['web', 'api', 'flags'].map((name) => run.weight(name)),
      [0, 50, 0],
    );
    run.runUntil(decidedAt + 80 * SECOND);
    assert.equal(run.status.phase, 'RollingBack');
    assert.deepEqual(run.timeline.at(-1)?.actions, ['SetWeight api 0', 'Isolate api']);
    run.runUntil(decidedAt + 2 * MINUTE);
    assert.equal(run.status.phase, 'RolledBack');
  });

  test('a step that only one of them took is completed, though nobody has asked canary yet', () => {
    const run = new EngineHarness({
      spec: { traffic },
      world: {
        // Only with all of them does anybody reach canary.
        series: (query) =>
          isCanary(query) && ['web', 'api', 'flags'].some((name) => run.weight(name) === 0)
            ? 'absent'
            : 0,
        write: (route, _action, now) =>
          route.name === 'api' && now < T0 + 65 * MINUTE ? 'lost' : 'done',
      },
    });
    run.runUntil(T0 + 70 * MINUTE);
    assert.deepEqual(
      ['web', 'api', 'flags'].map((name) => run.weight(name)),
      [50, 50, 50],
    );
  });
});

describe('a dead stable', () => {
  test('gets no traffic: canary keeps it, a person is paged, and it goes back when stable is there', () => {
    const run = failingCanary();
    run.world.ready = (arm, now) => (arm === 'stable' && now < decidedAt + 7 * MINUTE ? 0 : 2);
    run.runUntil(decidedAt + 6 * MINUTE);
    assert.equal(run.weight(), 50);
    assert.equal(run.status.phase, 'RollingBack');
    assert.equal(run.status.holds?.[0]?.reason, 'RollbackStuck');
    assert.match(run.status.message ?? '', /stable has no Ready endpoint/);
    assert.deepEqual(
      run.events
        .filter(({ reason }) => reason === 'RollbackStuck')
        .map((page) => page.at - decidedAt),
      [0, 5 * MINUTE],
    );
    assert.deepEqual(
      run.writes.filter((write) => write.weight === 0),
      [],
    );
    run.runUntil(decidedAt + 8 * MINUTE);
    assert.equal(run.weight(), 0);
    assert.equal(run.status.phase, 'RolledBack');
  });

  test('and a dead canary: there is nothing to keep', () => {
    const run = failingCanary();
    run.world.ready = () => 0;
    run.runUntil(decidedAt + SECOND);
    assert.equal(run.weight(), 0);
  });

  test('keeps nothing from a person who aborts', () => {
    const run = failingCanary();
    run.world.ready = (arm) => (arm === 'stable' ? 0 : 2);
    run.annotate('abort 1');
    run.runUntil(START + SECOND);
    assert.equal(run.status.phase, 'RollingBack');
    assert.equal(run.weight(), 50);
  });
});
