/** The trigger every rollout has: a canary that is down is rolled back, whatever it exports. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HOUR, MINUTE, SECOND, T0 } from '#test/builders.ts';
import { EngineHarness } from '#test/engine-harness.ts';
import { at, failingCanary, isCanary, START } from '#test/failing-canary.ts';

describe('a canary that is down', () => {
  test('with all its pods crashed is rolled back after 2m, though it exports nothing', () => {
    const run = failingCanary({
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
    const run = failingCanary({
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
    const run = failingCanary({
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
