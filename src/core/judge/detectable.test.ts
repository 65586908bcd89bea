/** What is said to be found is found: in about nine of ten worlds, and half of it is not. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HOUR, MINUTE } from '#test/builders.ts';
import { poisson } from '#test/fakes/noise.ts';
import { randomOf } from '#test/simulation/random.ts';
import { smallestDetectable, type Traffic } from './detectable.ts';
import { logBarOf, weigh } from './evidence.ts';

const bar = { limit: 0.005, logBar: logBarOf(0.01, 48) };

function shareOfWorldsFound(traffic: Traffic, share: number, withinMs: number): number {
  const random = randomOf(11);
  const seconds = withinMs / 1000;
  const worlds = 400;
  let found = 0;
  for (let world = 0; world < worlds; world += 1) {
    const arm = (perSecond: number, bad: number) => {
      const total = poisson(random, perSecond * seconds * (1 - bad));
      const failed = poisson(random, perSecond * seconds * bad);
      return { bad: failed, total: total + failed, beside: total + failed };
    };
    const canary = arm(traffic.canaryPerSecond, share);
    const { stablePerSecond, baseline } = traffic;
    const stable = stablePerSecond > 0 ? arm(stablePerSecond, baseline) : undefined;
    if (weigh(canary, stable, bar).isOver) found += 1;
  }
  return found / worlds;
}

describe('the smallest regression that is found', () => {
  const rows: readonly (readonly [perSecond: number, stable: number, withinMs: number])[] = [
    [1, 1, HOUR],
    [5, 5, HOUR],
    [20, 20, 10 * MINUTE],
    [100, 100, 10 * MINUTE],
    [5, 95, HOUR],
    [40, 0, 10 * MINUTE],
  ];
  for (const [canaryPerSecond, stablePerSecond, withinMs] of rows) {
    const at = `${canaryPerSecond} against ${stablePerSecond} a second, within ${withinMs / MINUTE} minutes`;
    test(at, () => {
      const traffic = { canaryPerSecond, stablePerSecond, baseline: 0.001 };
      const share = smallestDetectable(traffic, withinMs, bar);
      assert.ok(share !== undefined && share > 0.001 && share < 1, String(share));
      const rate = shareOfWorldsFound(traffic, share, withinMs);
      assert.ok(rate > 0.8 && rate < 0.99, `${rate} at ${share}`);
      assert.ok(shareOfWorldsFound(traffic, share / 2, withinMs) < 0.5);
    });
  }

  test('shrinks with traffic and with time', () => {
    const of = (perSecond: number, withinMs: number) =>
      smallestDetectable(
        { canaryPerSecond: perSecond, stablePerSecond: perSecond, baseline: 0.001 },
        withinMs,
        bar,
      ) ?? 1;
    assert.ok(of(20, HOUR) < of(5, HOUR));
    assert.ok(of(5, HOUR) < of(5, 10 * MINUTE));
  });

  test('is none at all where next to nobody comes', () => {
    const traffic = { canaryPerSecond: 0.001, stablePerSecond: 0.001, baseline: 0.001 };
    assert.equal(smallestDetectable(traffic, HOUR, bar), undefined);
  });

  test('is found from a baseline without a single failure, too', () => {
    const traffic = { canaryPerSecond: 10, stablePerSecond: 10, baseline: 0 };
    const share = smallestDetectable(traffic, HOUR, bar);
    assert.ok(share !== undefined && share < 0.002, String(share));
  });
});
