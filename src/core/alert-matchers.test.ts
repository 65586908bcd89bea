/** Alertmanager matchers as a query: what is read, what is refused, and in which words. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkPromql } from '#promql/check.ts';
import { alertsQuery } from './alert-matchers.ts';

const rows: readonly (readonly [matcher: string, selector: string])[] = [
  ['severity="critical"', 'severity="critical"'],
  [' severity = critical ', 'severity="critical"'],
  ['team!=web', 'team!="web"'],
  ['job=~"a|b"', 'job=~"a|b"'],
  ['job!~"a.*"', 'job!~"a.*"'],
  ['namespace="$(namespace)"', 'namespace="$(namespace)"'],
  ['namespace=$(namespace)', 'namespace="$(namespace)"'],
  ['path="C:\\\\x \\"y\\""', 'path="C:\\\\x \\"y\\""'],
  ['note="a\\nb"', 'note="a\\nb"'],
  ['re=~"a\\\\.b"', 're=~"a\\\\.b"'],
  ['re=~"a\\.b"', 're=~"a\\\\.b"'],
  ['empty=""', 'empty=""'],
  ['empty=', 'empty=""'],
  ['brace="{a=b}, c"', 'brace="{a=b}, c"'],
];

const refused: readonly (readonly [matcher: string, says: RegExp])[] = [
  ['severity', /"severity" is not a matcher such as/],
  ['severity=="critical"', /is not a matcher such as severity="critical"/],
  ['{severity="critical"}', /is not a matcher/],
  ['severity="critical", team="web"', /one in each entry/],
  ['severity="critical', /is not a matcher/],
  ['severity=two words', /is not a matcher/],
  ['1st="x"', /names label "1st"; a label has letters/],
  ['a-b="x"', /names label "a-b"/],
  ['alertstate="pending"', /only alerts that fire are counted/],
];

describe('a matcher', () => {
  for (const [matcher, selector] of rows) {
    test(`${matcher} selects ${selector}`, () => {
      const problems: string[] = [];
      const query = alertsQuery([matcher], 'here', problems) ?? '';
      assert.deepEqual(problems, []);
      assert.equal(
        query,
        `count(ALERTS{alertstate="firing",${selector},genesis_trigger=""}) or vector(0)`,
      );
      assert.equal(checkPromql(query.replaceAll('$(namespace)', 'n')).type, 'ok');
    });
  }

  for (const [matcher, says] of refused) {
    test(`${matcher} is refused in a sentence`, () => {
      const problems: string[] = [];
      assert.equal(alertsQuery([matcher], 'here', problems), undefined);
      assert.equal(problems.length, 1);
      assert.match(problems[0] ?? '', says);
      assert.match(problems[0] ?? '', /^here: /);
    });
  }
});

test('several must all match', () => {
  const query = alertsQuery(['severity="critical"', 'team=~"a|b"'], 'here', []);
  assert.equal(
    query,
    'count(ALERTS{alertstate="firing",severity="critical",team=~"a|b",genesis_trigger=""}) or vector(0)',
  );
});

test('alerts that are made from triggers are left out, unless they are asked for', () => {
  const query = alertsQuery(['genesis_trigger=~".+"', 'severity="critical"'], 'here', []);
  assert.equal(
    query,
    'count(ALERTS{alertstate="firing",genesis_trigger=~".+",severity="critical"}) or vector(0)',
  );
});
