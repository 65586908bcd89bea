/** A check of the whole chain: what is fine, expected, cannot be told or holds nothing, and what it costs. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { runSpec, T0 } from '#test/builders.ts';
import {
  besides,
  checkOf,
  FAILED,
  grafanaWith,
  healthy,
  NEW,
  never,
  OLD,
  QUEUE,
  RATE,
  report,
  worldOf,
} from '#test/chain-check.ts';
import { ALWAYS_ONE, monitoringSystems, rule, target, told } from '#test/fakes/monitoring-world.ts';
import { checkChain } from './check-chain.ts';

describe('a chain that is whole', () => {
  test('is fine, link by link', async () => {
    const { findings, health, generation } = await report(healthy, {
      alertRules: ['CheckoutErrors'],
      dashboards: ['shop'],
      targets: ['shop'],
    });
    assert.deepEqual(new Set(findings.map(({ verdict }) => verdict)), new Set(['fine']));
    const links = ['metric', 'label', 'target', 'scrape', 'sample', 'value'];
    assert.deepEqual(
      new Set(findings.filter(({ of }) => of.includes('trigger watch')).map(({ link }) => link)),
      new Set(links),
    );
    const state = { state: 'Up' };
    assert.deepEqual(health, { prometheus: state, alertmanager: state, grafana: state });
    assert.equal(generation, 3);
  });

  test('costs two questions for each query, and two for all', async () => {
    const { systems, asked } = monitoringSystems(healthy);
    await checkChain(systems, checkOf({}), never);
    assert.deepEqual(asked.filter((one) => one === 'targets' || one === 'alertmanagers').length, 2);
    // Whether it answers; two queries of a ratio, each with its selector; the scrapes of its job.
    assert.equal(asked.length - 2, 6, asked.join('\n'));
    assert.equal(new Set(asked).size, asked.length);
  });
});

describe('where no traffic is meant to be', () => {
  const silent = worldOf({ but: { [NEW]: undefined } });

  test('canary at weight 0 is expected to be silent, once stable has proved the chain', async () => {
    const found = await report(silent, { weight: 0 });
    assert.deepEqual(besides(found), [['noTrafficExpected', 'label', 'noTrafficYet']]);
    const one = found.findings.find(({ verdict }) => verdict === 'noTrafficExpected');
    assert.match(one?.message ?? '', /canary gets no traffic at weight 0.*service="new".*stable/);
    assert.ok(found.findings.some(({ subject }) => subject.includes('service="old"')));
  });

  test('the same silence at weight 1 is a broken chain', async () => {
    assert.deepEqual(besides(await report(silent, { weight: 1 })), [
      ['broken', 'label', 'valueMissing'],
    ]);
  });

  test('a chain that stable does not have either is broken at weight 0', async () => {
    const neither = worldOf({ but: { [NEW]: undefined, [OLD]: undefined, [FAILED]: undefined } });
    assert.deepEqual(besides(await report(neither, { weight: 0 })), [
      ['broken', 'metric', 'neverExisted'],
    ]);
  });

  test('a query that names canary itself is proved with the name of stable', async () => {
    const query = 'sum(rate(http_requests_total{service="$(canary.service)"}[5m]))';
    assert.deepEqual(besides(await report(silent, { weight: 0, query })), [
      ['noTrafficExpected', 'label', 'noTrafficYet'],
    ]);
  });

  test('a query that names no arm has to answer at weight 0 too', async () => {
    const query = 'sum(rate(http_requests_total{service="new"}[5m]))';
    assert.deepEqual(besides(await report(silent, { weight: 0, query })), [
      ['broken', 'label', 'valueMissing'],
    ]);
  });

  test('0 divided by 0 at weight 0 is no traffic', async () => {
    const idle = worldOf({ but: { [NEW]: '7x300' } });
    const query = `${RATE(',code=~"2.."')} / ${RATE()}`;
    assert.deepEqual(besides(await report(idle, { weight: 0, query })), [
      ['noTrafficExpected', 'value', 'noTrafficYet'],
    ]);
    assert.deepEqual(besides(await report(idle, { query })), [['broken', 'value', 'notFinite']]);
  });

  test('a target that is down is broken, traffic or not', async () => {
    const down = worldOf({
      but: { [NEW]: '0+15x260 stale', 'up{job="shop",instance="b:80"}': '1x260 0x39' },
      world: {
        targets: told([target(), target({ instance: 'b:80', health: 'down', lastError: 'EOF' })]),
      },
    });
    assert.deepEqual(besides(await report(down, { weight: 0 })), [
      ['broken', 'target', 'targetDown'],
    ]);
  });

  test('the baseline at weight 100 is proved on canary', async () => {
    const run = runSpec({
      triggers: [],
      rollback: {
        baseline: [
          { name: 'queue', query: QUEUE, condition: '< 9' },
          { name: 'own', query: QUEUE.replace('arm', 'stable'), condition: '< 9' },
        ],
      },
    });
    const world = worldOf({
      but: { 'queue_length{service="old",job="shop",instance="a:80"}': undefined },
    });
    const check = { run, generation: 1, atMs: T0 };
    const { systems } = monitoringSystems(world);
    const full = await checkChain(systems, { ...check, weight: 100 }, never);
    assert.deepEqual(besides(full), [['noTrafficExpected', 'label', 'noTrafficYet']]);
    const half = await checkChain(systems, { ...check, weight: 50 }, never);
    assert.deepEqual(besides(half), [['broken', 'label', 'valueMissing']]);
    assert.equal(half.findings.at(-1)?.of, 'baseline criterion queue, baseline criterion own');
  });

  test('an empty panel of canary at weight 0 is expected, of others it is not', async () => {
    const world = { ...healthy, ...grafanaWith({}) };
    assert.deepEqual(besides(await report(world, { weight: 0, dashboards: ['shop'] })), [
      ['broken', 'panel', 'panelEmpty'],
      ['noTrafficExpected', 'panel', 'noTrafficYet'],
    ]);
  });
});

describe('what cannot be told is not called fine', () => {
  const silent = { type: 'cannotTell', message: '404 page not found' } as const;

  test('a backend without targets', async () => {
    const found = await report(
      { ...healthy, targets: silent },
      { query: QUEUE, targets: ['shop'] },
    );
    assert.deepEqual(besides(found), [
      ['cannotTell', 'target', ''],
      ['cannotTell', 'sample', ''],
      ['cannotTell', 'target', ''],
    ]);
  });

  test('a backend without rules', async () => {
    const way = { query: 'count(ALERTS{alertstate="firing"}) or vector(0)', alertRules: ['A'] };
    assert.deepEqual(besides(await report({ ...healthy, rules: silent }, way)), [
      ['cannotTell', 'rule', ''],
      ['cannotTell', 'rule', ''],
    ]);
  });

  test('a backend that does not say to whom it sends', async () => {
    const world = { ...healthy, alertmanagers: silent };
    const found = await report(world, { alertRules: ['CheckoutErrors'] });
    assert.deepEqual(besides(found), [['cannotTell', 'alertmanager', '']]);
    assert.deepEqual(found.health.alertmanager, { state: 'NotConfigured' });
  });

  test('series without job and instance, and a target without an interval', async () => {
    const pushed = worldOf({ but: { batches: ALWAYS_ONE } });
    assert.deepEqual(besides(await report(pushed, { query: 'sum(batches)' })), [
      ['cannotTell', 'target', ''],
    ]);
    const targets = told([
      target({ scrapeIntervalMs: undefined }),
      target({ instance: 'b:80', scrapeIntervalMs: undefined }),
    ]);
    assert.deepEqual(besides(await report({ ...healthy, targets }, { query: QUEUE })), [
      ['cannotTell', 'sample', ''],
    ]);
  });

  test('dashboards without a Grafana', async () => {
    const found = await report({ ...healthy, grafana: undefined }, { dashboards: ['shop'] });
    assert.deepEqual(besides(found), [['cannotTell', 'grafana', '']]);
    assert.deepEqual(found.health.grafana, { state: 'NotConfigured' });
  });

  test('an API that should answer and does not is broken', async () => {
    const targets = { type: 'failed', message: '503' } as const;
    assert.deepEqual(besides(await report({ ...healthy, targets }, { query: QUEUE })), [
      ['broken', 'target', 'unreachable'],
    ]);
  });
});

describe('what holds nothing', () => {
  test('of an Info trigger everything is advice', async () => {
    const run = runSpec({
      triggers: [
        { name: 'watch', severity: 'Info', query: 'sum(nothing)', condition: '> 1', for: '5m' },
      ],
    });
    const { systems } = monitoringSystems(healthy);
    const found = await checkChain(systems, { run, generation: 1, weight: 50, atMs: T0 }, never);
    assert.deepEqual(besides(found), [['advice', 'metric', 'neverExisted']]);
  });

  test('stable, where it is only compared with', async () => {
    const run = runSpec({
      triggers: [
        {
          name: 'watch',
          severity: 'Critical',
          query: QUEUE,
          condition: '> 9',
          for: '5m',
          compareWithStable: { holdFor: '10m' },
        },
      ],
    });
    const world = worldOf({
      but: { 'queue_length{service="old",job="shop",instance="a:80"}': undefined },
    });
    const { systems } = monitoringSystems(world);
    const found = await checkChain(systems, { run, generation: 1, weight: 50, atMs: T0 }, never);
    assert.deepEqual(besides(found), [['advice', 'label', 'valueMissing']]);
  });

  test('another target of the same job that is down', async () => {
    const beside = target({ instance: 'c:80', health: 'down', lastError: 'EOF' });
    const targets = told([target(), target({ instance: 'b:80' }), beside]);
    assert.deepEqual(besides(await report({ ...healthy, targets }, { query: QUEUE })), [
      ['advice', 'target', 'targetDown'],
    ]);
  });

  test('an alternative that is not there, as long as the other one is', async () => {
    const query = `${QUEUE} or sum(queue_size{service="$(arm.service)"})`;
    assert.deepEqual(besides(await report(healthy, { query })), [
      ['advice', 'metric', 'neverExisted'],
    ]);
    const neither = query.replace('queue_length', 'queue_len');
    assert.deepEqual(
      besides(await report(healthy, { query: neither })).map(([verdict]) => verdict),
      ['advice', 'broken'],
    );
  });

  test('rules of its own that Prometheus does not take', async () => {
    assert.deepEqual(besides(await report(healthy, { makesRules: true })), [
      ['advice', 'rule', 'ruleMissing'],
    ]);
    const own = rule({ group: 'genesis-rollout/shop/checkout' });
    assert.deepEqual(
      besides(await report({ ...healthy, rules: told([own]) }, { makesRules: true })),
      [],
    );
  });

  test('another rule of the same name, whose labels are not asked for', async () => {
    const recording = { type: 'recording', name: 'shop:errors:rate5m' } as const;
    const other = { ...recording, labels: { team: 'b' }, health: 'err', lastError: 'no' } as const;
    const rules = told([rule(other), rule({ ...recording, labels: { team: 'a' } })]);
    const world = worldOf({
      but: { 'shop:errors:rate5m{team="a"}': ALWAYS_ONE },
      world: { rules },
    });
    const query = 'sum(shop:errors:rate5m{team="a"})';
    assert.deepEqual(besides(await report(world, { query })), []);
    const all = await report(world, { query: 'sum(shop:errors:rate5m)' });
    assert.deepEqual(besides(all), []);
    assert.deepEqual(besides(await report(world, { query: query.replace('"a"', '"b"') })), [
      ['broken', 'rule', 'ruleFailing'],
    ]);
  });

  test('a backend that does not say when its rules are evaluated', async () => {
    const rules = told([rule({ intervalMs: 0, lastEvaluationAtMs: undefined })]);
    const found = await report({ ...healthy, rules }, { alertRules: ['CheckoutErrors'] });
    assert.deepEqual(besides(found), []);
  });

  test('a rule that may raise an alert that is counted, as long as another can', async () => {
    const rules = told([rule(), rule({ name: 'Other', health: 'err', lastError: 'no' })]);
    const query = 'count(ALERTS{alertstate="firing",severity="critical"}) or vector(0)';
    assert.deepEqual(besides(await report({ ...healthy, rules }, { query })), [
      ['advice', 'rule', 'ruleFailing'],
    ]);
  });

  test('scrapes that failed before a target first answered', async () => {
    const young = worldOf({ but: { 'up{job="shop",instance="b:80"}': '_x250 0x10 1x39' } });
    assert.deepEqual(besides(await report(young, { query: QUEUE })), []);
  });
});

describe('one answer for several', () => {
  test('what two rely on is asked once and said once', async () => {
    const run = runSpec({
      analysis: { metrics: [{ name: 'queue', query: QUEUE }] },
      triggers: [
        { name: 'a', severity: 'Info', metric: 'queue', condition: '> 5', for: '5m' },
        { name: 'b', severity: 'Critical', query: QUEUE, condition: '> 50', for: '5m' },
      ],
      success: { criteria: [{ name: 'c', metric: 'queue', condition: '< 5' }] },
    });
    const { systems } = monitoringSystems(worldOf({ but: { [NEW]: undefined } }));
    const found = await checkChain(systems, { run, generation: 1, weight: 50, atMs: T0 }, never);
    const value = found.findings.filter(({ link }) => link === 'value');
    assert.deepEqual(
      value.map(({ of, verdict }) => [of, verdict]),
      [['trigger a, trigger b, criterion c', 'fine']],
    );
  });

  test('nothing is asked of a Prometheus that does not answer', async () => {
    const failure = { type: 'error', fault: 'timeout', message: 'no answer' } as const;
    const { systems, asked } = monitoringSystems({ ...healthy, failure });
    const way = { alertRules: ['A'], targets: ['shop'] };
    const found = await checkChain(systems, checkOf(way), never);
    assert.deepEqual(asked, ['vector(1)']);
    assert.deepEqual(found.health.prometheus, { state: 'Down', message: 'no answer' });
  });

  test('a Prometheus on which nothing relies is asked nothing, and holds nothing up', async () => {
    const failure = { type: 'error', fault: 'refused', message: 'no url is set' } as const;
    const { systems, asked } = monitoringSystems({ ...healthy, failure });
    const run = runSpec({ analysis: {}, triggers: [] });
    const { findings, health } = await checkChain(systems, { ...checkOf({}), run }, never);
    assert.deepEqual(findings, []);
    assert.deepEqual(health.prometheus, { state: 'NotConfigured' });
    assert.deepEqual(asked, []);
  });

  test('an aborted check ends with the reason', async () => {
    const gone = AbortSignal.abort(new Error('stopping'));
    const { systems } = monitoringSystems(healthy);
    await assert.rejects(checkChain(systems, checkOf({}), gone), /stopping/);
  });
});
