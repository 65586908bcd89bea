/** What a checkpoint requires, in scenarios: passed, failed and asked again, gone back from, or not known yet. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutSpecInput } from '#api/rollout.ts';
import { HOUR, MINUTE, SECOND, suiteRun, T0, threeSteps } from '#test/builders.ts';
import { EngineHarness, type World } from '#test/engine-harness.ts';

type Requirement = NonNullable<
  NonNullable<RolloutSpecInput['schedule']>['checkpoints']
>[number]['require'][number];

const suite = { name: 'smoke', interval: '5m', timeout: '1m', http: { url: 'http://s/run' } };

/** At 13:30, half an hour after `half`. */
function withCheckpoint(
  require: Requirement[],
  more: {
    readonly onFailure?: 'Hold' | 'Rollback';
    readonly spec?: Partial<RolloutSpecInput>;
    readonly world?: Partial<World>;
  } = {},
): EngineHarness {
  const look = { name: 'look', at: '90m', require, onFailure: more.onFailure ?? 'Hold' } as const;
  return new EngineHarness({
    spec: { schedule: { ...threeSteps, checkpoints: [look] }, ...more.spec },
    world: more.world ?? {},
  });
}

function outcome(harness: EngineHarness): string | undefined {
  return harness.status.checkpoints?.[0]?.outcome;
}

describe('HealthSuites', () => {
  const spec = { healthSuites: [suite] };

  test('waits for a result that is still good', () => {
    const error = { type: 'failed', message: 'no answer' } as const;
    const harness = withCheckpoint(['HealthSuites'], { spec });
    harness.runUntil(T0 + 80 * MINUTE);
    harness.world.suite = () => ({ tookMs: SECOND, outcome: error });
    harness.runUntil(T0 + 95 * MINUTE);
    assert.equal(outcome(harness), 'Waiting');
    assert.ok(harness.status.holds?.some(({ reason }) => reason === 'CheckpointWaiting'));
    assert.match(harness.status.message ?? '', /the last result of suite smoke came at/);
    harness.world.suite = () => suiteRun({ passed: 10 });
    harness.runFor(10 * MINUTE);
    assert.equal(outcome(harness), 'Passed');
  });

  test('fails with a new failure, names it, and passes once it is mended', () => {
    const harness = withCheckpoint(['HealthSuites'], { spec });
    harness.world.suite = () => suiteRun({ passed: 9, failed: 1 });
    harness.runUntil(T0 + 2 * HOUR);
    assert.equal(outcome(harness), 'Failed');
    assert.match(harness.status.message ?? '', /look: HealthSuites: suite smoke has 1 new failure/);
    assert.equal(harness.weight(), 50);
    harness.world.suite = () => suiteRun({ passed: 10 });
    harness.runFor(10 * MINUTE);
    assert.equal(outcome(harness), 'Passed');
    assert.equal(harness.status.checkpoints?.length, 1);
  });

  test('fails and goes back where it is to', () => {
    const harness = withCheckpoint(['HealthSuites'], { spec, onFailure: 'Rollback' });
    harness.world.suite = () => suiteRun({ passed: 9, failed: 1 });
    harness.runUntil(T0 + 2 * HOUR);
    assert.equal(harness.status.rollback?.reason, 'CheckpointFailed');
    assert.equal(harness.status.rollback?.startedAt, '2026-11-22T13:30:00Z');
    assert.equal(outcome(harness), 'Failed');
  });

  test('never goes back for what is only not known', () => {
    const error = { type: 'failed', message: 'no answer' } as const;
    const harness = withCheckpoint(['HealthSuites'], { spec, onFailure: 'Rollback' });
    harness.runUntil(T0 + 80 * MINUTE);
    harness.world.suite = () => ({ tookMs: SECOND, outcome: error });
    harness.runUntil(T0 + 2 * HOUR);
    assert.equal(harness.status.rollback, undefined);
    assert.equal(harness.weight(), 50);
  });

  test('is not required where there is none', () => {
    const harness = withCheckpoint(['HealthSuites']);
    harness.runUntil(T0 + 90 * MINUTE);
    assert.equal(outcome(harness), 'Passed');
  });
});

describe('Preflight', () => {
  test('is looked at anew, and passes as soon as all is well again', () => {
    const harness = withCheckpoint(['Preflight']);
    harness.runUntil(T0 + 89 * MINUTE);
    harness.world.ready = (arm) => (arm === 'canary' ? 0 : 2);
    harness.runUntil(T0 + 90 * MINUTE + SECOND);
    assert.equal(outcome(harness), 'Failed');
    assert.match(harness.status.message ?? '', /look: Preflight: .*has no Ready endpoint/);
    harness.world.ready = () => 2;
    harness.runFor(MINUTE);
    assert.equal(outcome(harness), 'Passed');
  });
});

describe('SuccessCriteria', () => {
  const spec: Partial<RolloutSpecInput> = {
    success: {
      criteria: [
        { name: 'slow', query: 'slow{service="$(arm.service)"}', condition: '< 1', for: '5m' },
      ],
      extendBy: '1h',
    },
  };
  const slowFrom = (fromMs: number, toMs: number): Partial<World> => ({
    series: (query, atMs) => (query.startsWith('slow') && atMs >= fromMs && atMs < toMs ? 2 : 0),
  });

  test('passes when they are met over the time since the start', () => {
    const harness = withCheckpoint(['SuccessCriteria'], { spec });
    harness.runUntil(T0 + 90 * MINUTE);
    assert.equal(outcome(harness), 'Passed');
  });

  test('fails, is not judged again at every look, and passes after an extension', () => {
    const world = slowFrom(T0 + 70 * MINUTE, T0 + 80 * MINUTE);
    const harness = withCheckpoint(['SuccessCriteria'], { spec, world });
    harness.runUntil(T0 + 100 * MINUTE);
    assert.equal(outcome(harness), 'Failed');
    assert.match(harness.status.message ?? '', /look: SuccessCriteria: slow/);
    const asked = harness.questions.filter(
      (one) => one.type === 'range' && one.query.startsWith('slow'),
    );
    harness.runFor(10 * MINUTE);
    const later = harness.questions.filter(
      (one) => one.type === 'range' && one.query.startsWith('slow'),
    );
    assert.equal(later.length, asked.length);
    const name = harness.decide({ decision: 'Extend', reason: 'that was the load test' });
    harness.runFor(MINUTE);
    assert.equal(harness.decisions.outcomes.get(name)?.outcome, 'Applied');
    assert.equal(outcome(harness), 'Passed');
    assert.equal(harness.dueAt('end'), '2026-11-22T16:00:00Z');
  });
});
