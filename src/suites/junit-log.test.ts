/** JUnit XML among other lines: which document counts, and that no log takes long. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { lastJunit } from './junit-log.ts';

const suite = '<testsuite name="a"><testcase name="one"/></testsuite>';
const suites = `<testsuites>\n  ${suite}\n  <testsuite name="b"/>\n</testsuites>`;
const declared = '<?xml version="1.0" encoding="UTF-8"?>';

const documents: readonly (readonly [what: string, log: string, wanted: string])[] = [
  ['nothing else', suites, suites],
  ['lines before and behind it', `go\n<go>\n${suites}\nbye > all`, suites],
  ['an XML declaration on its line', `go\n${declared}${suite}\n`, suite],
  ['an XML declaration on the line before', `${declared}\n  ${suites}`, suites],
  ['a byte order mark', `\uFEFF${suite}`, suite],
  ['Windows line ends', `go\r\n${suite}\r\n`, suite],
  ['an empty suite', '<testsuites/>', '<testsuites/>'],
  ['suites in suites', `<testsuite>${suite}</testsuite>`, `<testsuite>${suite}</testsuite>`],
  ['two documents: the last', `${suites}\n${suite}\n`, suite],
  [
    'two documents under declarations: the last',
    `${declared}\n${suite}\n${declared}\n${suites}`,
    suites,
  ],
  [
    'a cut one, then a whole one',
    `${declared}\n<testsuite><testcase>\n${declared}\n${suite}`,
    suite,
  ],
  ['a cut one, then a whole one of several suites', `<testsuite><testcase>\n${suites}`, suites],
  ['a line that speaks of a document', `writing <testsuite> now\n${suite}`, suite],
  [
    'a line behind it that speaks of one',
    `${suite}\nthat was <testsuites> of a </testsuite>`,
    suite,
  ],
  [
    'what looks like tags in CDATA and comments',
    '<testsuite><system-out><![CDATA[\n<testsuites>\n</testsuite>]]></system-out><!--\n<testsuite>--></testsuite>',
    '<testsuite><system-out><![CDATA[\n<testsuites>\n</testsuite>]]></system-out><!--\n<testsuite>--></testsuite>',
  ],
  ['CDATA that nobody closes, before it', `<![CDATA[ <!-- go\n${suite}`, suite],
  [
    'greater signs and quotes in attributes',
    `<testsuite name="a > b's" id='"/>'>${suite}</testsuite>`,
    `<testsuite name="a > b's" id='"/>'>${suite}</testsuite>`,
  ],
];

const cut: readonly (readonly [what: string, log: string, element: string])[] = [
  ['in its cases', '<testsuites><testsuite name="a"><testcase name="one"/>', 'testsuites'],
  ['in CDATA', '<testsuite><system-out><![CDATA[ trace', 'testsuite'],
  ['in its last tag', '<testsuites><testsuite></testsuite></testsuit', 'testsuites'],
  [
    'although an earlier one is whole',
    `${suites}\n${declared}\n<testsuite><testcase/>\n`,
    'testsuite',
  ],
];

const none: readonly string[] = [
  '',
  'all 36 tests have passed',
  '<html><body>502</body></html>',
  'the end of a longer log</testsuite></testsuites>\n',
  '2026-11-22T12:00:00Z <testsuites>',
  '<testsuites-of-mine>\n</testsuites-of-mine>',
  '<testsuites name="cut',
];

describe('in a log stands', () => {
  for (const [what, log, text] of documents) {
    test(what, () => assert.deepEqual(lastJunit(log), { type: 'document', text }));
  }
  for (const [what, log, element] of cut) {
    test(`a document that is cut ${what}`, () => {
      assert.deepEqual(lastJunit(log), { type: 'cut', element });
    });
  }
  for (const log of none) {
    test(`no document: ${JSON.stringify(log)}`, () => {
      assert.deepEqual(lastJunit(log), { type: 'none' });
    });
  }
});

test('a document is found among any lines that are none', () => {
  const lines = fc.array(fc.string().filter((line) => !/[<\r\n]/.test(line)));
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const log = [...before, suites, ...after].join('\n');
      assert.deepEqual(lastJunit(log), { type: 'document', text: suites });
    }),
  );
});

for (const [what, part] of [
  ['tags that do not end', '<testsuite '],
  ['tags in one line', 'x <testsuite> '],
  ['quotes that do not end', '<testsuite a="'],
  ['suites in suites', '<testsuite>'],
  ['CDATA', '<![CDATA['],
  ['declarations', '<?xml ?><testsuite>'],
] as const) {
  test(`four megabytes of ${what} take no time`, () => {
    const log = `<testsuite>\n${part.repeat(Math.ceil(2 ** 22 / part.length))}`;
    const startedAt = performance.now();
    lastJunit(log);
    assert.ok(performance.now() - startedAt < 5_000);
  });
}
