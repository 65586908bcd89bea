/** Ranges against the plain set they stand for. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import {
  countUpTo,
  gapsUpTo,
  hasIndex,
  noIndices,
  parseRanges,
  rangesText,
  union,
  withIndex,
  withoutIndex,
} from './index-ranges.ts';

const numbers = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 80 });
const of = (all: readonly number[]) => all.reduce(withIndex, noIndices);

describe('ranges of indices', () => {
  test('hold exactly what was put in, in any order and any number of times', () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const ranges = union(of(a), of(b));
        const set = new Set([...a, ...b]);
        assert.deepEqual(ranges, of([...set].toSorted((x, y) => x - y)));
        for (let index = 0; index <= 61; index += 1) {
          assert.equal(hasIndex(ranges, index), set.has(index));
          const within = [...set].filter((one) => one <= index).length;
          assert.equal(countUpTo(ranges, index), within);
          const missing = countUpTo(gapsUpTo(ranges, index), index);
          assert.equal(missing, index - within);
        }
      }),
    );
  });

  test('lose exactly what is taken out', () => {
    fc.assert(
      fc.property(numbers, fc.integer({ min: 1, max: 60 }), (a, gone) => {
        const left = of(a.filter((one) => one !== gone));
        assert.deepEqual(withoutIndex(of(a), gone), left);
      }),
    );
  });

  test('are read back from their text', () => {
    fc.assert(fc.property(numbers, (a) => assert.deepEqual(parseRanges(rangesText(of(a))), of(a))));
    assert.equal(rangesText(of([3, 1, 2, 7])), '1-3,7');
    assert.deepEqual(parseRanges('1-3, x,9-7,5'), [
      [1, 3],
      [5, 5],
    ]);
  });
});
