/** What suites answer, in every form: what counts, and in which words the rest is refused. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readOutcome } from './suite-report.ts';

const junit = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="99">
  <testsuite name="a" tests="4">
    <testcase name="one" classname="pkg.A" time="0.1"/>
    <testcase name="two" classname="pkg.A"><failure message="no &lt;luck&gt;">trace</failure></testcase>
    <testcase name="three" classname="pkg.A"><skipped/></testcase>
    <testcase name="four" classname="pkg.A"><error/></testcase>
    <testsuite name="nested"><testcase name="five"/><testcase name="test_network_x_retry"><failure/></testcase></testsuite>
  </testsuite>
</testsuites>`;

type Counts = readonly [total: number, passed: number, failed: number, skipped: number];

const rows: readonly (readonly [
  what: string,
  text: string,
  counts: Counts,
  flaky?: number,
  names?: readonly string[],
])[] = [
  ['totals', '{"total":10,"passed":8,"failed":1,"skipped":1}', [10, 8, 1, 1]],
  ['totals without skipped', '{"total":10,"passed":9,"failed":1}', [10, 9, 1, 0]],
  ['passed and failed alone', '{"passed":9,"failed":1}', [10, 9, 1, 0]],
  ['total and failures alone', '{"total":3,"failures":["x"]}', [3, 2, 1, 0], 0, ['x']],
  ['other fields beside it', '{"passed":1,"durationMs":5,"ok":true}', [1, 1, 0, 0]],
  [
    'failures by name',
    '{"total":3,"passed":1,"failed":2,"failures":["flaky_1",{"name":"new"}]}',
    [3, 1, 2, 0],
    1,
    ['flaky_1', 'new'],
  ],
  [
    'failures of which not all are named: the others are new',
    '{"total":9,"passed":4,"failed":5,"failures":["flaky_1"]}',
    [9, 4, 5, 0],
    1,
    ['flaky_1'],
  ],
  [
    'a list of tests',
    '{"tests":[{"name":"a","status":"PASSED"},{"name":"flaky_2","outcome":"error"},{"name":"c","status":"skipped"}]}',
    [3, 1, 1, 1],
    1,
    ['flaky_2'],
  ],
  ['JUnit XML, by its cases and not by what it says of them', junit, [6, 2, 3, 1], 1],
  ['one JUnit suite', '<testsuite><testcase name="a"/></testsuite>', [1, 1, 0, 0]],
  ['a byte order mark and blanks around it', '\uFEFF \n{"passed":1}\n', [1, 1, 0, 0]],
];

const refused: readonly (readonly [text: string, says: RegExp])[] = [
  ['', /the answer is empty/],
  ['OK', /neither JSON nor JUnit XML: OK/],
  ['[1]', /JSON is no result/],
  ['{}', /neither total nor passed, nor a list of tests/],
  ['{"total":10,"passed":8,"failed":1}', /total is 10, but passed 8 \+ failed 1 \+ skipped 0 is 9/],
  ['{"total":1,"failed":2}', /total is 1, but passed -1/],
  ['{"total":-1,"passed":-1}', /no result: total/],
  ['{"total":1.5,"passed":1.5}', /no result: total/],
  ['{"total":2,"passed":1,"failed":1,"failures":["a","b"]}', /failed is 1, but 2 failures/],
  ['{"total":0,"passed":0}', /total is 0: no test was found/],
  [
    '{"total":2,"tests":[{"name":"a","status":"passed"}]}',
    /total is 2, but of the tests listed it is 1/,
  ],
  ['{"tests":[{"name":"a","status":"maybe"}]}', /test "a" has status "maybe"; known are passed/],
  ['<html><body>502</body></html>', /XML is no JUnit/],
  ['<testsuite><testcase', /XML cannot be read/],
  ['<!DOCTYPE x [<!ENTITY a "b">]><testsuite/>', /DOCTYPE is not read/],
  ['<testsuites/>', /no test was found|no JUnit/],
];

const knownFlaky = ['^flaky_', '^test_network_.*_retry$'];

describe('a suite that answers with', () => {
  for (const [what, text, counts, flaky = 0, names] of rows) {
    test(what, () => {
      const outcome = readOutcome(text, knownFlaky);
      assert.ok(outcome.type === 'done', JSON.stringify(outcome));
      const { total, passed, failed, skipped } = outcome;
      assert.deepEqual([total, passed, failed, skipped], counts);
      assert.deepEqual([outcome.knownFlaky, outcome.newFailures], [flaky, failed - flaky]);
      if (names !== undefined) assert.deepEqual(outcome.failures, names);
    });
  }
});

describe('is refused', () => {
  for (const [text, says] of refused) {
    test(JSON.stringify(text), () => {
      const outcome = readOutcome(text, knownFlaky);
      assert.ok(outcome.type === 'failed', JSON.stringify(outcome));
      assert.match(outcome.message, says);
    });
  }
});

test('a pattern may name a test with its class or without', () => {
  const text = '<testsuite><testcase name="t" classname="a.B"><failure/></testcase></testsuite>';
  for (const pattern of ['^t$', '^a\\.B\\.t$']) {
    const outcome = readOutcome(text, [pattern]);
    assert.equal(outcome.type === 'done' && outcome.knownFlaky, 1, pattern);
  }
});

test('a pattern that would take a backtracking engine for ever takes no time', () => {
  const text = JSON.stringify({ total: 1, failures: [`${'a'.repeat(1000)}!`] });
  const startedAt = performance.now();
  assert.equal(readOutcome(text, ['^(a+)+$']).type, 'done');
  assert.ok(performance.now() - startedAt < 1000);
});
