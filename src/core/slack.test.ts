/** When may a look be late? Only when nothing but the next routine evaluation waits. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HOUR, MINUTE, SECOND, T0 } from '#test/builders.ts';
import { EngineHarness } from '#test/engine-harness.ts';

function at(run: EngineHarness, atMs: number) {
  run.runUntil(atMs);
  return run.look();
}

describe('the next look', () => {
  test('may be a tenth of the interval late, at most a second, in a calm run', () => {
    const usual = at(new EngineHarness(), T0 + 30 * MINUTE);
    assert.equal(usual.slackMs, 1_000);
    const quick = at(
      new EngineHarness({ spec: { analysis: { interval: '2s' } } }),
      T0 + 30 * MINUTE,
    );
    assert.equal(quick.slackMs, 200);
  });

  test('is on time when a step falls due within that time of the evaluation', () => {
    const run = new EngineHarness();
    run.runUntil(T0 + 30 * MINUTE);
    const dueMs = Date.parse(run.status.nextStepAt ?? '');
    const lastTick = Math.floor((dueMs - 1) / (15 * SECOND)) * 15 * SECOND;
    const before = at(run, Math.max(run.now, lastTick - 15 * SECOND));
    assert.ok(before.wakeAtMs !== undefined && before.wakeAtMs <= dueMs);
    assert.ok(before.wakeAtMs + before.slackMs <= dueMs, `${before.slackMs} ms of slack`);
  });

  test('is on time while a trigger is pending, whose hold ends at an exact moment', () => {
    const run = new EngineHarness();
    run.runUntil(T0 + 90 * MINUTE);
    run.world.series = (_, atMs) => (atMs >= T0 + 90 * MINUTE ? 1 : 0);
    run.runFor(MINUTE);
    assert.equal(run.status.triggers?.[0]?.state, 'Pending');
    assert.equal(run.look().slackMs, 0);
  });

  test('of an ended run waits for a change and has no time to be late for', () => {
    const run = new EngineHarness();
    run.runUntil(T0 + 4 * HOUR);
    assert.equal(run.status.phase, 'Succeeded');
    const decision = run.look();
    assert.equal(decision.wakeAtMs, undefined);
    assert.equal(decision.slackMs, 0);
  });
});
