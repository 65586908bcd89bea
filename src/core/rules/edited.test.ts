/** Edits in mid-run: followed when they are valid, without effect on the watch when they are not. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutSpecInput } from '#api/rollout.ts';
import { errorsTrigger, HOUR, MINUTE, SECOND, T0, threeSteps } from '#test/builders.ts';
import { EngineHarness, type HarnessOptions } from '#test/engine-harness.ts';

function harness(options: HarnessOptions = {}): EngineHarness {
  const run = new EngineHarness(options);
  run.runUntil(T0 + 90 * MINUTE);
  return run;
}

const withSteps = (steps: NonNullable<RolloutSpecInput['schedule']>['steps'], end = '5h') => ({
  schedule: { steps, end },
});
const dark = { name: 'dark', at: '0h', weight: 0 };
const half = { name: 'half', at: '1h', weight: 50 };
const full = { name: 'full', at: '2h', weight: 100 };
const writes = (run: EngineHarness) =>
  run.writes.map(({ at, weight }) => `${(at - T0) / MINUTE}m ${weight}`);

describe('a valid edit', () => {
  test('is recorded and followed from here on, in the same run', () => {
    const run = harness();
    const { runId, specRecord } = run.status;
    run.edit(withSteps([dark, half, { ...full, at: '4h' }]));
    run.runFor(SECOND);
    assert.equal(run.status.runId, runId);
    assert.notEqual(run.status.specRecord, specRecord);
    assert.equal(run.status.runGeneration, 2);
    assert.equal(run.dueAt('full'), '2026-11-22T16:00:00Z');
    run.runUntil(T0 + 10 * HOUR);
    assert.deepEqual(writes(run), ['60m 50', '240m 100']);
    assert.ok(run.told().includes('SpecChanged'));
  });

  test('that brings points forward past now has them passed one at a time', () => {
    const run = harness();
    run.edit(
      withSteps(
        [dark, half, { name: 'more', at: '65m', weight: 70 }, { ...full, at: '70m' }],
        '80m',
      ),
    );
    run.runUntil(T0 + 10 * HOUR);
    assert.deepEqual(writes(run), ['60m 50', '90m 70', '95m 100']);
  });

  test('raises nothing that has been passed: more weight needs a step of its own', () => {
    const run = harness();
    run.edit(withSteps([dark, { ...half, weight: 90 }, full]));
    run.runFor(20 * MINUTE);
    assert.equal(run.weight(), 50);
    assert.equal(run.status.plan?.find((one) => one.name === 'half')?.weight, 50);
    run.runUntil(T0 + 10 * HOUR);
    assert.deepEqual(writes(run), ['60m 50', '120m 100']);
  });

  test('lowers what it lowers at once', () => {
    const run = harness();
    run.edit(withSteps([dark, { ...half, weight: 20 }, full]));
    run.runFor(MINUTE);
    assert.equal(run.weight(), 20);
  });

  test('that takes the current step out falls back to the last one passed that is still there', () => {
    const run = harness();
    run.edit(withSteps([dark, full]));
    run.runFor(MINUTE);
    assert.equal(run.weight(), 0);
    run.runUntil(T0 + 10 * HOUR);
    assert.equal(run.status.phase, 'Succeeded');
  });

  test('that renames the current step enters it anew', () => {
    const run = harness();
    run.edit(withSteps([dark, { ...half, name: 'fifty' }, full]));
    run.runUntil(T0 + 10 * HOUR);
    assert.deepEqual(writes(run), ['60m 50', '150m 100']);
    assert.equal(run.status.phase, 'Succeeded');
  });

  test('of a step that is just being entered has it entered anew, with all that this needs', () => {
    const run = new EngineHarness({ world: { write: () => 'lost' } });
    run.runUntil(T0 + HOUR + SECOND);
    assert.equal(run.status.step, 'half');
    run.edit(withSteps([dark, { ...half, approval: {} }, full]));
    run.world.write = () => 'done';
    run.runUntil(T0 + 3 * HOUR);
    assert.equal(run.weight(), 0);
    assert.equal(run.status.holds?.[0]?.reason, 'ApprovalRequired');
  });

  test('while held or paused changes nothing of that', () => {
    const run = harness();
    run.annotate('pause 1');
    run.runFor(SECOND);
    const { holds } = run.status;
    const told = run.told().length;
    run.edit(withSteps([dark, half, { ...full, at: '4h' }]));
    run.runFor(MINUTE);
    assert.equal(run.status.phase, 'Paused');
    assert.deepEqual(run.status.holds, holds);
    assert.deepEqual(run.told().slice(told), ['SpecChanged']);
  });

  test('of a trigger is watched from here on; one that had begun is proved anew', () => {
    const run = harness({
      world: {
        series: (query, atMs) => (query.includes('"new"') && atMs >= T0 + 88 * MINUTE ? 0.02 : 0),
      },
    });
    assert.equal(run.trigger()?.state, 'Pending');
    run.edit({ triggers: [{ ...errorsTrigger, condition: '> 5%' }] });
    run.runFor(MINUTE);
    assert.equal(run.trigger()?.state, 'Inactive');
    run.edit({ triggers: [{ ...errorsTrigger, condition: '> 1%', for: '4m' }] });
    run.runFor(30 * SECOND);
    assert.equal(run.trigger()?.activeAt, '2026-11-22T13:28:00Z');
    run.runUntil(T0 + 92 * MINUTE);
    assert.equal(run.status.rollback?.startedAt, '2026-11-22T13:32:00Z');
  });

  test('together with a trigger that fires comes after it', () => {
    const run = harness({
      world: {
        series: (query, atMs) => (query.includes('"new"') && atMs >= T0 + 90 * MINUTE ? 1 : 0),
      },
    });
    run.runUntil(T0 + 95 * MINUTE - 1);
    run.edit({ triggers: [] });
    // The edit and the moment come in the same look.
    run.sleepUntil(T0 + 95 * MINUTE);
    run.runFor(SECOND);
    assert.equal(run.status.rollback?.trigger, 'errors');
  });

  for (const crash of ['beforeFirst', 'beforeStatus'] as const) {
    test(`(crash ${crash}) is followed by the next process`, () => {
      const run = harness();
      run.edit(withSteps([dark, half, { ...full, at: '4h' }]));
      run.crashNext = crash;
      run.look();
      run.sleepUntil(run.now + SECOND);
      run.runUntil(T0 + 10 * HOUR);
      assert.deepEqual(writes(run), ['60m 50', '240m 100']);
    });
  }
});

describe('an edit of the traffic in mid-run', () => {
  const web = { kind: 'HTTPRoute', name: 'web' } as const;
  const api = { kind: 'HTTPRoute', name: 'api' } as const;
  const services = { stable: { service: 'old', port: 80 }, canary: { service: 'new', port: 80 } };

  test('that adds a route has it follow', () => {
    const run = harness();
    run.edit({ traffic: { ...services, routes: [web, api] } });
    run.runFor(MINUTE);
    assert.equal(run.weight('api'), 50);
    assert.equal(run.status.history?.length, 0);
  });

  test('that drops a route brings it to 0 first, and starts again', () => {
    const run = harness({ spec: { traffic: { ...services, routes: [web, api] } } });
    run.edit({ traffic: { ...services, routes: [web] } });
    run.runFor(MINUTE);
    assert.deepEqual([run.weight('web'), run.weight('api')], [0, 0]);
    assert.equal(run.status.step, 'dark');
    assert.equal(run.status.history?.[0]?.outcome, 'Superseded');
    assert.match(run.status.history?.[0]?.message ?? '', /spec.traffic was changed/);
  });

  test('that turns the Services round leads nobody to the canary that was under way', () => {
    const run = harness();
    run.edit({ traffic: { stable: services.canary, canary: services.stable, routes: [web] } });
    run.runFor(MINUTE);
    assert.equal(run.weight(), 0);
    assert.equal(run.status.holds?.[0]?.reason, 'WouldServeOlderVersion');
  });

  test('is not followed where a new revision would wait, and the status says so', () => {
    const run = harness();
    run.edit({ traffic: { ...services, routes: [api] }, onNewRevision: 'Queue' });
    run.runUntil(T0 + 4 * HOUR);
    assert.deepEqual([run.weight('web'), run.weight('api')], [100, 0]);
    assert.equal(run.status.phase, 'Succeeded');
    const told = run.timeline.map((one) => one.events).flat();
    assert.ok(!told.includes('SpecChanged'));
  });

  test('that is not followed is named in the condition while the run is under way', () => {
    const run = harness();
    run.edit({ traffic: { ...services, routes: [api] }, onNewRevision: 'Queue' });
    run.runFor(MINUTE);
    assert.equal(run.condition('Accepted')?.status, 'False');
    assert.match(
      run.condition('Accepted')?.message ?? '',
      /spec.traffic was changed.*onNewRevision: Queue/,
    );
  });

  test('before the first step is simply followed', () => {
    const run = new EngineHarness({ world: { series: () => 'absent' } });
    run.runUntil(T0 + MINUTE);
    const { runId } = run.status;
    run.edit({ traffic: { ...services, routes: [api] } });
    run.world.series = () => 0;
    run.runUntil(T0 + 2 * HOUR);
    assert.equal(run.status.runId, runId);
    assert.deepEqual([run.weight('web'), run.weight('api')], [0, 50]);
  });
});

describe('a broken edit', () => {
  const broken: Partial<RolloutSpecInput> = { schedule: { steps: [full, dark], end: '1h' } };

  test('leaves the run to its recorded spec, says so, and is followed once it is mended', () => {
    const run = harness();
    run.edit(broken);
    run.runFor(MINUTE);
    assert.equal(run.condition('Accepted')?.status, 'False');
    assert.equal(run.condition('Stalled')?.status, 'True');
    assert.match(run.condition('Stalled')?.message ?? '', /goes on under the spec of generation 1/);
    assert.equal(run.status.phase, 'Progressing');
    run.runUntil(T0 + 121 * MINUTE);
    assert.equal(run.weight(), 100);
    run.edit({ schedule: threeSteps });
    run.runFor(MINUTE);
    assert.equal(run.condition('Accepted')?.status, 'True');
    assert.equal(run.condition('Stalled')?.status, 'False');
  });

  test('does not let a paused run go', () => {
    const run = harness({ spec: { paused: true } });
    assert.equal(run.status.phase, 'Paused');
    run.edit({ ...broken, paused: false });
    run.runFor(10 * HOUR);
    assert.equal(run.status.phase, 'Paused');
    assert.equal(run.weight(), 0);
  });

  test('does not wake an ended run', () => {
    const run = harness();
    run.annotate('abort 1');
    run.runFor(MINUTE);
    run.edit(broken);
    run.runFor(HOUR);
    assert.equal(run.status.phase, 'RolledBack');
    assert.equal(run.status.history?.length, 1);
    run.edit({ schedule: threeSteps });
    run.runFor(HOUR);
    assert.equal(run.status.phase, 'RolledBack');
    assert.equal(run.status.history?.length, 1);
  });

  test('with a new revision starts nothing', () => {
    const run = harness();
    run.edit({ ...broken, revision: 'v3' });
    run.runFor(MINUTE);
    assert.equal(run.status.revision, 'v2');
    assert.equal(run.weight(), 50);
  });
});
