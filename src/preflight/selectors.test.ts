/** Which series a query reads, and how much must be so of each. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Need, relaxed, type Selector, selectorsOf, selectorText } from './selectors.ts';

const needs: readonly (readonly [query: string, ...(readonly [string, Need])[]])[] = [
  ['sum(rate(a{b="c"}[5m])) / sum(rate(d[5m]))', ['a{b="c"}', 'must'], ['d', 'must']],
  ['a + a', ['a', 'must']],
  ['max_over_time(rate(a[1m])[1h:1m] offset 1d)', ['a', 'must']],
  ['a or vector(0)', ['a', 'mayBeAbsent']],
  ['a or b', ['a', 'alternative'], ['b', 'alternative']],
  ['a unless b', ['a', 'must'], ['b', 'mayBeAbsent']],
  ['a and b', ['a', 'must'], ['b', 'must']],
  [
    'absent(a{b="c"}) or absent_over_time(d[5m])',
    ['a{b="c"}', 'alternative'],
    ['d', 'alternative'],
  ],
  ['absent(a)', ['a', 'mayBeAbsent']],
  ['info(a, {data=~".+"})', ['a', 'must']],
  ['vector(1) + time()'],
  ['{__name__=~"a|b",c!="d"}', ['{__name__=~"a|b",c!="d"}', 'must']],
  ['{"with.dots","label.too"="1"}', ['{__name__="with.dots","label.too"="1"}', 'must']],
  ['a{b="quote\\"and\\\\slash"}', ['a{b="quote\\"and\\\\slash"}', 'must']],
];

describe('the selectors of a query', () => {
  for (const [query, ...wanted] of needs) {
    test(query, () => {
      const found = selectorsOf(query, 'must').map((one) => [selectorText(one), one.need]);
      assert.deepEqual(found, wanted);
    });
  }

  test('what may be absent stays so wherever it stands', () => {
    const found = selectorsOf('a / (b or c)', 'mayBeAbsent').map(({ need }) => need);
    assert.deepEqual(found, ['mayBeAbsent', 'alternative', 'alternative']);
  });
});

const only = (query: string): Selector => {
  const [first] = selectorsOf(query, 'must');
  assert.ok(first);
  return first;
};

const cases: readonly (readonly [bad: string, total: string, left: string])[] = [
  ['a{s="x",code=~"5.."}', 'a{s="x"}', 'a{s="x",code!=""}'],
  ['a{s="x",code!~"2.."}', 'a{s="x"}', 'a{s="x",code!=""}'],
  ['a{s="typo",code="500"}', 'a{s="x"}', 'a{s="typo",code!=""}'],
  ['a{code=~"5.."}', 'a{code=~"2..|5.."}', 'a{code!=""}'],
  ['a{s="x",code!="200",code!="404"}', 'a{s="x"}', 'a{s="x",code!=""}'],
  ['failed{s="x"}', 'all{s="x"}', 'failed{s="x"}'],
  ['a{s="x",cause=""}', 'a{s="x"}', 'a{s="x",cause=""}'],
];

describe('of failures only what a healthy service has too is proved', () => {
  for (const [bad, total, left] of cases) {
    test(`${bad} beside ${total}`, () => {
      assert.equal(selectorText(relaxed(only(bad), [only(total)])), left);
    });
  }
});
