/** Which test applies, and what its evidence reads like. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { T0 } from '#test/builders.ts';
import type { ArmCounts } from './e-value.ts';
import { type Control, type Evidence, logBarOf, weigh } from './evidence.ts';
import { evidenceText } from './evidence-text.ts';

const control = (counts: ArmCounts): Control => ({ ...counts, beside: counts.total });

const bar = { limit: 0.005, logBar: logBarOf(0.01, 48) };

describe('evidence', () => {
  test('5 % on both arms is none for the relative test, and plenty for the absolute one', () => {
    const incident = { bad: 300, total: 6000 };
    assert.equal(weigh(incident, control(incident), bar).isOver, false);
    assert.equal(weigh(incident, undefined, bar).isOver, true);
  });

  test('a canary four times worse is, though both are below the limit', () => {
    const found = weigh({ bad: 40, total: 10_000 }, control({ bad: 10, total: 10_000 }), bar);
    assert.deepEqual([found.test, found.isOver], ['relative', false]);
    assert.equal(
      weigh({ bad: 120, total: 30_000 }, control({ bad: 30, total: 30_000 }), bar).isOver,
      true,
    );
  });

  test('a burst that stable had too is none, though its longer time dilutes it', () => {
    // Half a minute of canary, all of it bad; three minutes of stable, with the same half minute.
    const found = weigh(
      { bad: 1500, total: 30_000 },
      { bad: 1500, total: 180_000, beside: 30_000 },
      bar,
    );
    assert.equal(found.isOver, false);
  });

  test('stable without a request yet says nothing, however bad canary is', () => {
    const found = weigh({ bad: 50, total: 50 }, control({ bad: 0, total: 0 }), bar);
    assert.deepEqual([found.test, found.logE, found.isOver], ['relative', 0, false]);
  });

  test('48 blocks at 1 % set the bar at e = 4,800', () => {
    assert.equal(Math.round(Math.exp(bar.logBar)), 4800);
  });
});

describe('evidence in a sentence', () => {
  const of = (evidence: Partial<Evidence>): Evidence => ({
    test: 'relative',
    logE: Math.log(1.2e5),
    isOver: true,
    canary: { bad: 234, total: 12_300 },
    stable: control({ bad: 50, total: 12_500 }),
    ...evidence,
  });
  const rows: readonly (readonly [evidence: Evidence, says: string])[] = [
    [
      of({}),
      'canary 1.9% against stable 0.4% (x4.8, e = 1.2e5 > 4,800) after 12,300 requests since 12:00:00',
    ],
    [
      of({ test: 'absolute', stable: undefined }),
      'canary 1.9% against a limit of 0.5% (x3.8, e = 1.2e5 > 4,800) after 12,300 requests since 12:00:00',
    ],
    [
      of({ logE: -1, isOver: false, stable: control({ bad: 0, total: 9 }) }),
      'canary 1.9% against stable 0% (e = 0.37 not over 4,800) after 12,300 requests since 12:00:00',
    ],
    [
      of({ logE: 5000 * Math.LN10 }),
      'canary 1.9% against stable 0.4% (x4.8, e = 1.0e5000 > 4,800) after 12,300 requests since 12:00:00',
    ],
  ];
  for (const [evidence, says] of rows) {
    test(says, () => {
      assert.equal(evidenceText(evidence, bar, T0), says);
    });
  }
});
