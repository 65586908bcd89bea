import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isNewer, isStale } from './resource-version.ts';

describe('resource versions', () => {
  const table: readonly (readonly [string | undefined, string | undefined, boolean, boolean])[] = [
    // a, b, a is newer, a is stale
    ['2', '1', true, false],
    ['1', '2', false, true],
    ['1', '1', false, true],
    ['10', '9', true, false],
    ['99999999999999999999', '99999999999999999998', true, false],
    ['9007199254740993', '9007199254740992', true, false],
    ['abc', '5', false, false],
    ['5', 'abc', false, false],
    ['abc', 'abc', false, true],
    ['007', '6', false, false],
    [undefined, '1', false, false],
    ['1', undefined, false, false],
  ];
  for (const [a, b, newer, stale] of table) {
    it(`${a} is ${newer ? '' : 'not '}newer than ${b}, and ${stale ? '' : 'not '}stale`, () => {
      assert.equal(isNewer(a, b), newer);
      assert.equal(isStale(a, b), stale);
    });
  }
});
