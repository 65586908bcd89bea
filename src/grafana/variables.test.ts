/** What Grafana's variables become in a query. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { VariableModel } from './model.ts';
import { createVariables, type Style } from './variables.ts';

const variable = (name: string, rest: Partial<VariableModel> = {}): VariableModel => ({
  name,
  type: 'custom',
  query: undefined,
  ...rest,
});

const models: readonly VariableModel[] = [
  variable('job', { current: { value: 'shop', text: 'The shop' } }),
  variable('path', { current: { value: 'C:\\a' } }),
  variable('pods', { multi: true, current: { value: ['a.1', 'b'], text: ['a.1', 'b'] } }),
  variable('pod', { multi: true, current: { value: ['a.1'] } }),
  variable('all', { includeAll: true, allValue: '.+', current: { value: '$__all' } }),
  variable('everything', {
    includeAll: true,
    current: { value: ['$__all'] },
    options: [{ value: '$__all' }, { value: 'x' }, { value: 'y+' }],
  }),
  variable('unlisted', { type: 'query', includeAll: true, current: {} }),
  variable('first', { query: 'one, Two : 2, three' }),
  variable('typed', { type: 'textbox', query: 'hello' }),
  variable('emptied', { type: 'textbox', query: 'hello', current: { value: '' } }),
  variable('fixed', { type: 'constant', query: 'genesis' }),
  variable('step', { type: 'interval', query: '1m,5m' }),
  variable('auto', { type: 'interval', current: { value: '$__auto_interval_auto' } }),
  variable('through', { type: 'constant', query: '$job-x' }),
  variable('circle', { type: 'constant', query: '$circle' }),
  variable('unknown', { type: 'query', query: { query: 'label_values(job)' } }),
];

const rows: readonly (readonly [string, string, Style?])[] = [
  ['up{job="$job"}', 'up{job="shop"}'],
  ['${job} [[job]] $jobs $job', 'shop shop $jobs shop'],
  ['${job:text}', 'The shop'],
  ['"$path"', '"C:\\\\a"'],
  ['=~"$pods"', '=~"(a\\\\.1|b)"'],
  ['=~"$pod"', '=~"a\\\\.1"'],
  ['=~"${pods:regex}"', '=~"(a\\.1|b)"'],
  ['=~"${pods:pipe}"', '=~"a.1|b"'],
  ['${pods:csv} ${pods:json} ${pods:glob}', 'a.1,b ["a.1","b"] {a.1,b}'],
  ['${pods:singlequote} ${pods:doublequote}', `'a.1','b' "a.1","b"`],
  ['$pods', '{a.1,b}', 'glob'],
  ['[[pods:raw]]', 'a.1,b'],
  ['=~"$all"', '=~".+"'],
  ['=~"$everything"', '=~"(x|y\\\\+)"'],
  ['=~"$unlisted"', '=~".*"'],
  ['$first', 'one'],
  ['$typed$emptied.', 'hello.'],
  ['$fixed', 'genesis'],
  ['[$step]', '[1m]'],
  ['[$auto]', '[$__interval]'],
  ['$through', 'shop-x'],
  ['$circle', '$circle'],
  ['$unknown', '$unknown'],
  ['rate(a[$__rate_interval]) > $__range_s', 'rate(a[$__rate_interval]) > $__range_s'],
  ['label_replace(a, "b", "$1", "c", "(.*)$")', 'label_replace(a, "b", "$1", "c", "(.*)$")'],
];

describe('in a query', () => {
  const variables = createVariables(models);
  for (const [text, want, style = 'regex'] of rows) {
    test(`${text} is ${want}`, () => {
      assert.equal(variables.fill(text, style), want);
    });
  }
});
