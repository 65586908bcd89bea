/** The plan in time: when points are due, what moves them, and what does not. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import type { RolloutSpecInput } from '#api/rollout.ts';
import { HOUR, MINUTE, runSpec, startedStatus, T0, threeSteps } from '#test/builders.ts';
import { EngineHarness } from '#test/engine-harness.ts';
import { currentPoint, resolvePlan } from './schedule.ts';

const iso = (ms: number) => new Date(T0 + ms).toISOString().replace('.000Z', 'Z');
const isCanary = (query: string) => query.includes('"new"');

describe('points', () => {
  const schedule: RolloutSpecInput['schedule'] = {
    steps: [
      { name: 'a', at: '0h', weight: 0 },
      { name: 'b', at: '2h', weight: 100 },
    ],
    checkpoints: [
      { name: 'late', at: '3h', require: ['Preflight'] },
      { name: 'same', at: '2h', require: ['Preflight'] },
    ],
    end: '3h',
  };

  test('stand in order of time: a checkpoint before a step that is due with it, the end last', () => {
    const run = runSpec({ schedule });
    assert.deepEqual(
      run.points.map(({ name, kind }) => `${kind} ${name}`),
      ['Step a', 'Checkpoint same', 'Step b', 'Checkpoint late', 'End end'],
    );
  });

  test('are due at their distance from the start while nothing delays', () => {
    const run = runSpec({ schedule });
    assert.deepEqual(
      resolvePlan(run, startedStatus(run)).map(({ dueAt }) => dueAt),
      [iso(0), iso(2 * HOUR), iso(2 * HOUR), iso(3 * HOUR), iso(3 * HOUR)],
    );
  });

  test('that the plan no longer has are not missed, and those passed stay passed', () => {
    const run = runSpec({ schedule });
    const status = startedStatus(run, {
      plan: [
        { name: 'gone', kind: 'Step', dueAt: iso(0), passedAt: iso(0), weight: 7 },
        { name: 'same', kind: 'Checkpoint', dueAt: iso(HOUR), passedAt: iso(2 * HOUR) },
      ],
    });
    assert.equal(currentPoint(run, status)?.name, 'b');
  });
});

describe('the default plan of 48 hours', () => {
  const { spec } = parse(readFileSync('examples/smallest.yaml', 'utf8')) as {
    spec: RolloutSpecInput;
  };

  /** A rate over a minute: nothing of canary until it has been asked for so long. */
  function world(silenceMs: number): EngineHarness {
    const run = new EngineHarness({ input: spec });
    run.world.series = (query, atMs) => {
      if (query.includes('code=~')) return 'absent';
      const isAsked = query.includes('hello-stable') || atMs >= T0 + 6 * HOUR + silenceMs;
      return isAsked ? 12.5 : 'absent';
    };
    return run;
  }

  test('goes from start to Succeeded at its own times, of a service with no failing series at all', () => {
    const run = world(0);
    run.runUntil(T0 + 100 * HOUR);
    assert.deepEqual(
      run.timeline.flatMap((one) => one.events.map((event) => `${(one.at - T0) / HOUR}h ${event}`)),
      [
        '0h RunStarted',
        '0h PreflightPassed',
        '0h StepEntered',
        '1h CheckpointPassed',
        '6h StepEntered',
        '24h CheckpointPassed',
        '30h StepEntered',
        '48h EndReached',
        '72h Succeeded',
      ],
    );
    assert.deepEqual(run.writes, [
      { at: T0 + 6 * HOUR, route: 'hello', weight: 50 },
      { at: T0 + 30 * HOUR, route: 'hello', weight: 100 },
    ]);
    assert.equal(run.status.finishedAt, iso(72 * HOUR));
    assert.equal(run.status.succeededRevision, '2');
  });

  test('moves by the first minute of traffic, of which there is no reading yet', () => {
    const run = world(MINUTE);
    run.runUntil(T0 + 7 * HOUR);
    assert.equal(run.dueAt('day-one'), iso(24 * HOUR + MINUTE));
    assert.equal(run.dueAt('full'), iso(30 * HOUR + MINUTE));
    assert.equal(run.status.endsAt, iso(48 * HOUR + MINUTE));
  });
});

/** When each step, checkpoint and the end was passed, in minutes since the start. */
function passed(run: EngineHarness): Record<string, number> {
  return Object.fromEntries(
    (run.status.plan ?? []).flatMap(({ name, passedAt }) =>
      passedAt === undefined ? [] : [[name, (Date.parse(passedAt) - T0) / MINUTE]],
    ),
  );
}

const during = (now: number, fromMin: number, toMin: number) =>
  now >= T0 + fromMin * MINUTE && now < T0 + toMin * MINUTE;

describe('what delays one point moves all later ones', () => {
  test('nothing delays: an hour each', () => {
    const run = new EngineHarness();
    run.runUntil(T0 + 10 * HOUR);
    assert.deepEqual(passed(run), { dark: 0, half: 60, full: 120, end: 180 });
  });

  test('a hold that is over before a point is due moves nothing: held time counts as bake', () => {
    const run = new EngineHarness({
      world: { ready: (arm, now) => (arm === 'stable' && during(now, 70, 100) ? 0 : 2) },
    });
    run.runUntil(T0 + 10 * HOUR);
    assert.deepEqual(passed(run), { dark: 0, half: 60, full: 120, end: 180 });
  });

  test('a hold over the time that a point is due moves it and all after it', () => {
    const run = new EngineHarness({
      world: { ready: (arm, now) => (arm === 'stable' && during(now, 70, 130) ? 0 : 2) },
    });
    run.runUntil(T0 + 10 * HOUR);
    assert.deepEqual(passed(run), { dark: 0, half: 60, full: 130, end: 190 });
  });

  test('paused time counts as bake as well', () => {
    const run = new EngineHarness();
    run.runUntil(T0 + 70 * MINUTE);
    run.edit({ paused: true });
    run.runUntil(T0 + 150 * MINUTE);
    assert.equal(run.status.phase, 'Paused');
    run.edit({ paused: false });
    run.runUntil(T0 + 10 * HOUR);
    assert.deepEqual(passed(run), { dark: 0, half: 60, full: 150, end: 210 });
  });

  test('a step is passed when its weight is read back, not when it is asked for', () => {
    const run = new EngineHarness({
      world: { write: (_route, _action, now) => (during(now, 60, 67) ? 'lost' : 'done') },
    });
    run.runUntil(T0 + 66 * MINUTE);
    assert.equal(run.status.step, 'half');
    assert.equal(run.passedAt('half'), undefined);
    run.runUntil(T0 + 10 * HOUR);
    assert.deepEqual(passed(run), { dark: 0, half: 67, full: 127, end: 187 });
  });

  test('a route that its gateway has not accepted is not settled', () => {
    const run = new EngineHarness();
    run.runUntil(T0 + 59 * MINUTE);
    run.world.write = (route) => {
      route.settled = false;
      return 'done';
    };
    run.runUntil(T0 + 65 * MINUTE);
    assert.equal(run.passedAt('half'), undefined);
    assert.equal(run.condition('TrafficVerified')?.status, 'False');
    run.world.write = () => 'done';
    run.route().settled = true;
    run.runUntil(T0 + 10 * HOUR);
    assert.deepEqual(passed(run), {
      dark: 0,
      half: 65 + 1 / 60,
      full: 125 + 1 / 60,
      end: 185 + 1 / 60,
    });
  });

  test('after a long absence there is one point at a time, each with its own distance', () => {
    const run = new EngineHarness();
    run.runUntil(T0 + 30 * MINUTE);
    run.sleepUntil(T0 + 600 * MINUTE);
    run.runUntil(T0 + 20 * HOUR);
    assert.deepEqual(passed(run), { dark: 0, half: 600, full: 660, end: 720 });
  });

  test('points that are due together are passed one after the other', () => {
    const checkpoints = ['a', 'b', 'c'].map((name) => ({
      name,
      at: '1h',
      require: ['Preflight'] as 'Preflight'[],
    }));
    const run = new EngineHarness({ spec: { schedule: { ...threeSteps, checkpoints } } });
    run.runUntil(T0 + HOUR);
    assert.deepEqual(passed(run), { dark: 0, a: 60, b: 60, c: 60, half: 60 });
    // The harness lets no decision pass two.
    assert.ok(run.timeline.filter((one) => one.events.includes('CheckpointPassed')).length === 3);
  });

  test('a person may end the waiting of one point: the distances after it stay', () => {
    const run = new EngineHarness();
    run.runUntil(T0 + 65 * MINUTE);
    run.annotate('promote 1');
    run.runUntil(T0 + 10 * HOUR);
    assert.deepEqual(passed(run), { dark: 0, half: 60, full: 65, end: 180 });
  });

  test('a clock that steps back undoes nothing', () => {
    const run = new EngineHarness();
    run.runUntil(T0 + 61 * MINUTE);
    run.sleepUntil(T0 + 10 * MINUTE);
    run.runUntil(T0 + 59 * MINUTE);
    assert.equal(run.weight(), 50);
    run.runUntil(T0 + 10 * HOUR);
    assert.deepEqual(passed(run), { dark: 0, half: 60, full: 120, end: 180 });
  });

  test('a start off the grid and an odd interval change nothing', () => {
    const startAt = T0 + 1234;
    const run = new EngineHarness({ startAt, spec: { analysis: { interval: '17s' } } });
    run.runUntil(T0 + 10 * HOUR);
    assert.deepEqual(
      run.writes.map(({ at }) => at - startAt),
      [HOUR, 2 * HOUR],
    );
  });
});

describe('time without readings', () => {
  const down = (fromMin: number, toMin: number) => (now: number) =>
    during(now, fromMin, toMin) ? ('unreachable' as const) : undefined;

  test('Prometheus down for five minutes: nothing promoted, nothing rolled back, the status says why, and the plan moves by exactly that', () => {
    const run = new EngineHarness({ world: { fault: down(75, 80) } });
    run.runUntil(T0 + 76 * MINUTE);
    assert.equal(run.condition('MetricsAvailable')?.status, 'False');
    assert.equal(run.condition('MetricsAvailable')?.reason, 'PrometheusDown');
    run.runUntil(T0 + 79 * MINUTE);
    assert.equal(run.status.phase, 'Held');
    assert.equal(run.status.holds?.[0]?.reason, 'PrometheusDown');
    assert.match(run.status.message ?? '', /errors has no reading: Prometheus: unreachable/);
    run.runUntil(T0 + 81 * MINUTE);
    assert.equal(run.status.phase, 'Progressing');
    assert.equal(run.dueAt('full'), iso(125 * MINUTE));
    assert.equal(run.status.nextStepAt, iso(125 * MINUTE));
    assert.equal(run.status.endsAt, iso(185 * MINUTE));
    run.runUntil(T0 + 10 * HOUR);
    assert.equal(run.status.rollback, undefined);
    assert.deepEqual(passed(run), { dark: 0, half: 60, full: 125, end: 185 });
  });

  test('twice adds up', () => {
    const run = new EngineHarness({
      world: { fault: (now) => down(70, 75)(now) ?? down(100, 103)(now) },
    });
    run.runUntil(T0 + 10 * HOUR);
    assert.deepEqual(passed(run), { dark: 0, half: 60, full: 128, end: 188 });
  });

  test('over the time that a point is due: it comes when the bake is complete, not when readings come back', () => {
    const run = new EngineHarness({ world: { fault: down(115, 125) } });
    run.runUntil(T0 + 10 * HOUR);
    assert.deepEqual(passed(run), { dark: 0, half: 60, full: 130, end: 190 });
  });

  test('just before the end ends nothing, however short it is', () => {
    const run = new EngineHarness({ world: { fault: down(179, 181) } });
    run.runUntil(T0 + 181 * MINUTE - 1);
    assert.equal(run.status.phase, 'Held');
    assert.equal(run.status.holds?.[0]?.reason, 'NoData');
    run.runUntil(T0 + 10 * HOUR);
    assert.deepEqual(passed(run)['end'], 182);
  });

  test('is not watched either: thenMonitorFor grows by it', () => {
    const run = new EngineHarness({
      spec: { success: { thenMonitorFor: '1h' } },
      world: { fault: down(200, 230) },
    });
    run.runUntil(T0 + 10 * HOUR);
    assert.equal(run.status.finishedAt, iso((180 + 60 + 30) * MINUTE));
  });

  test('of a trigger that ignores it, or of a Warning, is bake', () => {
    const run = new EngineHarness({
      spec: {
        triggers: [
          {
            name: 'w',
            severity: 'Warning',
            query: 'w{service="$(arm.service)"}',
            condition: '> 1',
          },
        ],
      },
      world: { series: (query, atMs) => (isCanary(query) && during(atMs, 70, 100) ? 'absent' : 0) },
    });
    run.runUntil(T0 + 10 * HOUR);
    assert.deepEqual(passed(run), { dark: 0, half: 60, full: 120, end: 180 });
  });

  test('at weight 0 counts as well: nothing is expected of canary, but an outage is an outage', () => {
    const run = new EngineHarness({ world: { fault: down(10, 20) } });
    run.runUntil(T0 + 10 * HOUR);
    assert.deepEqual(passed(run), { dark: 0, half: 70, full: 130, end: 190 });
  });

  test('before a point was passed is not counted for the next one', () => {
    const run = new EngineHarness({ world: { fault: down(62, 70) } });
    run.runUntil(T0 + 59 * MINUTE);
    run.world.write = (route) => {
      route.settled = false;
      return 'done';
    };
    // The weight is there since an hour, and accepted after 67 minutes.
    run.runUntil(T0 + 67 * MINUTE);
    run.world.write = () => 'done';
    run.route().settled = true;
    run.sleepUntil(T0 + 67 * MINUTE);
    run.runUntil(T0 + 10 * HOUR);
    assert.deepEqual(passed(run), { dark: 0, half: 67, full: 67 + 60 + 3, end: 190 });
  });
});
