/** Where a number comes from, for every kind of source; what cannot be had is refused in a sentence. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { resolved, rolloutSpec, type TriggerInput } from '#test/builders.ts';
import type { Measure } from './run-spec.ts';
import type { ResolvedSpec } from './snapshot.ts';

const base = { name: 'it', severity: 'Info', condition: '> 0' } as const;

function resolve(trigger: Partial<TriggerInput>): ResolvedSpec {
  return resolved(
    rolloutSpec({
      analysis: {
        metrics: [
          { name: 'errors', ratio: { bad: 'sum(rate(bad[5m]))', total: 'sum(rate(all[10m]))' } },
          { name: 'heap', query: 'heap', series: { service: '$(canary.service)' } },
        ],
      },
      healthSuites: [
        { name: 'smoke', interval: '5m', timeout: '4m', http: { url: 'http://h/run' } },
      ],
      triggers: [{ ...base, ...trigger }],
    }),
  );
}

const query = { type: 'query', series: undefined, isArmBound: false, rangeMs: 0 } as const;
const suite = {
  type: 'suite',
  suite: 'smoke',
  validForMs: 9 * 60_000,
  isArmBound: false,
  rangeMs: 0,
} as const;

const rows: readonly (readonly [what: string, trigger: Partial<TriggerInput>, is: Measure])[] = [
  ['a query', { query: 'up' }, { ...query, query: 'up' }],
  [
    'a query of an arm that looks back',
    { query: 'rate(x{service="$(arm.service)"}[5m])' },
    {
      ...query,
      query: 'rate(x{service="$(arm.service)"}[5m])',
      isArmBound: true,
      rangeMs: 5 * 60_000,
    },
  ],
  [
    'a ratio',
    { ratio: { bad: 'bad', total: 'total' } },
    {
      type: 'ratio',
      bad: 'bad',
      total: 'total',
      series: undefined,
      isArmBound: false,
      rangeMs: 0,
    },
  ],
  [
    'a named metric that is a ratio looks back as far as the longer of the two',
    { metric: 'errors' },
    {
      type: 'ratio',
      bad: 'sum(rate(bad[5m]))',
      total: 'sum(rate(all[10m]))',
      series: undefined,
      isArmBound: false,
      rangeMs: 10 * 60_000,
    },
  ],
  [
    'a named metric whose series names an arm',
    { metric: 'heap' },
    { ...query, query: 'heap', series: { service: '$(canary.service)' }, isArmBound: true },
  ],
  ['the pass rate of a suite', { suite: 'smoke' }, { ...suite, of: 'PassRate' }],
  [
    'another figure of a suite',
    { suite: 'smoke', measure: 'KnownFlaky' },
    { ...suite, of: 'KnownFlaky' },
  ],
  [
    'a probe, whose status is 200 unless it says otherwise',
    { probe: { url: 'http://u' } },
    { type: 'probe', url: 'http://u', expectStatus: 200, isArmBound: false, rangeMs: 0 },
  ],
  [
    'alerts, which are counted',
    { alerts: { matchers: ['severity="critical"', 'namespace="$(namespace)"'] } },
    {
      ...query,
      query:
        'count(ALERTS{alertstate="firing",severity="critical",namespace="$(namespace)",genesis_trigger=""}) or vector(0)',
    },
  ],
];

const refused: readonly (readonly [what: string, trigger: Partial<TriggerInput>, says: RegExp])[] =
  [
    [
      'a query that is no PromQL',
      { query: 'sum(' },
      /^spec\.triggers\[0\] \(it\): query: not PromQL/,
    ],
    [
      'a ratio of which one is none',
      { ratio: { bad: 'x', total: 'rate(x)' } },
      /\(it\): total: not PromQL/,
    ],
    [
      'a matcher that cannot be read',
      { alerts: { matchers: ['severity'] } },
      /^spec\.triggers\[0\] \(it\)\.alerts\.matchers: "severity" is not a matcher/,
    ],
    [
      'a matcher whose regular expression is none',
      { alerts: { matchers: ['job=~"("'] } },
      /alerts\.matchers: query: not PromQL/,
    ],
    ['a metric that is not there', { metric: 'nope' }, /metric "nope" is not in analysis.metrics/],
    ['a suite that is not there', { suite: 'nope' }, /suite "nope" is not in healthSuites/],
  ];

describe('a trigger reads', () => {
  for (const [what, trigger, is] of rows) {
    test(what, () => {
      const spec = resolve(trigger);
      assert.ok(spec.type === 'ok', JSON.stringify(spec));
      assert.deepEqual(spec.run.triggers[0]?.measure, is);
    });
  }
});

describe('a trigger is refused with', () => {
  for (const [what, trigger, says] of refused) {
    test(what, () => {
      const spec = resolve(trigger);
      assert.ok(spec.type === 'invalid');
      assert.match(spec.problems.join('; '), says);
    });
  }
});
