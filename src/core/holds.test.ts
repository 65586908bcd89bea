/** What speaks against going on: every hold and every obstacle to a rise, one at a time, and named. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutSpecInput } from '#api/rollout.ts';
import { errorsTrigger, HOUR, MINUTE, SECOND, T0 } from '#test/builders.ts';
import { EngineHarness, type HarnessOptions, type World } from '#test/engine-harness.ts';
import { decide as decideOn } from './decide.ts';

const isCanary = (query: string) => query.includes('"new"');

interface Row {
  readonly name: string;
  /** Puts the obstacle there, an hour and a half after the start, at 50 %. */
  readonly put: (run: EngineHarness) => void;
  readonly take: (run: EngineHarness) => void;
  readonly phase: string;
  readonly reason: string;
  readonly by: string;
  readonly options?: HarnessOptions;
}

const set =
  <K extends keyof World>(key: K, value: World[K]) =>
  (run: EngineHarness) => {
    run.world[key] = value;
    run.nextAt = run.now;
  };
const ready = (stable: number, canary: number) =>
  set('ready', (arm) => (arm === 'stable' ? stable : canary));
const errors = (value: number | 'absent') =>
  set('series', (query) => (isCanary(query) ? value : 0));

const warning: RolloutSpecInput['triggers'] = [
  { ...errorsTrigger, for: '0s', severity: 'Warning' },
];

/** These stand as soon as they are there, whether or not a point is due. */
const holds: readonly Row[] = [
  {
    name: 'spec.paused',
    put: (run) => run.edit({ paused: true }),
    take: (run) => run.edit({ paused: false }),
    phase: 'Paused',
    reason: 'Paused',
    by: 'spec.paused',
  },
  {
    name: 'a pause that a person asked for',
    put: (run) => run.annotate('pause 1'),
    take: (run) => run.annotate('resume 2'),
    phase: 'Paused',
    reason: 'Paused',
    by: 'annotation',
  },
  {
    name: 'a Warning that fires',
    options: { spec: { triggers: warning } },
    put: errors(1),
    take: errors(0),
    phase: 'Held',
    reason: 'TriggerFiring',
    by: 'errors',
  },
  {
    name: 'a canary that is down, where canaryDown only holds',
    options: { spec: { canaryDown: { for: '0s', action: 'Hold' } } },
    put: ready(2, 0),
    take: ready(2, 2),
    phase: 'Held',
    reason: 'TriggerFiring',
    by: 'canary-down',
  },
  {
    name: 'a stable that is down',
    put: ready(0, 2),
    take: ready(2, 2),
    phase: 'Held',
    reason: 'StableDown',
    by: 'stable-down',
  },
  {
    name: 'clocks that differ by more than 10 s',
    put: set('skewMs', 10_001),
    take: set('skewMs', 10_000),
    phase: 'Held',
    reason: 'ClockSkew',
    by: 'clock',
  },
  {
    name: 'clocks that differ the other way',
    put: set('skewMs', -10_001),
    take: set('skewMs', 0),
    phase: 'Held',
    reason: 'ClockSkew',
    by: 'clock',
  },
  {
    name: 'an older rollout on the same route',
    put: (run) => {
      run.conflict = 'elder';
      run.nextAt = run.now;
    },
    take: (run) => {
      run.conflict = undefined;
      run.nextAt = run.now;
    },
    phase: 'Held',
    reason: 'RouteConflict',
    by: 'elder',
  },
  {
    name: 'a route that must not be written',
    put: (run) => {
      run.route().mode = 'refused';
      run.nextAt = run.now;
    },
    take: (run) => {
      run.route().mode = 'read';
      run.nextAt = run.now;
    },
    phase: 'Held',
    reason: 'ThirdBackend',
    by: 'HTTPRoute/web',
  },
  {
    name: 'a route with a problem that blocks',
    put: (run) => {
      run.route().problems = [{ reason: 'ThirdBackend', message: 'a third', blocking: true }];
      run.nextAt = run.now;
    },
    take: (run) => {
      run.route().problems = [{ reason: 'PartialCoverage', message: 'in part', blocking: false }];
      run.nextAt = run.now;
    },
    phase: 'Held',
    reason: 'ThirdBackend',
    by: 'HTTPRoute/web',
  },
  {
    name: 'a route that is gone',
    put: (run) => {
      run.route().mode = 'missing';
      run.nextAt = run.now;
    },
    take: (run) => {
      run.route().mode = 'read';
      run.nextAt = run.now;
    },
    phase: 'Held',
    reason: 'RouteNotFound',
    by: 'HTTPRoute/web',
  },
];

/** These forbid a rise and nothing else: they are named once one is due. */
const blockers: readonly Row[] = [
  {
    name: 'a Critical trigger that is Pending',
    options: { spec: { triggers: [{ ...errorsTrigger, for: '10h' }] } },
    put: errors(1),
    take: errors(0),
    phase: 'Held',
    reason: 'TriggerNotInactive',
    by: 'errors',
  },
  {
    name: 'a Critical trigger that has just lost its readings',
    options: { spec: { triggers: [{ ...errorsTrigger, noData: 'Ignore', noDataFor: '10h' }] } },
    put: errors('absent'),
    take: errors(0),
    phase: 'Held',
    reason: 'TriggerUnknown',
    by: 'errors',
  },
  {
    name: 'a canary without Ready endpoints, long before canary-down fires',
    options: { spec: { canaryDown: { for: '10h' } } },
    put: ready(2, 0),
    take: ready(2, 2),
    phase: 'Held',
    reason: 'TriggerNotInactive',
    by: 'canary-down',
  },
  {
    name: 'a stable with fewer Ready endpoints than at the start',
    put: ready(1, 2),
    take: ready(3, 2),
    phase: 'Held',
    reason: 'StableUnderscaled',
    by: 'stable',
  },
  {
    name: 'endpoints that are not known yet',
    put: set('ready', (arm) => (arm === 'stable' ? undefined : 2)),
    take: ready(2, 2),
    phase: 'Held',
    reason: 'StableNotReady',
    by: 'stable',
  },
  {
    name: 'a route that its gateway does not accept',
    put: (run) => {
      run.route().settled = false;
      run.nextAt = run.now;
    },
    take: (run) => {
      run.route().settled = true;
      run.nextAt = run.now;
    },
    phase: 'Held',
    reason: 'RouteNotAccepted',
    by: 'HTTPRoute/web',
  },
];

function harness(row: Row): EngineHarness {
  const run = new EngineHarness(row.options ?? {});
  run.runUntil(T0 + 90 * MINUTE);
  row.put(run);
  run.runUntil(T0 + 90 * MINUTE + 30 * SECOND);
  return run;
}

function assertNamed(run: EngineHarness, { phase, reason, by }: Row): void {
  assert.equal(run.status.phase, phase);
  const hold = run.status.holds?.find((one) => one.reason === reason && one.by === by);
  assert.ok(hold, `${reason} by ${by} is in ${JSON.stringify(run.status.holds)}`);
  assert.ok(run.status.message?.includes(hold.message), 'the message says it too');
}

describe('holds stand whether or not a point is due', () => {
  for (const row of holds) {
    test(`${row.name} holds, is named, and nothing rises until it is gone`, () => {
      const run = harness(row);
      assertNamed(run, row);
      const since = run.status.holds?.[0]?.since;
      run.runUntil(T0 + 3 * HOUR);
      assertNamed(run, row);
      assert.equal(run.status.holds?.[0]?.since, since, 'since is kept');
      assert.equal(run.weight(), 50);
      assert.equal(run.events.filter(({ reason }) => reason === 'Held').length, 1, 'told once');
      row.take(run);
      run.runUntil(T0 + 3 * HOUR + MINUTE);
      assert.equal(run.weight(), 100, 'goes on');
      assert.deepEqual(run.status.holds, []);
      assert.ok(run.told().includes('HoldEnded'));
    });
  }
});

test('a clock that was off is off until Prometheus says otherwise, not until it answers nothing', () => {
  const run = new EngineHarness();
  run.runUntil(T0 + MINUTE);
  run.world.skewMs = 45_000;
  run.runUntil(T0 + 2 * MINUTE);
  assert.equal(run.status.holds?.[0]?.reason, 'ClockSkew');
  run.world.fault = () => 'partial';
  run.runUntil(T0 + 2 * HOUR);
  assert.equal(run.weight(), 0);
  assert.ok(run.status.holds?.some(({ reason }) => reason === 'ClockSkew'));
  run.world.fault = () => undefined;
  run.world.skewMs = 0;
  run.runFor(MINUTE);
  assert.equal(run.weight(), 50);
});

test('a clock is believed only while Prometheus tells the time: nothing rises, not even from 0, while every answer fails', () => {
  const run = new EngineHarness();
  run.runUntil(T0 + MINUTE);
  run.world.fault = () => 'partial';
  run.runUntil(T0 + 2 * HOUR);
  assert.equal(run.weight(), 0);
  assert.match(run.status.message ?? '', /nobody says that the operator's clock is right/);
  run.world.fault = () => undefined;
  run.runFor(MINUTE);
  assert.equal(run.weight(), 50);
});

describe('a rise needs more', () => {
  for (const row of blockers) {
    test(`${row.name} forbids a rise once it is due, and is named then`, () => {
      const run = harness(row);
      assert.equal(run.status.phase, 'Progressing');
      run.runUntil(T0 + 3 * HOUR);
      assertNamed(run, row);
      assert.equal(run.weight(), 50);
      row.take(run);
      run.runFor(MINUTE);
      assert.equal(run.weight(), 100);
    });
  }

  test('a trigger that nobody has asked at this tick forbids it too', () => {
    const run = new EngineHarness();
    run.runUntil(T0 + 119 * MINUTE);
    run.now = T0 + 2 * HOUR;
    const snapshot = { ...run.observe(), answers: new Map() };
    run.carryOut(snapshot, decideOn(snapshot), run.version);
    assert.equal(run.weight(), 50);
    assert.equal(run.status.holds?.[0]?.reason, 'TriggerUnknown');
  });

  test('all obstacles are named at once', () => {
    const run = new EngineHarness();
    run.runUntil(T0 + 90 * MINUTE);
    run.route().settled = false;
    run.world.ready = () => 1;
    run.runUntil(T0 + 2 * HOUR);
    assert.deepEqual(
      run.status.holds?.map(({ reason }) => reason),
      ['StableUnderscaled', 'RouteNotAccepted'],
    );
  });

  test('a step that lowers nothing and raises nothing needs none of it', () => {
    const run = new EngineHarness({ world: { ready: (arm) => (arm === 'stable' ? 1 : 2) } });
    run.status = {};
    run.runUntil(T0 + MINUTE);
    assert.equal(run.status.step, 'dark');
  });
});

describe('a rollout without Services', () => {
  test('needs no endpoints: the flag alone is enough', () => {
    const run = new EngineHarness({
      input: {
        revision: 'v2',
        traffic: { featureFlag: { configMap: 'flags', key: 'new-checkout', format: 'Percent' } },
        triggers: [{ ...errorsTrigger, query: 'errors{version="v2"}' }],
      },
    });
    run.runUntil(T0 + 100 * HOUR);
    assert.equal(run.status.phase, 'Succeeded');
    assert.equal(run.weight('flags'), 100);
    assert.equal(run.trigger('canary-down'), undefined);
  });
});
