/** Rules, jobs, Alertmanager and dashboards: each link broken in turn. */
import { describe } from 'node:test';
import { T0 } from '#test/builders.ts';
import { grafanaWith, testBroken } from '#test/chain-check.ts';
import { RISING, rule, target, told } from '#test/fakes/monitoring-world.ts';

describe('a broken link between a rule and a person is named, and nothing else:', () => {
  testBroken([
    {
      name: 'a recorded metric whose rule is not loaded',
      way: { query: 'sum(shop:errors:rate5m)' },
      link: 'rule',
      cause: 'ruleMissing',
      says: /no rule .* records shop:errors:rate5m/,
    },
    {
      name: 'a recording rule that fails',
      world: {
        rules: told([
          rule({
            type: 'recording',
            name: 'shop:errors:rate5m',
            health: 'err',
            lastError: 'many-to-many matching not allowed',
          }),
        ]),
      },
      way: { query: 'sum(shop:errors:rate5m)' },
      link: 'rule',
      cause: 'ruleFailing',
      says: /many-to-many/,
    },
    {
      name: 'a recording rule whose own metric is missing',
      world: {
        rules: told([
          rule({ type: 'recording', name: 'shop:errors:rate5m', query: 'rate(eror_total[5m])' }),
        ]),
      },
      but: { 'error_total{job="shop",instance="a:80"}': RISING },
      way: { query: 'sum(shop:errors:rate5m)' },
      link: 'metric',
      cause: 'neverExisted',
      says: /eror_total .*rule shop:errors:rate5m reads it/,
      mend: /error_total/,
    },
    {
      name: 'recording rules that read each other and never had a sample',
      world: {
        rules: told([
          rule({ type: 'recording', name: 'a:b', query: 'sum(c:d)' }),
          rule({ type: 'recording', name: 'c:d', query: 'sum(a:b)' }),
        ]),
      },
      way: { query: 'sum(a:b)' },
      link: 'metric',
      cause: 'neverExisted',
      says: /a:b has never existed.*rule c:d reads it/,
    },
    {
      name: 'a recording rule in a PromQL that is not known here',
      world: {
        rules: told([rule({ type: 'recording', name: 'a:b', query: 'sum(rate(c[5m + 1m]))' })]),
      },
      way: { query: 'sum(a:b)' },
      link: 'metric',
      cause: 'neverExisted',
      says: /a:b has never existed/,
    },
    {
      name: 'a target of a listed job is down',
      world: { targets: told([target({ health: 'down', lastError: 'EOF' })]) },
      way: { query: 'vector(1)', targets: ['shop'] },
      link: 'target',
      cause: 'targetDown',
      says: /a:80 of job shop.*EOF/,
    },
    {
      name: 'a listed job that is not there',
      way: { query: 'vector(1)', targets: ['shopp'] },
      link: 'target',
      cause: 'neverExisted',
      says: /no job shopp/,
      mend: /Did you mean shop\?/,
    },
    {
      name: 'an alert rule that is not loaded',
      way: { alertRules: ['CheckoutError'] },
      link: 'rule',
      cause: 'ruleMissing',
      says: /CheckoutError is missing/,
      mend: /CheckoutErrors/,
    },
    {
      name: 'an alert rule that fails',
      world: { rules: told([rule({ health: 'err', lastError: 'parse error' })]) },
      way: { alertRules: ['CheckoutErrors'] },
      link: 'rule',
      cause: 'ruleFailing',
      says: /parse error/,
    },
    {
      name: 'an alert rule that is evaluated no more',
      world: { rules: told([rule({ lastEvaluationAtMs: T0 - 61_000 })]) },
      way: { alertRules: ['CheckoutErrors'] },
      link: 'rule',
      cause: 'ruleNotEvaluated',
      says: /1m1s ago/,
    },
    {
      name: 'Prometheus sends to no Alertmanager',
      world: { alertmanagers: told([]) },
      way: { alertRules: ['CheckoutErrors'] },
      link: 'alertmanager',
      cause: 'nobodyTold',
      says: /no Alertmanager/,
    },
    {
      name: 'Alertmanager does not answer',
      world: { routerHealth: { type: 'failed', message: 'connection refused' } },
      way: { alertRules: ['CheckoutErrors'] },
      link: 'alertmanager',
      cause: 'unreachable',
      says: /connection refused/,
    },
    {
      name: 'no receiver for the labels',
      world: { receivers: told([]) },
      way: { alertRules: ['CheckoutErrors'] },
      link: 'receiver',
      cause: 'noReceiver',
      says: /severity="critical", alertname="CheckoutErrors"/,
    },
    {
      name: 'a receiver that tells nobody',
      world: { receivers: told([{ name: 'blackhole', reachesSomebody: false }]) },
      way: { alertRules: ['CheckoutErrors'] },
      link: 'receiver',
      cause: 'nobodyTold',
      says: /blackhole/,
    },
    {
      name: 'a count of alerts that no rule can raise',
      way: {
        query: 'count(ALERTS{alertstate="firing",severity="fatal"}) or vector(0)',
      },
      link: 'rule',
      cause: 'ruleMissing',
      says: /none of 1 alert rule .*fatal/,
    },
    {
      name: 'Grafana does not answer',
      world: {
        grafana: { health: { type: 'failed', message: '502' }, dashboards: {}, newestAtMs: {} },
      },
      way: { dashboards: ['shop'] },
      link: 'grafana',
      cause: 'unreachable',
      says: /502/,
    },
    {
      name: 'a dashboard that is not there',
      way: { dashboards: ['shops'] },
      link: 'dashboard',
      cause: 'dashboardMissing',
      says: /shops is missing/,
    },
    {
      name: 'an empty panel',
      world: grafanaWith({ Errors: told(undefined), Canary: told(T0) }),
      way: { dashboards: ['shop'] },
      link: 'panel',
      cause: 'panelEmpty',
      says: /panel "Errors" shows no data \(sum\(errors\)\)/,
    },
    {
      name: 'a panel without data for over two minutes',
      world: grafanaWith({ Errors: told(T0 - 121_000), Canary: told(T0) }),
      way: { dashboards: ['shop'] },
      link: 'panel',
      cause: 'panelEmpty',
      says: /nothing newer than 2m1s/,
    },
    {
      name: 'a panel whose query fails',
      world: grafanaWith({
        Errors: { type: 'failed', message: 'parse error' },
        Canary: told(T0),
      }),
      way: { dashboards: ['shop'] },
      link: 'panel',
      cause: 'queryFails',
      says: /parse error/,
    },
  ]);
});
