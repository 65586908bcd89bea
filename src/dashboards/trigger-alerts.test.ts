/** What a trigger becomes as an alert. test/cluster/rendered-rules.test.ts has promtool judge whole files of them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkPromql } from '#promql/check.ts';
import { runSpec, type TriggerInput } from '#test/builders.ts';
import { alertName, triggerAlerts } from './trigger-alerts.ts';

const base: TriggerInput = {
  name: 'errors',
  severity: 'Critical',
  query: 'x{service="$(arm.service)"}',
  condition: '> 1',
  for: '5m',
};

/** `query` is left out where another source is given. */
function alertsOf(input: Partial<TriggerInput>, spec: Parameters<typeof runSpec>[0] = {}) {
  const hasSource = Object.keys(input).some((key) => /^(ratio|suite|probe|alerts)$/.test(key));
  const { query: _, ...rest } = base;
  const trigger = { ...(hasSource ? rest : base), ...input };
  return triggerAlerts(runSpec({ ...spec, triggers: [trigger] }), 'https://books.example');
}

const exprOf = (input: Partial<TriggerInput>, spec: Parameters<typeof runSpec>[0] = {}) =>
  alertsOf(input, spec)[0]?.expr.replaceAll(/\s+/g, ' ') ?? '';

const own = 'namespace="shop",rollout="checkout"';

describe('the expression of an alert', () => {
  const rows: readonly (readonly [says: string, input: Partial<TriggerInput>, expr: string])[] = [
    ['asks canary', {}, 'x{service="new"} > 1'],
    ['compares in base units', { condition: '< 99.5%' }, 'x{service="new"} < 0.995'],
    ['knows binary bytes', { condition: '> 25MiB' }, 'x{service="new"} > 26214400'],
    ['holds operators together', { query: 'a / b' }, '(a / b) > 1'],
    ['makes a vector of a number', { query: 'scalar(a)' }, 'vector(scalar(a)) > 1'],
    ['ends a comment before it goes on', { query: 'a # b' }, '(a # b ) > 1'],
    [
      'takes no NaN for different',
      { condition: '!= 1' },
      'x{service="new"} != 1 and x{service="new"} == x{service="new"}',
    ],
    [
      'takes the whole plan for the window, since a rule cannot grow',
      { query: 'max_over_time(x[$(window)])' },
      'max_over_time(x[3h]) > 1',
    ],
    [
      'takes the weight as it is exported',
      { query: 'x / $(weight)' },
      `(x / (100 * scalar(max by (namespace, rollout) (genesis_rollout_weight_ratio{${own}})))) > 1`,
    ],
    ['takes 100 for the weight inside a string', { query: 'x{w="$(weight)"}' }, 'x{w="100"} > 1'],
    [
      'reads no failures as 0 and no traffic as nothing',
      { ratio: { bad: 'sum(b)', total: 'sum(t)' } },
      '( sum(b) or sum(t) * 0 ) / (sum(t) > 0) > 1',
    ],
    [
      'lets parts with labels meet',
      { ratio: { bad: 'b', total: 'sum by (code) (t)' } },
      '( sum(b) or sum(sum by (code) (t)) * 0 ) / (sum(sum by (code) (t)) > 0) > 1',
    ],
    [
      'asks the operator for what only it has probed',
      { probe: { url: 'http://a.shop/', expectStatus: 200 }, condition: '== 0' },
      `max by (namespace, rollout) (genesis_trigger_value{${own},trigger="errors"}) == 0`,
    ],
    [
      'does not count alerts that are made from triggers, itself above all',
      { alerts: { matchers: ['severity="critical"'] }, condition: '> 0' },
      '(count(ALERTS{alertstate="firing",severity="critical",genesis_trigger=""}) or vector(0)) > 0',
    ],
  ];
  for (const [says, input, expr] of rows) {
    test(says, () => {
      assert.equal(exprOf(input), expr);
      assert.equal(checkPromql(alertsOf(input)[0]?.expr ?? '').type, 'ok');
    });
  }

  test('picks the one series that a metric names', () => {
    const metrics = [{ name: 'm', query: 'x', series: { service: '$(arm.service)', a: '$1' } }];
    const { query: _, ...rest } = base;
    const [found] = triggerAlerts(
      runSpec({ analysis: { metrics }, triggers: [{ ...rest, metric: 'm' }] }),
      '',
    );
    assert.equal(
      found?.expr,
      '(x and on (service, a) label_replace(label_replace(vector(1), "service", "new", "", ""), "a", "$$1", "", "")) > 1',
    );
    assert.equal(checkPromql(found?.expr ?? '').type, 'ok');
  });

  test('a sequential judge decides for itself: the alert fires with it', () => {
    const found = alertsOf({
      ratio: {
        bad: 'sum(rate(b{service="$(arm.service)"}[5m]))',
        total: 'sum(rate(t{service="$(arm.service)"}[5m]))',
      },
      condition: '> 0.5%',
      judge: 'Sequential',
    });
    assert.equal(
      found[0]?.expr,
      `max by (namespace, rollout) (genesis_trigger_state{${own},trigger="errors",state="Firing"}) == 1`,
    );
    assert.equal(found[0]?.for, undefined);
  });
});

describe('an alert', () => {
  test('has severity, hold, texts and a runbook', () => {
    const [found] = alertsOf({
      condition: '> 0.5%',
      keepFiringFor: '1m',
      responder: 'hudson',
      onFiring: [{ action: 'Hold' }, { action: 'Rollback', after: '1m' }],
    });
    assert.deepEqual(
      { ...found, expr: undefined },
      {
        alert: 'GenesisTriggerErrors',
        expr: undefined,
        for: '5m',
        keep_firing_for: '1m',
        labels: {
          severity: 'critical',
          namespace: 'shop',
          rollout: 'checkout',
          genesis_trigger: 'errors',
          responder: 'hudson',
        },
        annotations: {
          summary: 'errors is > 0.5% for 5m (rollout shop/checkout)',
          description:
            'errors is > 0.5% for 5m. It is {{ $value | humanizePercentage }} now. What the operator does: Hold, Rollback after 1m. Responder: hudson.',
          runbook_url: 'https://books.example/genesistrigger',
        },
      },
    );
  });

  test('leads to the runbook of its own trigger', () => {
    const [found] = alertsOf({ runbookUrl: 'https://wiki.example/errors' });
    assert.equal(found?.annotations['runbook_url'], 'https://wiki.example/errors');
  });

  test('takes nothing that a person wrote for a template', () => {
    const [found] = alertsOf({ responder: '{{ bad }}' });
    assert.equal(found?.labels['responder'], '{{ "{{" }} bad }}');
  });

  test('fires for silence too, where silence counts as a breach and traffic is expected', () => {
    const [, silence] = alertsOf({ noData: 'Breach', noDataFor: '3m' });
    assert.equal(
      silence?.expr,
      `absent(x{service="new"}) and on () max by (namespace, rollout) (genesis_rollout_weight_ratio{${own}}) > 0`,
    );
    assert.equal(silence?.for, '8m');
    assert.equal(checkPromql(silence?.expr ?? '').type, 'ok');
  });

  test('is made of canary without Ready endpoints too', () => {
    const found = alertsOf({}, { canaryDown: { for: '90s' } }).at(-1);
    assert.equal(found?.alert, 'GenesisTriggerCanaryDown');
    assert.match(
      found?.annotations['summary'] ?? '',
      /^canary has had no Ready endpoint for 1m30s/,
    );
  });

  test('has a name without hyphens', () => {
    assert.equal(alertName('p95-latency-2x'), 'GenesisTriggerP95Latency2x');
  });
});
