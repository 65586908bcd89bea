import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { accepted, refused, stricter, withoutNumbers } from '#test/prometheus/promql-table.ts';
import { checkPromql } from './check.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('a query that Prometheus parses is accepted', () => {
  for (const query of accepted.filter((query) => !withoutNumbers.includes(query))) {
    test(JSON.stringify(query), () => {
      const check = checkPromql(query);
      assert.equal(check.type, 'ok', JSON.stringify(check));
    });
  }
});

describe('a query that Prometheus refuses is refused', () => {
  for (const query of [...refused, ...stricter]) {
    test(JSON.stringify(query), () => {
      const check = checkPromql(query);
      assert.equal(check.type, 'invalid', JSON.stringify(check));
    });
  }
});

describe('a refusal is a sentence that says where and what', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['', 'at character 1: the query is empty'],
    ['sum(up', 'at character 4: "(" is never closed'],
    ['sum(up))', 'at character 8: ")" closes nothing'],
    ['rate(a[5m)', 'at character 10: found ")" where "]" should close "["'],
    ['up{job="a}', 'at character 8: the string that begins with " is never closed'],
    ['up{job="a\nb"}', 'at line 1, character 8: the string that begins with " is never closed'],
    [
      'up{job="a\\.b"}',
      'at character 10: unknown escape \\. in a string; in a regular expression write \\\\.',
    ],
    [
      'sum(up) and\n  rate(up)',
      'at line 2, character 8: rate() needs a range vector, not an instant vector; add a range such as [5m]',
    ],
    ['a b', 'at character 3: did not expect "b"'],
    ['a && b', 'at character 3: did not expect "&&"'],
    ['a +', 'at character 4: the query ends where something is missing'],
    ['1 + nosuchfunction(a)', 'at character 5: there is no function "nosuchfunction"'],
    [
      'a[5m]',
      'at character 1: the query gives a range of values; wrap it in a function such as rate()',
    ],
    ['"hello"', 'at character 1: the query gives a string, no number'],
    [
      'rate(sum(a)[5m])',
      'at character 6: a range goes with a plain selector; over an expression write a subquery such as [5m:1m]',
    ],
    [
      'rate(a[5m*2])',
      'at character 8: 5m*2 is not a plain duration such as 5m; arithmetic in durations is experimental in PromQL',
    ],
    [
      '{job=~".*"}',
      'at character 1: a selector without a metric name needs a matcher that does not match the empty string',
    ],
    ['up{job=~"("}', 'at character 1: the regular expression "(" is not valid: unterminated group'],
    ['topk(up)', 'at character 1: topk() takes 2 argument(s), not 1'],
    ['round(a, 1, 2)', 'at character 1: round() takes 1 to 2 argument(s), not 3'],
    ['label_join(a, "x")', 'at character 1: label_join() takes at least 3 argument(s), not 2'],
    ['1 > 2', 'at character 1: a comparison of two scalars needs "bool", as in "1 > bool 2"'],
    [
      'a and 1',
      'at character 1: "and" takes instant vectors, not scalars; use vector() around a number',
    ],
    [
      'sum(a) offset 5m',
      'at character 1: "offset" goes directly after a selector, a range or a subquery',
    ],
  ];
  for (const [query, message] of rows) {
    test(JSON.stringify(query), () => {
      assert.deepEqual(checkPromql(query), { type: 'invalid', message });
    });
  }
});

describe('how far back a query reads', () => {
  const rows: readonly (readonly [string, number])[] = [
    ['1', 0],
    ['up', 0],
    ['up offset 5m', 5 * MINUTE],
    ['up offset -5m', 0],
    ['rate(a[5m])', 5 * MINUTE],
    ['rate(a[300])', 5 * MINUTE],
    ['rate(a[1h30m500ms])', 90 * MINUTE + 500],
    ['rate(a[5m] offset 1h)', 65 * MINUTE],
    ['rate(a[1h] offset -5m)', 55 * MINUTE],
    ['sum(rate(a[5m])) / sum(rate(b[10m]))', 10 * MINUTE],
    ['a / b offset 1h', HOUR],
    ['a offset 1h / b', HOUR],
    ['max_over_time(rate(a[5m])[30m:1m])', 35 * MINUTE],
    ['max_over_time(rate(m[5m])[30m:1m] offset 1h)', 95 * MINUTE],
    ['max_over_time((a + max_over_time(b[2m:1m] offset 3m))[10m:1m])', 15 * MINUTE],
    ['avg_over_time(min(up{job="x"})[48h:1m])', 48 * HOUR],
    ['rate(a[1y1w1d])', (365 + 7 + 1) * 24 * HOUR],
  ];
  for (const [query, longestRangeMs] of rows) {
    test(JSON.stringify(query), () => {
      const check = checkPromql(query);
      assert.equal(check.type === 'ok' ? check.longestRangeMs : check.message, longestRangeMs);
    });
  }
});

describe('what a query selects', () => {
  test('metrics once each, and every selector with its matchers', () => {
    const query =
      'sum by (job) (rate(a{job="x",code=~"5.."}[5m])) / on(job) {"b.c",job!="y"} + a{z!~"q"} + {__name__=~"d.*",e="f"} + {__name__="g"}';
    const check = checkPromql(query);
    assert.ok(check.type === 'ok', JSON.stringify(check));
    assert.deepEqual(check.metrics, ['a', 'b.c', 'g']);
    assert.deepEqual(check.selectors, [
      {
        metric: 'a',
        matchers: [
          { label: 'job', op: '=', value: 'x' },
          { label: 'code', op: '=~', value: '5..' },
        ],
      },
      { metric: 'b.c', matchers: [{ label: 'job', op: '!=', value: 'y' }] },
      { metric: 'a', matchers: [{ label: 'z', op: '!~', value: 'q' }] },
      {
        metric: undefined,
        matchers: [
          { label: '__name__', op: '=~', value: 'd.*' },
          { label: 'e', op: '=', value: 'f' },
        ],
      },
      { metric: 'g', matchers: [] },
    ]);
  });

  test('a fixed time is told', () => {
    const fixes = (query: string): unknown => {
      const check = checkPromql(query);
      return check.type === 'ok' ? check.fixesTime : check.message;
    };
    assert.deepEqual(['a', 'a @ 5', 'sum(rate(a[5m] @ end())) + b'].map(fixes), [
      false,
      true,
      true,
    ]);
  });
});

describe('whatever is thrown at it', () => {
  const word = fc.constantFrom(
    'a',
    'sum',
    'rate',
    '(',
    ')',
    '[5m]',
    '[5m:]',
    '{',
    '}',
    '"x"',
    '=',
    '=~',
    ',',
    'offset 5m',
    '@ 5',
    'by',
    'on(b)',
    '+',
    '-',
    '>',
    'bool',
    'and',
    '1',
    '#',
    '\n',
    '\\',
    '`',
    '$',
  );
  test('it answers, and never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(word).map((words) => words.join(' ')),
        ),
        (query) => {
          const check = checkPromql(query);
          assert.ok(
            check.type === 'ok' || /^at .+: .+/s.test(check.message),
            JSON.stringify(check),
          );
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('deep nesting within the length limit of a query', () => {
    assert.equal(checkPromql(`${'('.repeat(2_000)}a${')'.repeat(2_000)}`).type, 'ok');
    assert.equal(checkPromql(`${'-'.repeat(2_500)}a`).type, 'ok');
    assert.equal(checkPromql(Array.from({ length: 1_000 }, () => 'a').join('+')).type, 'ok');
  });
});
