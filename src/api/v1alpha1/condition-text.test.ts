import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import {
  compareText,
  conditionPattern,
  formatValue,
  holds,
  operators,
  parseCondition,
  unitNames,
} from './condition-text.ts';

describe('the unit brings the number to base units', () => {
  for (const [text, threshold] of [
    ['> 0.5%', 0.005],
    ['> 0.1%', 0.001],
    ['>= 99.9%', 0.999],
    ['> 500ms', 0.5],
    ['< 70ms', 0.07],
    ['<= 1.5s', 1.5],
    ['> 10m', 600],
    ['> 1.1m', 66],
    ['< 2h', 7200],
    ['> 25MB', 25_000_000],
    ['> 25MiB', 26_214_400],
    ['> 1KB', 1000],
    ['> 1KiB', 1024],
    ['> 1GB', 1e9],
    ['> 0.5GiB', 536_870_912],
    ['> 12B', 12],
    ['== 0', 0],
    ['!= -3.5', -3.5],
    ['>0.5%', 0.005],
    ['<  20 MiB', 20_971_520],
    ['> 0.000000000000001', 1e-15],
    ['> -0', 0],
  ] as const) {
    test(`${text} compares with ${threshold}`, () =>
      assert.equal(parseCondition(text).threshold, threshold));
  }
});

describe('what is no condition is refused with a sentence', () => {
  const form =
    'is not "<operator> <number><unit>", such as "> 0.5%"; operators are > >= < <= == !=, units are % ms s m h B KB MB GB KiB MiB GiB or none';
  const unknown = (unit: string) =>
    `: unknown unit "${unit}"; allowed are % ms s m h B KB MB GB KiB MiB GiB or none`;
  for (const [text, says] of [
    ['> 500furlongs', unknown('furlongs')],
    ['> 5 mib', unknown('mib')],
    ['> 5%%', unknown('%%')],
    ['> 5 toString', unknown('toString')],
    ['', ` ${form}`],
    ['0.5%', ` ${form}`],
    ['=> 5', ` ${form}`],
    ['> much', ` ${form}`],
    ['> .5', ` ${form}`],
    ['> 1e3', ` ${form}`],
    [' > 5', ` ${form}`],
    ['> 1.2.3', ` ${form}`],
    ['> 1234567890123456', ` ${form}`],
  ] as const) {
    test(JSON.stringify(text), () => {
      assert.throws(() => parseCondition(text), {
        name: 'RangeError',
        message: `condition ${JSON.stringify(text)}${says}`,
      });
    });
  }
});

describe('equal is not over', () => {
  for (const [text, value, wanted] of [
    ['> 0.5%', 0.005, false],
    ['> 0.5%', 0.0050000001, true],
    ['>= 0.5%', 0.005, true],
    ['== 0.5%', 0.005, true],
    ['!= 0.5%', 0.005, false],
    ['< 85%', 0.85, false],
    ['<= 85%', 0.85, true],
    ['< 85%', Number.NaN, false],
    ['!= 85%', Number.NaN, false],
    ['> 85%', Number.POSITIVE_INFINITY, true],
  ] as const) {
    test(`${value} ${text}: ${wanted}`, () =>
      assert.equal(holds(parseCondition(text), value), wanted));
  }
});

describe('values are shown in the unit of the condition', () => {
  for (const [value, unit, wanted] of [
    [0.072, '%', '7.2%'],
    [0.512, 'ms', '512ms'],
    [27_262_976, 'MiB', '26MiB'],
    [0.0008, '%', '0.08%'],
    [90, 'm', '1.5m'],
    [1234.5678, '', '1235'],
    [-0.00001, '', '-0.00001'],
    [-0, 's', '0s'],
    [Number.NaN, '%', 'NaN'],
    [Number.POSITIVE_INFINITY, 's', 'Infinity'],
  ] as const) {
    test(`${value} is ${wanted}`, () => assert.equal(formatValue(value, unit), wanted));
  }
});

describe('a value next to the threshold is told from it', () => {
  for (const [value, text, wanted] of [
    [0.072, '> 0.5%', '7.2% > 0.5%'],
    [0.00500001, '> 0.5%', '0.500001% > 0.5%'],
    [0.005, '>= 0.5%', '0.5% >= 0.5%'],
    [0, '== 0', '0 == 0'],
  ] as const) {
    test(wanted, () => assert.equal(compareText(parseCondition(text), value), wanted));
  }
});

const anyUnit = fc.constantFrom(...unitNames, '' as const);
const anyDecimal = fc
  .tuple(fc.boolean(), fc.nat(999_999), fc.nat(9999))
  .map(([isNegative, whole, part]) => `${isNegative ? '-' : ''}${whole}.${part}`);

test('a value that equals what was written is neither above nor below it', () => {
  fc.assert(
    fc.property(anyDecimal, anyUnit, (number, unit) => {
      const { threshold } = parseCondition(`> ${number}${unit}`);
      assert.ok(!holds(parseCondition(`> ${number}${unit}`), threshold));
      assert.ok(!holds(parseCondition(`< ${number}${unit}`), threshold));
      assert.ok(holds(parseCondition(`== ${number}${unit}`), threshold));
    }),
  );
});

test('percent and ratio mean the same number', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100_000 }), (thousandths) => {
      const percent = `${Math.floor(thousandths / 1000)}.${String(thousandths % 1000).padStart(3, '0')}`;
      assert.equal(parseCondition(`> ${percent}%`).threshold, Number(`${thousandths}e-5`));
    }),
  );
});

test('the pattern in the CRD takes exactly what the operator takes', () => {
  const pieces = fc.array(
    fc.constantFrom(...operators, ...unitNames, ' ', '-', '.', '0', '12', '3.4', 'x', '%'),
    { maxLength: 6 },
  );
  const text = fc.oneof(
    fc
      .tuple(fc.constantFrom(...operators), anyDecimal, anyUnit)
      .map(([operator, number, unit]) => `${operator} ${number}${unit}`),
    pieces.map((it) => it.join('')),
  );
  fc.assert(
    fc.property(text, (it) => new RegExp(conditionPattern).test(it) === isTaken(it)),
    { numRuns: 2000 },
  );
});

function isTaken(text: string): boolean {
  try {
    parseCondition(text);
    return true;
  } catch {
    return false;
  }
}
