/** The trend of a measure: slopes, the tenth of the threshold, and where there is none to be told. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseCondition } from '#api/condition-text.ts';
import { MINUTE, SECOND, T0 } from '#test/builders.ts';
import { judgeTrend, trendWindowMs } from './trend.ts';

interface Row {
  readonly name: string;
  readonly condition: string;
  readonly forMs?: number;
  /** The value over minutes since the window began. */
  readonly value: (minute: number) => number;
  readonly trend: 'Worsening' | 'Improving' | 'Steady';
}

/** A threshold of 0.1 % and `for: 10m`: a change of 0.01 % in ten minutes is just a tenth. */
const rows: readonly Row[] = [
  {
    name: 'a tenth up',
    condition: '> 0.1%',
    value: (m) => 0.002 + m * 0.00001,
    trend: 'Worsening',
  },
  {
    name: 'a tenth down',
    condition: '> 0.1%',
    value: (m) => 0.002 - m * 0.00001,
    trend: 'Improving',
  },
  {
    name: 'just less than a tenth up',
    condition: '> 0.1%',
    value: (m) => 0.002 + m * 0.0000099,
    trend: 'Steady',
  },
  { name: 'a constant', condition: '> 0.1%', value: () => 0.1, trend: 'Steady' },
  {
    name: 'a pass rate that falls',
    condition: '< 95%',
    value: (m) => 0.9 - m * 0.01,
    trend: 'Worsening',
  },
  {
    name: 'a pass rate that rises',
    condition: '<= 95%',
    value: (m) => 0.8 + m * 0.01,
    trend: 'Improving',
  },
  {
    name: 'what comes nearer to a value it must not have',
    condition: '== 5',
    value: (m) => 10 - m * 0.3,
    trend: 'Worsening',
  },
  {
    name: 'what comes nearer to the value it must have',
    condition: '!= 5',
    value: (m) => 10 - m * 0.3,
    trend: 'Improving',
  },
  {
    name: 'what crosses the value it must have, and goes on',
    condition: '!= 5',
    value: (m) => 4 + m * 0.5,
    trend: 'Worsening',
  },
  {
    name: 'of alerts, one and then two, over 0',
    condition: '> 0',
    value: (m) => (m < 5 ? 1 : 2),
    trend: 'Worsening',
  },
  { name: 'noise over 0', condition: '> 0', value: (m) => 100 + (m % 2), trend: 'Steady' },
  { name: 'nothing but zeros over 0', condition: '>= 0', value: () => 0, trend: 'Steady' },
  {
    name: 'with a negative threshold',
    condition: '> -10',
    value: (m) => -9 + m * 0.11,
    trend: 'Worsening',
  },
  {
    name: 'with for: 0s, over the window',
    condition: '> 0.1%',
    forMs: 0,
    value: (m) => 0.002 + m * 0.00002,
    trend: 'Worsening',
  },
  {
    name: 'with for: 1m, the change in that minute alone',
    condition: '> 0.1%',
    forMs: MINUTE,
    value: (m) => 0.002 + m * 0.00002,
    trend: 'Steady',
  },
];

function pointsOf(value: (minute: number) => number, minutes = 10) {
  return Array.from({ length: minutes * 4 + 1 }, (_, index) => ({
    atMs: T0 + index * 15 * SECOND,
    value: value(index / 4),
  }));
}

describe('the trend', () => {
  for (const { name, condition, forMs = 10 * MINUTE, value, trend } of rows) {
    test(`${name}: ${trend}`, () => {
      const of = { condition: parseCondition(condition), forMs, windowMs: 10 * MINUTE };
      const judged = judgeTrend(pointsOf(value), of);
      assert.equal(judged.type === 'known' ? judged.direction : 'unknown', trend);
    });
  }

  test('says how much, in the unit of the condition', () => {
    const of = { condition: parseCondition('> 0.1%'), forMs: 10 * MINUTE, windowMs: 10 * MINUTE };
    const judged = judgeTrend(
      pointsOf((m) => 0.002 + m * 0.0001),
      of,
    );
    assert.equal(
      judged.type === 'known' ? judged.message : '',
      'Worsening: 0.1% towards the breach in 10m0s',
    );
  });
});

describe('there is no trend', () => {
  const of = { condition: parseCondition('> 1'), forMs: MINUTE, windowMs: 10 * MINUTE };
  const rising = pointsOf((m) => m);
  const sparse: readonly (readonly [string, typeof rising])[] = [
    ['without a reading', []],
    ['with two readings', rising.filter((_, index) => index === 0 || index === 40)],
    ['when readings span less than half of the window', rising.slice(0, 20)],
    ['when nothing is finite', rising.map((one) => ({ ...one, value: Number.POSITIVE_INFINITY }))],
  ];
  for (const [name, points] of sparse) {
    test(name, () => {
      assert.deepEqual(judgeTrend(points, of), { type: 'unknown' });
    });
  }

  test('and three readings over half of the window are one', () => {
    const few = rising.filter((_, index) => index === 0 || index === 10 || index === 20);
    assert.equal(judgeTrend(few, of).type, 'known');
  });
});

test('the window is the longer of for and 10m, and has room for three evaluations', () => {
  assert.equal(trendWindowMs(MINUTE, 15 * SECOND), 10 * MINUTE);
  assert.equal(trendWindowMs(15 * MINUTE, 15 * SECOND), 15 * MINUTE);
  assert.equal(trendWindowMs(MINUTE, 10 * MINUTE), 20 * MINUTE);
});
