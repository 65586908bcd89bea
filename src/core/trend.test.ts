/** The trend of a measure: slopes, the tenth of the threshold, and where there is none to be told. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseCondition } from '#api/condition-text.ts';
import { MINUTE, SECOND, T0 } from '#test/builders.ts';
import { judgeTrend, trendWindowMs } from './trend.ts';

type Value = (minute: number) => number;

const line =
  (start: number, perMinute: number): Value =>
  (minute) =>
    start + minute * perMinute;

/** The value over minutes since the window began. */
type Row = readonly [
  name: string,
  condition: string,
  value: Value,
  trend: 'Worsening' | 'Improving' | 'Steady',
  forMs?: number,
];

/** A threshold of 0.1 % and `for: 10m`: a change of 0.01 % in ten minutes is just a tenth. */
const rows: readonly Row[] = [
  ['a tenth up', '> 0.1%', line(0.002, 0.00001), 'Worsening'],
  ['a tenth down', '> 0.1%', line(0.002, -0.00001), 'Improving'],
  ['just less than a tenth up', '> 0.1%', line(0.002, 0.0000099), 'Steady'],
  ['a constant', '> 0.1%', () => 0.1, 'Steady'],
  ['a pass rate that falls', '< 95%', line(0.9, -0.01), 'Worsening'],
  ['a pass rate that rises', '<= 95%', line(0.8, 0.01), 'Improving'],
  ['what comes nearer to a value it must not have', '== 5', line(10, -0.3), 'Worsening'],
  ['what comes nearer to the value it must have', '!= 5', line(10, -0.3), 'Improving'],
  ['what crosses the value it must have, and goes on', '!= 5', line(4, 0.5), 'Worsening'],
  ['of alerts, one and then two, over 0', '> 0', (m) => (m < 5 ? 1 : 2), 'Worsening'],
  ['noise over 0', '> 0', (m) => 100 + (m % 2), 'Steady'],
  ['nothing but zeros over 0', '>= 0', () => 0, 'Steady'],
  ['with a negative threshold', '> -10', line(-9, 0.11), 'Worsening'],
  ['with for: 0s, over the window', '> 0.1%', line(0.002, 0.00002), 'Worsening', 0],
  [
    'with for: 1m, the change in that minute alone',
    '> 0.1%',
    line(0.002, 0.00002),
    'Steady',
    MINUTE,
  ],
];

function pointsOf(value: Value, minutes = 10) {
  return Array.from({ length: minutes * 4 + 1 }, (_, index) => ({
    atMs: T0 + index * 15 * SECOND,
    value: value(index / 4),
  }));
}

describe('the trend', () => {
  for (const [name, condition, value, trend, forMs = 10 * MINUTE] of rows) {
    test(`${name}: ${trend}`, () => {
      const of = { condition: parseCondition(condition), forMs, windowMs: 10 * MINUTE };
      const judged = judgeTrend(pointsOf(value), of);
      assert.equal(judged.type === 'known' ? judged.direction : 'unknown', trend);
    });
  }

  test('says how much, in the unit of the condition', () => {
    const of = { condition: parseCondition('> 0.1%'), forMs: 10 * MINUTE, windowMs: 10 * MINUTE };
    const judged = judgeTrend(pointsOf(line(0.002, 0.0001)), of);
    assert.equal(
      judged.type === 'known' ? judged.message : '',
      'Worsening: 0.1% towards the breach in 10m0s',
    );
  });
});

describe('there is no trend', () => {
  const of = { condition: parseCondition('> 1'), forMs: MINUTE, windowMs: 10 * MINUTE };
  const rising = pointsOf(line(0, 1));
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
