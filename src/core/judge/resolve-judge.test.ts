/** What the sequential judge cannot judge is refused with a sentence that says why, and what would do. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutSpecInput } from '#api/rollout.ts';
import { HOUR, resolved, rolloutSpec, runSpec } from '#test/builders.ts';

const ratio = {
  bad: 'sum(rate(http_total{service="$(arm.service)",code=~"5.."}[5m])) or vector(0)',
  total: 'sum(rate(http_total{service="$(arm.service)"}[5m]))',
};
const trigger = {
  name: 'errors',
  severity: 'Critical',
  ratio,
  condition: '> 0.5%',
  judge: 'Sequential',
} as const;

function judged(spec: Partial<RolloutSpecInput>) {
  const judge = runSpec(spec).triggers[0]?.judge;
  assert.ok(judge?.type === 'Sequential');
  return judge;
}

describe('a trigger with judge: Sequential', () => {
  test('counts over a time that is put in later, placeholders and all', () => {
    const { counts, limit, blockMs } = judged({ triggers: [trigger] });
    assert.equal(
      counts.total.join('930000ms'),
      'sum(increase(http_total{service="$(arm.service)"}[930000ms]))',
    );
    assert.equal(
      counts.bad.join('1h'),
      'sum((increase(http_total{service="$(arm.service)",code=~"5.."}[1h]) * (1 - 2.2 / (count_over_time(http_total{service="$(arm.service)",code=~"5.."}[1h]) + 1.2)))) or vector(0)',
    );
    assert.deepEqual([limit, blockMs], [0.005, HOUR]);
  });

  test('splits the chance of an error over the hours of the plan, monitoring included', () => {
    const barOf = (spec: Partial<RolloutSpecInput>) =>
      Math.round(Math.exp(judged({ triggers: [trigger], ...spec }).logBar));
    assert.equal(barOf({}), 300);
    assert.equal(barOf({ success: { thenMonitorFor: '24h' } }), 2700);
  });

  test('may take its ratio from a named metric', () => {
    const { ratio: _, ...named } = trigger;
    const spec = {
      analysis: { metrics: [{ name: 'http', ratio }] },
      triggers: [{ ...named, metric: 'http' }],
    };
    assert.equal(judged(spec).counts.total.length, 2);
  });

  const refused: readonly (readonly [
    says: string,
    change: Partial<typeof trigger> | object,
    sentence: RegExp,
  ])[] = [
    [
      'a condition downwards',
      { condition: '< 99%' },
      /spec\.triggers\[0\] \(errors\): condition "< 99%": judge Sequential needs > or >= and a share above 0% and below 100%/,
    ],
    ['a limit of nothing', { condition: '> 0%' }, /condition "> 0%": judge Sequential needs/],
    ['a limit of all', { condition: '> 100%' }, /condition "> 100%": judge Sequential needs/],
    [
      'an average, of which nobody knows what it counts',
      { ratio: { ...ratio, bad: 'avg(rate(bad[5m]))' } },
      /spec\.triggers\[0\] \(errors\): judge Sequential counts requests, and in bad avg\(rate\(bad\[5m\]\)\) gives no count; counted are rate\(m\[…\]\)/,
    ],
    [
      'a recorded rate',
      { ratio: { ...ratio, total: 'job:http:rate5m' } },
      /and in total job:http:rate5m gives no count/,
    ],
    [
      'a query that is no PromQL, once',
      { ratio: { ...ratio, total: 'sum(' } },
      /^spec\.triggers\[0\] \(errors\): total: not PromQL: [^;]*$/,
    ],
  ];
  for (const [says, change, sentence] of refused) {
    test(`is refused with ${says}`, () => {
      const outcome = resolved({ ...rolloutSpec(), triggers: [{ ...trigger, ...change }] });
      assert.equal(outcome.type, 'invalid');
      assert.match(outcome.type === 'invalid' ? outcome.problems.join('; ') : '', sentence);
    });
  }
});
