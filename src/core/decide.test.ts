/** The order of rules: what is obeyed over what, and what a steady state costs. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutSpecInput } from '#api/rollout.ts';
import { errorsTrigger, HOUR, MINUTE, SECOND, T0, threeSteps } from '#test/builders.ts';
import { EngineHarness, type HarnessOptions } from '#test/engine-harness.ts';
import { rules } from './decide.ts';

const isCanary = (query: string) => query.includes('"new"');
const quick: RolloutSpecInput['triggers'] = [{ ...errorsTrigger, for: '1m' }];

test('the order of rules is the one of the design', () => {
  assert.deepEqual(
    rules.map((rule) => rule.name),
    [
      'deleted',
      'rolling-back',
      'fired',
      'asked',
      'invalid',
      'begin',
      'edited',
      'finished',
      'paused',
      'preflight',
      'settling',
      'gates',
      'judged',
      'held',
      'advance',
      'promote',
    ],
  );
});

interface Row {
  readonly name: string;
  readonly options?: HarnessOptions;
  /** Brings the run into the phase, before 13:30. */
  readonly prepare: (run: EngineHarness) => void;
  readonly phase: string;
}

const approval: RolloutSpecInput['schedule'] = {
  ...threeSteps,
  steps: threeSteps.steps.map((step) =>
    step.name === 'full' ? { ...step, at: '80m', approval: { quorum: 1 } } : step,
  ),
};

const phases: readonly Row[] = [
  {
    name: 'in preflight, where canary already has traffic',
    options: { world: { skewMs: 60_000 }, route: { weight: 20 } },
    prepare: () => undefined,
    phase: 'Preflight',
  },
  { name: 'while it waits for its next step', prepare: () => undefined, phase: 'Progressing' },
  { name: 'while spec.paused', prepare: (run) => run.edit({ paused: true }), phase: 'Paused' },
  {
    name: 'while a person has paused it',
    prepare: (run) => run.annotate('pause 1'),
    phase: 'Paused',
  },
  {
    name: 'while it is held',
    prepare: (run) => {
      run.world.skewMs = 60_000;
    },
    phase: 'Held',
  },
  {
    name: 'while it waits for an approval',
    options: { spec: { schedule: approval } },
    prepare: () => undefined,
    phase: 'Held',
  },
  {
    name: 'under an invalid edit',
    prepare: (run) => run.edit({ schedule: { steps: [], end: 'never' }, triggers: [] }),
    phase: 'Progressing',
  },
  {
    name: 'under an invalid edit that would pause it',
    prepare: (run) => run.edit({ paused: true, schedule: { steps: [], end: 'never' } }),
    phase: 'Progressing',
  },
  {
    name: 'while a new revision is queued',
    prepare: (run) => run.edit({ revision: 'v3', onNewRevision: 'Queue' }),
    phase: 'Progressing',
  },
  {
    name: 'while it is monitored at 100 %',
    options: {
      spec: {
        schedule: {
          steps: [
            { name: 'half', at: '10m', weight: 50 },
            { name: 'full', at: '20m', weight: 100 },
          ],
          end: '30m',
        },
        success: { thenMonitorFor: '10h' },
      },
    },
    prepare: () => undefined,
    phase: 'Monitoring',
  },
  {
    name: 'while an older rollout claims the route',
    prepare: (run) => {
      run.conflict = 'elder';
    },
    phase: 'Held',
  },
];

describe('a Critical trigger that has held is obeyed', () => {
  for (const { name, options, prepare, phase } of phases) {
    test(name, () => {
      const breachAt = T0 + 90 * MINUTE;
      const run = new EngineHarness({
        ...options,
        spec: { triggers: quick, ...options?.spec },
        world: {
          series: (query, atMs) => (isCanary(query) && atMs >= breachAt ? 1 : 0),
          ...options?.world,
        },
      });
      run.runUntil(T0 + 70 * MINUTE);
      prepare(run);
      run.runUntil(breachAt - SECOND);
      assert.equal(run.status.phase, phase);
      assert.ok(run.weight() > 0);
      run.runUntil(breachAt + MINUTE);
      assert.equal(run.weight(), 0);
      const started = run.events.find(({ reason }) => reason === 'RollbackStarted');
      assert.equal(started?.at, breachAt + MINUTE);
    });
  }
});

describe('a steady state', () => {
  test('a thousand ticks between two points write nothing, say nothing and give back the very status', () => {
    const run = new EngineHarness({
      spec: {
        schedule: {
          ...threeSteps,
          steps: threeSteps.steps.map((step) =>
            step.name === 'full' ? { ...step, at: '30h' } : step,
          ),
          end: '40h',
        },
      },
      // Live figures wander; none of them is a change of state.
      world: { series: (_query, atMs) => 0.001 + (atMs % 7919) / 10_000_000 },
    });
    run.runUntil(T0 + 61 * MINUTE);
    const { status, statusWrites } = run;
    const events = run.events.length;
    let looks = 0;
    for (; looks < 1000; looks += 1) {
      assert.ok(run.nextAt !== undefined && run.nextAt > run.now);
      run.now = run.nextAt;
      const decision = run.look();
      assert.equal(decision.status, status);
      const actions = decision.actions.filter(({ type }) => type !== 'RecordSnapshot');
      assert.deepEqual([decision.first, actions, decision.events], [[], [], []]);
    }
    assert.equal(run.status, status);
    assert.equal(run.statusWrites, statusWrites);
    assert.equal(run.events.length, events);
  });

  const steady: readonly { name: string; prepare: (run: EngineHarness) => void }[] = [
    {
      name: 'held for want of data',
      prepare: (run) => {
        run.world.series = () => 'absent';
      },
    },
    {
      name: 'while Prometheus is down',
      prepare: (run) => {
        run.world.fault = () => 'unreachable';
      },
    },
    { name: 'paused', prepare: (run) => run.annotate('pause 1') },
    {
      name: 'with a stable that is down',
      prepare: (run) => {
        run.world.ready = (arm) => (arm === 'stable' ? 0 : 2);
      },
    },
    {
      name: 'with a Warning that fires',
      prepare: (run) => {
        run.edit({ triggers: [{ ...errorsTrigger, severity: 'Warning' }] });
        run.world.series = () => 1;
      },
    },
    {
      name: 'with an obstacle to the step that is due',
      prepare: (run) => {
        run.world.ready = () => 1;
      },
    },
    {
      name: 'under an invalid edit',
      prepare: (run) => run.edit({ triggers: [{ ...errorsTrigger, query: 'sum(' }] }),
    },
    {
      name: 'with drift that may not be undone',
      prepare: (run) => {
        run.annotate('pause 1');
        run.runFor(SECOND);
        run.writeElsewhere(20);
      },
    },
    {
      name: 'with a rollback that is stuck',
      prepare: (run) => {
        run.route().mode = 'refused';
        run.annotate('abort 1');
      },
    },
    { name: 'rolled back', prepare: (run) => run.annotate('abort 1') },
  ];
  for (const { name, prepare } of steady) {
    test(`${name} writes nothing either, from one minute to the next`, () => {
      const run = new EngineHarness();
      run.runUntil(T0 + 61 * MINUTE);
      prepare(run);
      run.runUntil(T0 + 202 * MINUTE + 30 * SECOND);
      const { statusWrites } = run;
      const events = run.events.length;
      run.runFor(4 * MINUTE);
      assert.equal(run.statusWrites, statusWrites);
      assert.equal(run.events.length, events);
    });
  }
});

describe('a request for all that is to be known', () => {
  test('the same question is asked once, however many triggers ask it', () => {
    const run = new EngineHarness({
      spec: { triggers: [errorsTrigger, { ...errorsTrigger, name: 'again', condition: '> 1%' }] },
    });
    run.runUntil(T0 + 70 * MINUTE);
    run.questions.length = 0;
    run.now += 15 * SECOND;
    run.look();
    assert.equal(run.questions.length, 1);
  });

  test('a hold is proved by one range query when it begins and one before it fires, none in between', () => {
    const run = new EngineHarness({
      world: { series: (query, atMs) => (isCanary(query) && atMs >= T0 + 90 * MINUTE ? 1 : 0) },
    });
    run.runUntil(T0 + 90 * MINUTE - SECOND);
    run.questions.length = 0;
    run.runUntil(T0 + 95 * MINUTE);
    const ranges = run.questions.filter((question) => question.type === 'range');
    assert.equal(ranges.length, 2);
    assert.equal(run.status.phase, 'RolledBack');
  });
});

test('an hour of the world looked at once more at every instant is the same hour', () => {
  const course = (twice: boolean) => {
    const run = new EngineHarness({
      spec: { triggers: quick },
      world: { series: (query, atMs) => (isCanary(query) && atMs >= T0 + 90 * MINUTE ? 1 : 0) },
    });
    while (run.nextAt !== undefined && run.nextAt < T0 + 3 * HOUR) {
      run.now = run.nextAt;
      run.look();
      if (twice) run.look();
    }
    return { status: run.status, writes: run.writes, told: run.told() };
  };
  assert.deepEqual(course(true), course(false));
});
