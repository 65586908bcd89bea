/** Rates become counts where that is sure, and nowhere else. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkPromql } from './check.ts';
import { countQuery } from './count.ts';

/** `increase(m[T])`, and the same less what it made up; a selector stands between two bars. */
const seen = '(increase($1[1h]) * (1 - 2.2 / (count_over_time($1[1h]) + 1.2)))';

describe('a query for a rate becomes one for a count:', () => {
  const rows: readonly (readonly [query: string, count: string])[] = [
    ['rate(a[5m])', '|a|'],
    ['sum(rate(a{b="c"}[5m]))', 'sum(|a{b="c"}|)'],
    ['sum by (s) (irate(a[1m]))', 'sum by (s) (|a|)'],
    ['sum(increase(a[1m])) by (s)', 'sum(|a|) by (s)'],
    ['sum(rate(a[5m])) or vector(0)', 'sum(|a|) or vector(0)'],
    ['sum(rate(a[5m])) - sum(rate(b[5m]))', 'sum(|a|) - sum(|b|)'],
    ['sum(rate(a[5m]) + on (s) rate(b[1m]))', 'sum(|a| + on (s) |b|)'],
    ['histogram_count(sum(rate(a[5m])))', 'histogram_count(sum(|a|))'],
    ['SUM(rate(a[5m])) # all', 'SUM(|a|) # all'],
    ['sum(\n  rate(\n    a{b="]5m["}[5m]\n  )\n)', 'sum(\n  |a{b="]5m["}|\n)'],
  ];
  for (const [query, count] of rows) {
    test(query, () => {
      const counting = countQuery(query);
      assert.ok(counting.type === 'counted');
      const texts = [counting.seen.join('1h'), counting.increase.join('1h')];
      assert.deepEqual(texts, [
        count.replaceAll(/[|](.*?)[|]/g, seen),
        count.replaceAll(/[|](.*?)[|]/g, 'increase($1[1h])'),
      ]);
      for (const text of texts) assert.equal(checkPromql(text).type, 'ok');
    });
  }
});

describe('no count is made of', () => {
  const rows: readonly (readonly [query: string, obstacle: string])[] = [
    ['avg(rate(a[5m]))', 'avg(rate(a[5m]))'],
    ['max by (s) (rate(a[5m]))', 'max by (s) (rate(a[5m]))'],
    ['sum(rate(a[5m])) * 60', 'sum(rate(a[5m])) * 60'],
    ['sum(rate(a[5m]) / rate(b[5m]))', 'rate(a[5m]) / rate(b[5m])'],
    ['sum(rate(a[5m])) > 0', 'sum(rate(a[5m])) > 0'],
    ['sum(rate(a[5m] offset 1h))', 'rate(a[5m] offset 1h)'],
    ['sum(rate(a[5m] @ end()))', 'rate(a[5m] @ end())'],
    ['sum(rate(a[5m:1m]))', 'rate(a[5m:1m])'],
    ['job:a:rate5m', 'job:a:rate5m'],
    ['sum(rate(a[5m])) or vector(1)', 'vector(1)'],
    ['-rate(a[5m])', '-rate(a[5m])'],
    ['count(rate(a[5m]))', 'count(rate(a[5m]))'],
    ['sum(delta(a[5m]))', 'delta(a[5m])'],
  ];
  for (const [query, obstacle] of rows) {
    test(query, () => {
      const counting = countQuery(query);
      const message = counting.type === 'uncounted' ? counting.message : 'counted';
      assert.ok(message.startsWith(`${obstacle} gives no count; counted are rate(m[…])`), message);
    });
  }
});
