/** Weights: what is asserted, what another writer changed, and what is never raised again by itself. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutSpecInput } from '#api/rollout.ts';
import { HOUR, MINUTE, rolloutSpec, runSpec, SECOND, startedStatus, T0 } from '#test/builders.ts';
import { EngineHarness, type HarnessOptions } from '#test/engine-harness.ts';
import { desiredWeight } from './traffic.ts';

function harness(options: HarnessOptions = {}): EngineHarness {
  const run = new EngineHarness(options);
  run.runUntil(T0 + 90 * MINUTE);
  return run;
}

const drift = (run: EngineHarness) => run.status.routes?.[0]?.drift;

describe('what the status asks for', () => {
  const run = runSpec();
  const passed = {
    name: 'half',
    kind: 'Step',
    dueAt: '2026-11-22T13:00:00Z',
    passedAt: '2026-11-22T13:00:00Z',
    weight: 50,
  };
  const rollback = {
    reason: 'x',
    message: 'x',
    startedAt: '2026-11-22T13:00:00Z',
    slaDeadline: '2026-11-22T13:15:00Z',
    stages: [],
  };
  const rows = [
    { name: 'nothing before the first step', status: {}, is: undefined },
    {
      name: '0 before the first step of a run that replaced another',
      status: { replacedRevision: 'v1' },
      is: 0,
    },
    { name: 'the weight of the step', status: { step: 'half' }, is: 50 },
    {
      name: 'the weight of the last step passed, where the step is gone',
      status: { step: 'gone', plan: [passed] },
      is: 50,
    },
    { name: '0 where nothing of it is left', status: { step: 'gone' }, is: 0 },
    {
      name: 'no more than what was passed',
      status: { step: 'half', plan: [{ ...passed, weight: 20 }] },
      is: 20,
    },
    { name: '0 in a rollback, whatever the step', status: { step: 'full', rollback }, is: 0 },
    {
      name: '0 after a rollback that an older version did not write down',
      status: { step: 'full', phase: 'RolledBack' },
      is: 0,
    },
    { name: '0 in phase RollingBack', status: { step: 'full', phase: 'RollingBack' }, is: 0 },
  ];
  for (const { name, status, is } of rows) {
    test(name, () => {
      assert.equal(desiredWeight(run, startedStatus(run, status)), is);
    });
  }
});

describe('another writer', () => {
  test('who lowers canary is overruled while nothing speaks against a rise, counted and told', () => {
    const run = harness();
    run.writeElsewhere(20);
    run.runFor(SECOND);
    assert.equal(run.weight(), 50);
    assert.equal(drift(run), 1);
    assert.match(
      run.events.find(({ reason }) => reason === 'TrafficDrift')?.note ?? '',
      /^argocd changed HTTPRoute web to 20% canary; 50% is asserted again$/,
    );
    run.writeElsewhere(20);
    run.runFor(SECOND);
    assert.equal(drift(run), 2);
  });

  test('who raises canary is overruled whatever holds', () => {
    const run = harness();
    run.annotate('pause 1');
    run.runFor(SECOND);
    run.writeElsewhere(90);
    run.runFor(SECOND);
    assert.equal(run.weight(), 50);
    assert.equal(drift(run), 1);
  });

  test('who lowers canary while it is held is counted once, and not overruled until nothing holds', () => {
    const run = harness();
    run.world.skewMs = 60_000;
    run.runFor(MINUTE);
    run.writeElsewhere(20);
    run.runFor(10 * MINUTE);
    assert.equal(run.weight(), 20);
    assert.equal(drift(run), 1);
    assert.equal(run.events.filter(({ reason }) => reason === 'TrafficDrift').length, 1);
    assert.ok(run.status.holds?.some(({ reason }) => reason === 'LoweredByAnother'));
    run.world.skewMs = 0;
    run.runFor(MINUTE);
    assert.equal(run.weight(), 50);
  });

  test('who lowers one of two routes while it is held is named, with what that route has', () => {
    const { traffic } = rolloutSpec();
    const routes = ['web', 'admin'].map((name) => ({ kind: 'HTTPRoute', name }));
    const run = new EngineHarness({ spec: { traffic: { ...traffic, routes } } });
    run.runUntil(T0 + 90 * MINUTE);
    run.world.skewMs = 60_000;
    run.runFor(MINUTE);
    run.writeElsewhere(20, 'admin');
    run.runFor(MINUTE);
    assert.deepEqual([run.weight('web'), run.weight('admin')], [50, 20]);
    const hold = run.status.holds?.find(({ reason }) => reason === 'LoweredByAnother');
    assert.match(hold?.message ?? '', /lowered canary to 20%/);
  });

  test('who takes the traffic away from a breach that is pending does not heal it', () => {
    const run = new EngineHarness();
    run.world.series = (query, atMs) => {
      if (!query.includes('"new"')) return 0;
      if (run.weight() === 0) return 'absent';
      return atMs >= T0 + 88 * MINUTE ? 1 : 0;
    };
    run.runUntil(T0 + 90 * MINUTE);
    assert.equal(run.trigger()?.state, 'Pending');
    run.writeElsewhere(0);
    run.runFor(HOUR);
    assert.equal(run.weight(), 0);
    assert.equal(run.trigger()?.state, 'Pending');
    assert.ok(run.status.holds?.some(({ reason }) => reason === 'LoweredByAnother'));
  });

  test('who makes the rules of a route disagree is overruled', () => {
    const run = harness();
    run.writeElsewhere(50);
    run.route().uniform = false;
    run.runFor(SECOND);
    assert.equal(run.route().uniform, true);
  });

  test('who makes them disagree below the weight of the step is not overruled while it is held', () => {
    const run = harness();
    run.annotate('pause 1');
    run.runFor(SECOND);
    run.writeElsewhere(20);
    run.route().uniform = false;
    run.runFor(MINUTE);
    assert.equal(run.weight(), 20);
    run.annotate('resume 2');
    run.runFor(MINUTE);
    assert.deepEqual([run.weight(), run.route().uniform], [50, true]);
  });

  test('before the first step may do as he likes', () => {
    const run = new EngineHarness({ world: { series: () => 'absent' } });
    run.runUntil(T0 + MINUTE);
    run.writeElsewhere(40);
    run.runFor(MINUTE);
    assert.equal(run.weight(), 40);
  });

  test('who is ourselves, in another process, is no drift', () => {
    const run = harness();
    run.writeElsewhere(20, 'web', 'genesis');
    run.runFor(SECOND);
    assert.equal(run.weight(), 50);
    assert.equal(drift(run), 0);
    assert.equal(run.status.routes?.[0]?.declared, 0);
  });

  test('what he declares is kept, what we write is not taken for it', () => {
    const run = harness();
    assert.equal(run.status.routes?.[0]?.declared, 0);
    run.writeElsewhere(30);
    run.runFor(SECOND);
    assert.equal(run.status.routes?.[0]?.declared, 30);
    run.runUntil(T0 + 130 * MINUTE);
    assert.equal(run.weight(), 100);
    assert.equal(run.status.routes?.[0]?.declared, 30);
  });
});

describe('a younger rollout on the same route', () => {
  test('leaves the route to the older one, lowering included', () => {
    const run = harness();
    run.conflict = 'elder';
    run.writeElsewhere(80, 'web', 'genesis');
    run.runFor(10 * MINUTE);
    assert.equal(run.weight(), 80);
    assert.equal(run.status.holds?.[0]?.reason, 'RouteConflict');
  });

  test('still lowers in a rollback of its own, once', () => {
    const run = harness();
    run.conflict = 'elder';
    run.annotate('abort 1');
    run.runFor(SECOND);
    assert.equal(run.weight(), 0);
    assert.equal(run.status.phase, 'RolledBack');
    run.writeElsewhere(80, 'web', 'genesis');
    run.runFor(10 * MINUTE);
    assert.equal(run.weight(), 80);
  });
});

describe('a write that is lost', () => {
  test('between status and route is made good, also when traffic has not come yet', () => {
    const run = new EngineHarness({
      world: { series: (query) => (query.includes('"new"') && run.weight() === 0 ? 'absent' : 0) },
    });
    run.runUntil(T0 + HOUR - 1);
    run.crashNext = 'beforeActions';
    run.sleepUntil(T0 + HOUR);
    run.look();
    assert.equal(run.status.step, 'half');
    assert.equal(run.weight(), 0);
    run.sleepUntil(T0 + HOUR + 20 * SECOND);
    run.runFor(SECOND);
    assert.equal(run.weight(), 50);
  });

  test('with an obstacle meanwhile waits for that, and names it', () => {
    const run = new EngineHarness();
    run.runUntil(T0 + HOUR - 1);
    run.crashNext = 'beforeActions';
    run.sleepUntil(T0 + HOUR);
    run.look();
    run.world.ready = (arm) => (arm === 'stable' ? 1 : 2);
    run.sleepUntil(T0 + HOUR + 20 * SECOND);
    run.runFor(10 * MINUTE);
    assert.equal(run.weight(), 0);
    assert.equal(run.status.phase, 'Held');
    assert.equal(run.status.holds?.[0]?.reason, 'StableUnderscaled');
    run.world.ready = () => 2;
    run.runFor(MINUTE);
    assert.equal(run.weight(), 50);
  });
});

describe('traffic at weight 0', () => {
  const ratio = { bad: 'bad{service="$(arm.service)"}', total: 'total{service="$(arm.service)"}' };
  const triggers: RolloutSpecInput['triggers'] = [
    { name: 'errors', severity: 'Critical', ratio, condition: '> 0.5%', for: '5m' },
  ];
  const stableOnly = (query: string) =>
    query.includes('"old"') && query.startsWith('total') ? 10 : 'absent';

  test('is not expected: nothing of canary is no broken chain, and the plan goes on', () => {
    const run = new EngineHarness({ spec: { triggers }, world: { series: stableOnly } });
    run.runUntil(T0 + 59 * MINUTE);
    assert.equal(run.trigger()?.reason, 'NoTrafficExpected');
    assert.equal(run.status.blindSince, undefined);
    run.runUntil(T0 + HOUR);
    assert.equal(run.weight(), 50);
  });

  test('above it is: no requests hold, a total that is gone is a broken chain', () => {
    for (const [total, reason] of [
      [0, 'NoTraffic'],
      ['absent', 'ChainBroken'],
    ] as const) {
      const run = new EngineHarness({
        spec: { triggers },
        world: {
          series: (query) =>
            query.includes('"new"') && query.startsWith('total') ? total : stableOnly(query),
        },
      });
      run.runUntil(T0 + 65 * MINUTE);
      assert.equal(run.status.phase, 'Held');
      assert.equal(run.status.holds?.[0]?.reason, reason);
      assert.equal(run.weight(), 50);
    }
  });

  test('is nothing to Prometheus: an outage at weight 0 is an outage', () => {
    const run = new EngineHarness({
      spec: { triggers },
      world: { series: stableOnly, fault: (now) => (now > T0 + MINUTE ? 'timeout' : undefined) },
    });
    run.runUntil(T0 + 10 * MINUTE);
    assert.equal(run.status.holds?.[0]?.reason, 'PrometheusDown');
  });
});
