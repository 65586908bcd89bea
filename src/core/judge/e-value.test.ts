/** The promise of the two e-values, checked by exact enumeration: never above 1 in expectation while canary is healthy. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { absoluteLogE, relativeLogE } from './e-value.ts';
import { judgeSettings } from './settings.ts';

const m = judgeSettings.toleratedFactor;

const traffic = fc.double({ min: 1, max: 1e7, noNaN: true });
const shareOfBad = fc.double({ min: 1e-5, max: 0.9, noNaN: true });
const few = fc.integer({ min: 0, max: 40 });

/** θ0, the largest chance that a bad request is canary's while canary is healthy. */
function thetaZero(canaryTotal: number, stableTotal: number): number {
  return (m * canaryTotal) / (m * canaryTotal + stableTotal);
}

describe('relative e-value', () => {
  test('is a martingale at the border of health: one more bad request leaves its expectation as it is', () => {
    fc.assert(
      fc.property(traffic, traffic, few, few, (nc, nb, xc, xb) => {
        const e = (canary: number, stable: number) =>
          Math.exp(relativeLogE({ bad: canary, total: nc }, { bad: stable, total: nb }));
        const theta = thetaZero(nc, nb);
        const next = theta * e(xc + 1, xb) + (1 - theta) * e(xc, xb + 1);
        near(next, e(xc, xb));
      }),
    );
  });

  test('and shrinks in expectation where canary is better than that', () => {
    fc.assert(
      fc.property(fc.tuple(traffic, traffic), few, few, shareOfBad, ([nc, nb], xc, xb, better) => {
        const e = (canary: number, stable: number) =>
          Math.exp(relativeLogE({ bad: canary, total: nc }, { bad: stable, total: nb }));
        const theta = thetaZero(nc, nb) * better;
        const next = theta * e(xc + 1, xb) + (1 - theta) * e(xc, xb + 1);
        assert.ok(next <= e(xc, xb) * (1 + 1e-9));
      }),
    );
  });

  test('reaches 1/α with at most the chance α, over every order of 300 bad requests', () => {
    for (const [nc, nb] of [
      [1000, 1000],
      [50, 1000],
      [1000, 50],
    ] as const) {
      for (const alpha of [0.05, 0.01]) {
        const chance = crossingChance(300, thetaZero(nc, nb), Math.log(1 / alpha), (xc, xb) =>
          relativeLogE({ bad: xc, total: nc }, { bad: xb, total: nb }),
        );
        assert.ok(chance <= alpha, `${chance} at ${nc}:${nb}`);
        assert.ok(chance > alpha / 20, `so small a chance (${chance}) would be another test`);
      }
    }
  });

  test('grows with each bad request of canary, shrinks with each of stable', () => {
    fc.assert(
      fc.property(traffic, traffic, few, few, (nc, nb, xc, xb) => {
        const e = (canary: number, stable: number) =>
          relativeLogE({ bad: canary, total: nc }, { bad: stable, total: nb });
        assert.ok(e(xc + 1, xb) > e(xc, xb));
        assert.ok(e(xc, xb + 1) < e(xc, xb));
      }),
    );
  });

  test('goes by how the traffic is split, not by how much there is', () => {
    fc.assert(
      fc.property(traffic, traffic, few, few, (nc, nb, xc, xb) => {
        const e = (times: number) =>
          relativeLogE({ bad: xc, total: nc * times }, { bad: xb, total: nb * times });
        near(e(1), e(7));
      }),
    );
  });

  test('is 1 without any request, or without any bad one', () => {
    assert.equal(relativeLogE({ bad: 0, total: 0 }, { bad: 0, total: 0 }), 0);
    assert.equal(relativeLogE({ bad: 3, total: 9 }, { bad: 0, total: 0 }), 0);
    assert.ok(Math.abs(relativeLogE({ bad: 0, total: 9e9 }, { bad: 0, total: 1 })) < 1e-9);
  });

  test('neither overflows nor becomes NaN with a billion bad requests', () => {
    const huge = relativeLogE({ bad: 1e9, total: 1e9 }, { bad: 0, total: 1e9 });
    assert.ok(Number.isFinite(huge) && huge > 1e8);
    const none = relativeLogE({ bad: 0, total: 1e9 }, { bad: 1e9, total: 1e9 });
    assert.ok(Number.isFinite(none) && none < -1e7);
  });

  test('says by hand what the formula says', () => {
    // Nc = Nb = 100, so θ0 = 1.5/2.5; Xc = 4, Xb = 1.
    const byHand = [1.5, 2, 3, 5, 10, 50].map((r) => {
      const theta = (r * 1.5) / (r * 1.5 + 1);
      return (theta / 0.6) ** 4 * ((1 - theta) / 0.4);
    });
    const mean = byHand.reduce((all, one) => all + one, 0) / byHand.length;
    near(Math.exp(relativeLogE({ bad: 4, total: 100 }, { bad: 1, total: 100 })), mean);
  });
});

describe('absolute e-value', () => {
  const limit = fc.double({ min: 1e-5, max: 0.95, noNaN: true });

  test('is a martingale at the limit, request by request', () => {
    fc.assert(
      fc.property(limit, few, few, (p, bad, good) => {
        const e = (x: number, n: number) => Math.exp(absoluteLogE({ bad: x, total: n }, p));
        const n = bad + good;
        near(p * e(bad + 1, n + 1) + (1 - p) * e(bad, n + 1), e(bad, n));
      }),
    );
  });

  test('reaches 1/α with at most the chance α, over 600 requests', () => {
    const alpha = 0.01;
    for (const p of [0.005, 0.05, 0.6]) {
      const chance = crossingChance(600, p, Math.log(1 / alpha), (bad, good) =>
        absoluteLogE({ bad, total: bad + good }, p),
      );
      assert.ok(chance <= alpha && chance > alpha / 40, `${chance} at ${p}`);
    }
  });

  test('grows with a bad request in place of a good one, and shrinks with a good one', () => {
    fc.assert(
      fc.property(limit, few, few, (p, bad, good) => {
        const e = (x: number, n: number) => absoluteLogE({ bad: x, total: n }, p);
        const n = bad + good;
        assert.ok(e(bad + 1, n + 1) > e(bad, n + 1));
        assert.ok(e(bad, n + 1) < e(bad, n));
      }),
    );
  });

  test('is 1 without a request', () => {
    assert.equal(absoluteLogE({ bad: 0, total: 0 }, 0.005), 0);
  });
});

/** Chance that a walk of `n` steps, each of the first kind with chance `p`, ever reaches the bar: exact, by recursion. */
function crossingChance(
  n: number,
  p: number,
  logBar: number,
  logE: (first: number, second: number) => number,
): number {
  let alive = [1];
  let crossed = 0;
  for (let step = 1; step <= n; step += 1) {
    const next = Array.from({ length: step + 1 }, () => 0);
    for (const [first, chance] of alive.entries()) {
      next[first] = (next[first] ?? 0) + chance * (1 - p);
      next[first + 1] = (next[first + 1] ?? 0) + chance * p;
    }
    alive = next.map((chance, first) => {
      if (chance === 0 || logE(first, step - first) < logBar) return chance;
      crossed += chance;
      return 0;
    });
  }
  return crossed;
}

function near(actual: number, expected: number): void {
  const error = Math.abs(actual - expected) / Math.max(Math.abs(expected), 1e-300);
  assert.ok(error < 1e-7 || actual === expected, `${actual} is not ${expected}`);
}
