/** What matchers mean, as Alertmanager's own parsers have it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { allMatch, parseMatchers } from './matchers.ts';

type Labels = Readonly<Record<string, string>>;

const rows: readonly (readonly [string, readonly Labels[], readonly Labels[]])[] = [
  ['a="b"', [{ a: 'b' }, { a: 'b', c: 'd' }], [{ a: 'B' }, { a: '' }, {}]],
  ['a=b', [{ a: 'b' }], [{ a: 'bb' }]],
  [' a = "b" ', [{ a: 'b' }], [{ a: ' b' }]],
  ['a=', [{}, { a: '' }], [{ a: 'b' }]],
  ['a=""', [{}, { a: '' }], [{ a: 'b' }]],
  ['a!="b"', [{}, { a: 'c' }], [{ a: 'b' }]],
  ['a=~"b|c"', [{ a: 'b' }, { a: 'c' }], [{ a: 'bc' }, { a: 'ab' }, {}]],
  ['a=~b.*', [{ a: 'b' }, { a: 'bx' }], [{ a: 'xb' }]],
  ['a!~"b.*"', [{}, { a: 'c' }], [{ a: 'b' }, { a: 'bx' }]],
  ['a=~".+"', [{ a: 'x' }], [{}]],
  ['a=~"x.y"', [{ a: 'x-y' }], [{ a: 'x\ny' }]],
  ['a=~"(?i)b"', [{ a: 'B' }], [{ a: 'c' }]],
  ['{a="b",c!="d"}', [{ a: 'b' }], [{ a: 'b', c: 'd' }]],
  ['a="b", c="d",', [{ a: 'b', c: 'd' }], [{ a: 'b' }]],
  ['a="b,c"', [{ a: 'b,c' }], [{ a: 'b' }]],
  ['a="say \\"hi\\""', [{ a: 'say "hi"' }], [{ a: 'say hi' }]],
  ['a="line\\nbreak"', [{ a: 'line\nbreak' }], [{ a: 'linenbreak' }]],
  ['a=~"\\\\d+"', [{ a: '12' }], [{ a: 'd' }]],
  ['a=~\\d+', [{ a: '12' }], [{ a: 'd' }]],
  ['a="b\\"', [], []],
  ['a="b', [], []],
  ['a="b"c"', [], []],
  ['a', [], []],
  ['a=~"("', [], []],
  ['"a"="b"', [{ a: 'b' }], [{ a: 'c' }]],
  ['"größe 🙂"="x"', [{ 'größe 🙂': 'x' }], [{}]],
  ['größe=x', [{ größe: 'x' }], [{}]],
  ['{"a.b"=~"x|y", c="d"}', [{ 'a.b': 'x', c: 'd' }], [{ 'a.b': 'x' }, { c: 'd' }]],
  ['"a.b"="\\u00fc\\t"', [{ 'a.b': 'ü\t' }], [{ 'a.b': 'u' }]],
  ['"a.b"="\\q"', [], []],
  ['{"a.b"="c"', [], []],
  ['"a.b"="c"}', [], []],
  ['"a.b"="c" d="e"', [], []],
  ['{}', [{}, { a: 'b' }], []],
];

describe('the matcher', () => {
  for (const [text, yes, no] of rows) {
    test(text, () => {
      const matchers = parseMatchers(text);
      if (yes.length === 0 && no.length === 0) {
        assert.equal(matchers, undefined);
        return;
      }
      assert.ok(matchers);
      for (const labels of yes)
        assert.equal(allMatch(matchers, labels), true, JSON.stringify(labels));
      for (const labels of no)
        assert.equal(allMatch(matchers, labels), false, JSON.stringify(labels));
    });
  }
});
