/** How a run ends well: the end, the time it is watched, Succeeded, and what is asserted from then on. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutSpecInput } from '#api/rollout.ts';
import { errorsTrigger, HOUR, MINUTE, SECOND, T0, threeSteps } from '#test/builders.ts';
import { EngineHarness } from '#test/engine-harness.ts';

const isCanary = (query: string) => query.includes('"new"');
const monitored: RolloutSpecInput['success'] = { thenMonitorFor: '1h' };

describe('the end', () => {
  test('begins the monitoring, which lasts as long as it is set, then the run has succeeded', () => {
    const run = new EngineHarness({ spec: { success: monitored } });
    run.runUntil(T0 + 3 * HOUR);
    assert.equal(run.status.phase, 'Monitoring');
    assert.equal(run.condition('Ready')?.status, 'False');
    run.runUntil(T0 + 4 * HOUR - 1);
    assert.equal(run.status.phase, 'Monitoring');
    run.runUntil(T0 + 4 * HOUR);
    assert.equal(run.status.phase, 'Succeeded');
    assert.equal(run.condition('Ready')?.status, 'True');
    assert.equal(run.condition('Reconciling')?.status, 'False');
    assert.equal(run.status.succeededRevision, 'v2');
    assert.equal(run.status.history?.[0]?.message, 'revision v2 succeeded after 4h0m0s');
  });

  test('waits for a Critical trigger that is Pending, and the run is rolled back when it fires', () => {
    const run = new EngineHarness({
      world: { series: (query, atMs) => (isCanary(query) && atMs >= T0 + 177 * MINUTE ? 1 : 0) },
    });
    run.runUntil(T0 + 181 * MINUTE);
    assert.equal(run.status.phase, 'Held');
    assert.match(run.status.message ?? '', /^end is due: errors 100% > 0.5%/);
    run.runUntil(T0 + 182 * MINUTE);
    assert.equal(run.status.phase, 'RolledBack');
  });

  test('does not succeed with a Critical trigger that is Pending, or has no reading', () => {
    for (const value of [1, 'absent'] as const) {
      const run = new EngineHarness({
        spec: { success: monitored },
        world: {
          series: (query, atMs) =>
            isCanary(query) && atMs >= T0 + 239 * MINUTE && atMs < T0 + 243 * MINUTE ? value : 0,
        },
      });
      run.runUntil(T0 + 242 * MINUTE);
      assert.notEqual(run.status.phase, 'Succeeded');
      run.runUntil(T0 + 260 * MINUTE);
      assert.equal(run.status.phase, 'Succeeded');
    }
  });

  test('does not succeed while a route says something else', () => {
    const run = new EngineHarness({ spec: { success: monitored } });
    run.runUntil(T0 + 230 * MINUTE);
    run.world.write = () => 'lost';
    run.writeElsewhere(60);
    run.runUntil(T0 + 5 * HOUR);
    assert.equal(run.status.phase, 'Monitoring');
    assert.match(run.status.message ?? '', /watching until 100% is read back from every route/);
    run.world.write = () => 'done';
    run.runFor(MINUTE);
    assert.equal(run.status.phase, 'Succeeded');
  });

  test('that requires every snapshot succeeds with all of them', () => {
    const run = new EngineHarness({
      spec: { success: { require: ['SnapshotsComplete', 'NoRollbacks'] } },
    });
    run.runUntil(T0 + 10 * HOUR);
    assert.equal(run.status.phase, 'Succeeded');
    assert.equal(run.status.snapshots?.expected, 36);
  });

  test('that requires every snapshot is held where one is missing, and an extension begins anew', () => {
    const gap = (extend: boolean) => {
      const onFailure = extend ? 'Extend' : 'Hold';
      const require = ['SnapshotsComplete'] as const;
      const success = { require, onFailure, extendBy: '1h' } as const;
      const run = new EngineHarness({ spec: { success } });
      run.runUntil(T0 + 90 * MINUTE);
      run.evidence.keeps = false;
      run.runUntil(T0 + 98 * MINUTE);
      run.evidence.keeps = true;
      run.runUntil(T0 + 10 * HOUR);
      return run;
    };
    const held = gap(false);
    assert.equal(held.status.phase, 'Held');
    assert.match(held.status.message ?? '', /SnapshotsComplete: 1 of 36 snapshots are missing/);
    const extended = gap(true);
    assert.equal(extended.status.phase, 'Succeeded');
    assert.equal(
      extended.status.finishedAt,
      new Date(T0 + 4 * HOUR).toISOString().replace('.000Z', 'Z'),
    );
    assert.deepEqual(extended.status.snapshots, { expected: 48, missing: 1, intervalMs: 300_000 });
  });

  test('with requirements that the rules themselves keep passes', () => {
    const run = new EngineHarness({
      spec: { success: { require: ['NoCriticalTriggers', 'NoRollbacks'] } },
    });
    run.runUntil(T0 + 10 * HOUR);
    assert.equal(run.status.phase, 'Succeeded');
  });
});

describe('a checkpoint', () => {
  const checkpoint = (
    require: ('NoFiringTriggers' | 'SuccessCriteria' | 'HealthSuites' | 'Preflight')[],
  ) => ({
    ...threeSteps,
    checkpoints: [{ name: 'look', at: '90m', require }],
  });

  test('with NoFiringTriggers waits until nothing fires', () => {
    const info = { ...errorsTrigger, severity: 'Info', for: '0s' } as const;
    const run = new EngineHarness({
      spec: { schedule: checkpoint(['NoFiringTriggers']), triggers: [info] },
      world: {
        series: (query, atMs) =>
          isCanary(query) && atMs >= T0 + 80 * MINUTE && atMs < T0 + 100 * MINUTE ? 1 : 0,
      },
    });
    run.runUntil(T0 + 95 * MINUTE);
    assert.equal(run.status.phase, 'Held');
    assert.equal(run.status.holds?.[0]?.reason, 'CheckpointFailed');
    assert.match(run.status.message ?? '', /look: NoFiringTriggers: errors still fires/);
    run.runUntil(T0 + 101 * MINUTE);
    assert.deepEqual(
      run.status.checkpoints?.map(({ name, outcome, passedAt }) => ({ name, outcome, passedAt })),
      [{ name: 'look', outcome: 'Passed', passedAt: '2026-11-22T13:40:00Z' }],
    );
    run.runUntil(T0 + 129 * MINUTE);
    assert.equal(run.weight(), 50, 'the half hour after it is not shortened');
    run.runUntil(T0 + 130 * MINUTE);
    assert.equal(run.weight(), 100);
  });

  test('with SuccessCriteria passes where there are none', () => {
    const run = new EngineHarness({
      spec: { schedule: checkpoint(['SuccessCriteria', 'Preflight']) },
    });
    run.runUntil(T0 + 10 * HOUR);
    assert.equal(run.status.phase, 'Succeeded');
  });
});

describe('after success', () => {
  function succeeded(): EngineHarness {
    const run = new EngineHarness();
    run.runUntil(T0 + 4 * HOUR);
    assert.equal(run.status.phase, 'Succeeded');
    return run;
  }

  test('weight 100 goes on being asserted, counted and told', () => {
    const run = succeeded();
    run.writeElsewhere(30);
    run.runFor(SECOND);
    assert.equal(run.weight(), 100);
    assert.equal(run.status.routes?.[0]?.drift, 1);
    assert.ok(run.told().includes('TrafficDrift'));
    assert.equal(run.status.routes?.[0]?.released, undefined);
  });

  test('nobody is sent to a canary that is not there', () => {
    const run = succeeded();
    run.world.ready = (arm) => (arm === 'canary' ? 0 : 2);
    run.writeElsewhere(0);
    run.runFor(MINUTE);
    assert.equal(run.weight(), 0);
    run.world.ready = () => 2;
    run.runFor(MINUTE);
    assert.equal(run.weight(), 100);
  });

  test('nothing is asked of Prometheus, and nothing rolls back', () => {
    const run = succeeded();
    run.questions.length = 0;
    run.world.series = () => 1;
    run.sleepUntil(run.now + HOUR);
    run.runFor(HOUR);
    assert.equal(run.questions.length, 0);
    assert.equal(run.weight(), 100);
    assert.equal(run.nextAt, undefined);
  });

  test('a finished run is written into history once', () => {
    const run = succeeded();
    for (let n = 0; n < 5; n += 1) {
      run.sleepUntil(run.now + MINUTE);
      run.runFor(MINUTE);
    }
    assert.equal(run.status.history?.length, 1);
  });
});
