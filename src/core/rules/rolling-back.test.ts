/** Stage 1 of a rollback: traffic stopped, read back, verified, and never given up on. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutSpecInput } from '#api/rollout.ts';
import { errorsTrigger, HOUR, MINUTE, SECOND, T0 } from '#test/builders.ts';
import { type Crash, EngineHarness, type HarnessOptions } from '#test/engine-harness.ts';

const START = T0 + 90 * MINUTE;
const isCanary = (query: string) => query.includes('"new"');
const at = (ms: number) => new Date(ms).toISOString().replace('.000Z', 'Z');

const quick: RolloutSpecInput['triggers'] = [{ ...errorsTrigger, for: '1m' }];

/** At 50 % for half an hour; from START on canary fails. */
function harness(options: HarnessOptions = {}): EngineHarness {
  const run = new EngineHarness({
    ...options,
    spec: { triggers: quick, ...options.spec },
    world: {
      series: (query, atMs) => (isCanary(query) && atMs >= START ? 1 : 0),
      ...options.world,
    },
  });
  run.runUntil(START);
  return run;
}

const decidedAt = START + MINUTE;

describe('a trigger that has held', () => {
  test('brings canary to 0 before the status is written, and ends when it is read back', () => {
    const run = harness();
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
    const run = harness();
    run.runUntil(decidedAt + HOUR);
    assert.equal(run.trigger()?.state, 'Firing');
    assert.equal(run.trigger()?.firingAt, at(decidedAt));
  });
});

describe('a rollback that does not get through', () => {
  test('is retried every second without end, is stuck after a minute, paged every five, and isolates', () => {
    const run = harness({
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
    const run = harness();
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
    const run = harness();
    run.route().mode = 'refused';
    run.runUntil(decidedAt + 10 * MINUTE);
    assert.equal(run.status.phase, 'RollingBack');
    assert.ok(run.timeline.at(-1)?.actions.includes('SetWeight web 0'));
    run.route().mode = 'read';
    run.runUntil(decidedAt + 11 * MINUTE);
    assert.equal(run.status.phase, 'RolledBack');
  });

  test('of a route that is gone has nothing to lower', () => {
    const run = harness();
    run.route().mode = 'missing';
    run.runUntil(decidedAt + 10 * MINUTE);
    assert.equal(run.status.phase, 'RolledBack');
  });

  test('fights another writer who raises canary again, for as long as it takes', () => {
    const run = harness();
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
    const run = harness({ spec: { traffic } });
    assert.deepEqual(
      ['web', 'api', 'flags'].map((name) => run.weight(name)),
      [50, 50, 50],
    );
  });

  test('all go to 0, and one that is stuck keeps the rollback going without holding the others up', () => {
    const run = harness({ spec: { traffic } });
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
    const run = harness();
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
    const run = harness();
    run.world.ready = () => 0;
    run.runUntil(decidedAt + SECOND);
    assert.equal(run.weight(), 0);
  });

  test('keeps nothing from a person who aborts', () => {
    const run = harness();
    run.world.ready = (arm) => (arm === 'stable' ? 0 : 2);
    run.annotate('abort 1');
    run.runUntil(START + SECOND);
    assert.equal(run.status.phase, 'RollingBack');
    assert.equal(run.weight(), 50);
  });
});

describe('verified from traffic', () => {
  const ratio = {
    bad: 'rate(bad{service="$(arm.service)"}[20s])',
    total: 'rate(total{service="$(arm.service)"}[20s])',
  };
  const triggers: RolloutSpecInput['triggers'] = [
    { name: 'errors', severity: 'Critical', ratio, condition: '> 0.5%', for: '1m' },
  ];
  /** Requests reach canary until `silentMs` after the weight was lowered. */
  function withTraffic(silentMs: number | undefined): EngineHarness {
    return harness({
      spec: { triggers },
      world: {
        series: (query, atMs) => {
          if (!isCanary(query)) return 10;
          if (query.includes('bad')) return atMs >= START ? 10 : 'absent';
          if (atMs <= decidedAt) return 10;
          return silentMs === undefined ? 'absent' : atMs < decidedAt + silentMs ? 10 : 0;
        },
      },
    });
  }

  test('ends when the metric says that canary gets no more requests', () => {
    const run = withTraffic(20 * SECOND);
    run.runUntil(decidedAt + 10 * SECOND);
    assert.equal(run.weight(), 0);
    assert.equal(run.status.phase, 'RollingBack');
    run.runUntil(decidedAt + 40 * SECOND);
    assert.equal(run.status.phase, 'RolledBack');
    assert.equal(run.status.rollback?.completedAt, at(decidedAt + 30 * SECOND));
    assert.match(run.status.rollback?.stages[0]?.message ?? '', /canary gets no more requests/);
    // Silence follows from the rollback: what fired stays on record.
    assert.equal(run.trigger()?.state, 'Firing');
    assert.equal(run.trigger()?.firingAt, at(decidedAt));
  });

  test('is overrun and Degraded when requests go on, and canary is cut off', () => {
    const run = withTraffic(HOUR);
    run.runUntil(decidedAt + 2 * MINUTE);
    assert.equal(run.status.phase, 'RolledBack');
    assert.equal(run.status.rollback?.completedAt, at(decidedAt + MINUTE));
    assert.equal(run.status.rollback?.outcome, 'Degraded');
    assert.equal(run.status.rollback?.stages[0]?.outcome, 'Overrun');
    assert.equal(run.route().isolated, true);
    // Declared or not, it stays cut off until the next run begins.
    assert.equal(run.status.routes?.[0]?.released, undefined);
    run.edit({ revision: 'v3' });
    run.runUntil(decidedAt + 3 * MINUTE);
    assert.equal(run.route().isolated, false);
    assert.equal(run.status.step, 'dark');
  });

  test('does not call silence of the metric itself verified', () => {
    const run = withTraffic(undefined);
    run.runUntil(decidedAt + MINUTE);
    assert.equal(run.status.phase, 'RolledBack');
    assert.match(run.status.rollback?.stages[0]?.message ?? '', /no metric tells/);
  });

  test('waits no longer than the budget for a Prometheus that is down', () => {
    const run = withTraffic(20 * SECOND);
    run.world.fault = (now) => (now > decidedAt ? 'timeout' : undefined);
    run.runUntil(decidedAt + 2 * MINUTE);
    assert.equal(run.status.phase, 'RolledBack');
    assert.equal(run.status.rollback?.outcome, 'Degraded');
  });
});

describe('a process that dies in the middle', () => {
  for (const crash of [
    'beforeFirst',
    'beforeStatus',
    'beforeActions',
  ] as const satisfies readonly Crash[]) {
    test(`(${crash}) leaves a rollback that the next one carries out`, () => {
      const run = harness();
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
    const run = harness();
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
    const run = harness({ world: { series: () => 0 } });
    run.annotate('abort 1');
    run.crashNext = 'beforeStatus';
    run.look();
    run.request = undefined;
    run.runUntil(decidedAt + MINUTE);
    assert.equal(run.status.rollback?.reason, 'RollbackResumed');
    assert.equal(run.status.rollback?.trigger, undefined);
  });

  test('with a phase but no rollback in its status is taken for one under way', () => {
    const run = harness({ world: { series: () => 0 } });
    const { rollback: _, ...rest } = run.status;
    run.status = { ...rest, phase: 'RollingBack' };
    run.runUntil(START + MINUTE);
    assert.equal(run.weight(), 0);
    assert.equal(run.status.phase, 'RolledBack');
  });

  test('as well where every route already reads 0, and nothing rises again', () => {
    const run = harness({ world: { series: () => 0 } });
    const { rollback: _, ...rest } = run.status;
    run.status = { ...rest, phase: 'RollingBack' };
    run.writeElsewhere(0);
    run.runUntil(START + MINUTE);
    assert.equal(run.status.phase, 'RolledBack');
    assert.equal(run.weight(), 0);
  });

  test('the mark of an earlier run is no rollback of this one', () => {
    const run = harness({ world: { series: () => 0 }, route: { mark: 'another-run' } });
    run.runUntil(T0 + 10 * HOUR);
    assert.equal(run.status.phase, 'Succeeded');
  });
});

describe('later firings during a rollback', () => {
  test('are recorded and do not start it again', () => {
    const run = harness({
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
    const run = harness({
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

describe('a canary that is down', () => {
  test('with all its pods crashed is rolled back after 2m, though it exports nothing', () => {
    const run = harness({
      world: {
        series: (query, atMs) => (isCanary(query) && atMs >= START ? 'absent' : 0),
        ready: (arm, now) => (arm === 'canary' && now >= START ? 0 : 2),
      },
    });
    run.runUntil(START + 2 * MINUTE - 1);
    assert.equal(run.trigger('canary-down')?.state, 'Pending');
    assert.equal(run.weight(), 50);
    run.runUntil(START + 2 * MINUTE);
    assert.equal(run.weight(), 0);
    assert.equal(run.status.rollback?.trigger, 'canary-down');
    assert.match(run.status.rollback?.message ?? '', /no Ready endpoint for 2m0s since 13:30:00/);
  });

  test('for a moment is not, nor at weight 0', () => {
    const run = new EngineHarness({
      world: {
        ready: (arm, now) =>
          arm === 'canary' &&
          ((now > T0 + MINUTE && now < T0 + 50 * MINUTE) ||
            (now > START && now < START + 119 * SECOND))
            ? 0
            : 2,
      },
    });
    run.runUntil(T0 + 10 * HOUR);
    assert.equal(run.status.phase, 'Succeeded');
  });

  test('stays Pending while nobody knows how many endpoints there are, or what the route says', () => {
    const run = harness({
      world: {
        series: () => 0,
        ready: (arm, now) =>
          arm === 'stable' || now < START
            ? 2
            : now < START + MINUTE
              ? 0
              : now < START + 90 * SECOND
                ? undefined
                : 0,
      },
    });
    run.runUntil(START + 100 * SECOND);
    assert.equal(run.trigger('canary-down')?.activeAt, at(START));
    run.route().mode = 'refused';
    run.runUntil(START + 2 * MINUTE);
    assert.equal(run.status.rollback?.trigger, 'canary-down');
  });

  test('is no reason to wait when the clock has stepped back', () => {
    const run = harness({
      world: {
        series: () => 0,
        ready: (arm, now) => (arm === 'canary' && now >= START ? 0 : 2),
      },
    });
    run.status = {
      ...run.status,
      triggers: [
        { name: 'canary-down', severity: 'Critical', state: 'Pending', activeAt: at(START + HOUR) },
      ],
    };
    run.sleepUntil(START);
    run.runUntil(START + 3 * MINUTE);
    assert.equal(run.status.rollback?.startedAt, at(START + 2 * MINUTE));
  });
});

describe('after a rollback', () => {
  test('the end state is asserted, for as long as others declare anything else', () => {
    const run = harness({ route: { weight: 0 } });
    run.writeElsewhere(30);
    run.runUntil(decidedAt + MINUTE);
    assert.equal(run.status.phase, 'RolledBack');
    assert.equal(run.status.routes?.[0]?.declared, 30);
    assert.equal(run.route().owned, true);
    run.runUntil(decidedAt + 10 * HOUR);
    run.writeElsewhere(30);
    run.runUntil(run.now);
    assert.equal(run.weight(), 0);
    assert.equal(run.route().owned, true);
  });

  test('it is let go once its owner declares 0, and not before', () => {
    const run = harness();
    run.writeElsewhere(30);
    run.runUntil(decidedAt + MINUTE);
    // Git declares what is already there: both own the field now.
    run.route().writtenBy = 'argocd';
    run.nextAt = run.now;
    run.runUntil(run.now + SECOND);
    assert.equal(run.status.routes?.[0]?.released, true);
    assert.equal(run.route().owned, false);
    run.writeElsewhere(80);
    run.runUntil(run.now + HOUR);
    assert.equal(run.weight(), 80, 'what was let go is no longer ours');
  });

  test('a route that another raises at the moment of letting go is lowered first', () => {
    const run = harness();
    run.writeElsewhere(30);
    run.runUntil(decidedAt + MINUTE);
    assert.equal(run.status.routes?.[0]?.released, undefined);
    // Its owner had declared 0, and before that was acted upon somebody else wrote 60.
    const routes = run.status.routes?.map((route) => ({ ...route, declared: 0 })) ?? [];
    run.status = { ...run.status, routes };
    run.writeElsewhere(60);
    run.runUntil(run.now + MINUTE);
    assert.equal(run.weight(), 0);
    assert.equal(run.status.routes?.[0]?.declared, 60);
  });

  test('what we had written ourselves is not taken for declared by the next run', () => {
    const run = harness();
    run.writeElsewhere(30);
    run.runUntil(decidedAt + MINUTE);
    run.annotate('retry 1');
    run.runUntil(run.now + MINUTE);
    run.annotate('abort 2');
    run.runUntil(run.now + MINUTE);
    assert.equal(run.status.phase, 'RolledBack');
    assert.equal(run.status.routes?.[0]?.declared, 30);
    assert.equal(run.route().owned, true);
  });

  test('a write that fails is tried again, though nothing tells us to', () => {
    const run = harness();
    run.writeElsewhere(30);
    run.runUntil(decidedAt + MINUTE);
    run.writeElsewhere(50);
    run.world.write = (_route, _action, now) => (now < decidedAt + 2 * MINUTE ? 'lost' : 'done');
    run.runUntil(decidedAt + 3 * MINUTE);
    assert.equal(run.weight(), 0);
  });
});
