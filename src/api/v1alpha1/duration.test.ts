import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { durationSchema, formatDuration, parseDuration } from './duration.ts';

const hour = 3_600_000;

describe('durations are read as the Gateway API writes them', () => {
  for (const [text, ms] of [
    ['0s', 0],
    ['90s', 90_000],
    ['5m', 300_000],
    ['6h', 6 * hour],
    ['1h30m', 1.5 * hour],
    ['250ms', 250],
    ['1s500ms', 1500],
    ['30m1h', 1.5 * hour],
    ['99999h', 99_999 * hour],
  ] as const) {
    test(`${text} is ${ms} ms`, () => {
      assert.equal(parseDuration(text), ms);
      assert.ok(durationSchema.safeParse(text).success);
    });
  }
});

describe('what is no duration is refused with a sentence', () => {
  for (const text of [
    '',
    '5',
    '5 m',
    '-5m',
    '1.5h',
    '1d',
    '2 days',
    'm',
    '5M',
    '100000h',
    '1h1m1s1ms1h',
    '5m\n',
  ]) {
    test(JSON.stringify(text), () => {
      assert.throws(() => parseDuration(text), {
        name: 'RangeError',
        message: `${JSON.stringify(text)} is not a duration such as 90s, 5m, 6h or 1h30m`,
      });
      assert.ok(!durationSchema.safeParse(text).success);
    });
  }
});

describe('durations are written in their shortest form', () => {
  for (const [ms, text] of [
    [0, '0s'],
    [90_000, '1m30s'],
    [48 * hour, '48h'],
    [1, '1ms'],
    [hour + 1, '1h1ms'],
    [-1500, '-1s500ms'],
    [1.9, '1ms'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
  ] as const) {
    test(`${ms} ms is ${text}`, () => assert.equal(formatDuration(ms), text));
  }
});

test('what is written is read as the same number of milliseconds', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 99_999 * hour }),
      (ms) => parseDuration(formatDuration(ms)) === ms,
    ),
  );
});

test('what is read and written again means the same', () => {
  const text = fc
    .stringMatching(/^([0-9]{1,5}(h|m|s|ms)){1,4}$/)
    .filter((it) => parseDuration(it) <= 99_999 * hour);
  fc.assert(
    fc.property(
      text,
      (it) => parseDuration(formatDuration(parseDuration(it))) === parseDuration(it),
    ),
  );
});
