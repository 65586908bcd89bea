/** Rates become counts where that is sure, and nowhere else. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkPromql } from './check.ts';
import { countQuery } from './count.ts';

/** `increase(m[T])` less what it made up. */
const counted = (selector: string) =>
  `(increase(${selector}[1h]) * (1 - 2.2 / (count_over_time(${selector}[1h]) + 1.2)))`;

describe('a query for a rate becomes one for a count:', () => {
  const rows: readonly (readonly [query: string, count: string])[] = [
    ['rate(a[5m])', counted('a')],
    ['sum(rate(a{b="c"}[5m]))', `sum(${counted('a{b="c"}')})`],
    ['sum by (s) (irate(a[1m]))', `sum by (s) (${counted('a')})`],
    ['sum(increase(a[1m])) by (s)', `sum(${counted('a')}) by (s)`],
    ['sum(rate(a[5m])) or vector(0)', `sum(${counted('a')}) or vector(0)`],
    ['sum(rate(a[5m])) - sum(rate(b[5m]))', `sum(${counted('a')}) - sum(${counted('b')})`],
    ['sum(rate(a[5m]) + on (s) rate(b[1m]))', `sum(${counted('a')} + on (s) ${counted('b')})`],
    ['histogram_count(sum(rate(a[5m])))', `histogram_count(sum(${counted('a')}))`],
    ['SUM(rate(a[5m])) # all', `SUM(${counted('a')}) # all`],
    ['sum(\n  rate(\n    a{b="]5m["}[5m]\n  )\n)', `sum(\n  ${counted('a{b="]5m["}')}\n)`],
  ];
  for (const [query, count] of rows) {
    test(query, () => {
      const counting = countQuery(query);
      assert.equal(counting.type, 'counted');
      const text = counting.type === 'counted' ? counting.pieces.join('1h') : '';
      assert.equal(text, count);
      assert.equal(checkPromql(text).type, 'ok');
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
