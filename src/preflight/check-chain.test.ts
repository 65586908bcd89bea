/** Each link of the chain broken in turn in a small world: exactly that link is named, with its cause and what to do. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ChainFinding, ChainReport } from '#core/chain.ts';
import { runSpec, T0 } from '#test/builders.ts';
import {
  ALWAYS_ONE,
  type MonitoringWorld,
  monitoringSystems,
  RISING,
  rule,
  target,
  told,
} from '#test/fakes/monitoring-world.ts';
import { type ChainCheck, checkChain } from './check-chain.ts';

const OLD = 'http_requests_total{service="old",code="200",job="shop",instance="a:80"}';
const NEW = 'http_requests_total{service="new",code="200",job="shop",instance="b:80"}';
const FAILED = 'http_requests_total{service="old",code="500",job="shop",instance="a:80"}';

const healthy: MonitoringWorld = {
  series: {
    [OLD]: RISING,
    [NEW]: RISING,
    [FAILED]: RISING,
    'queue_length{service="new",job="shop",instance="b:80"}': ALWAYS_ONE,
    'queue_length{service="old",job="shop",instance="a:80"}': ALWAYS_ONE,
    'up{job="shop",instance="a:80"}': ALWAYS_ONE,
    'up{job="shop",instance="b:80"}': ALWAYS_ONE,
  },
  targets: told([target(), target({ instance: 'b:80' })]),
  rules: told([rule()]),
  alertmanagers: told(['http://alertmanager:9093']),
  formerly: {},
  failure: undefined,
  routerHealth: told('0.28'),
  receivers: told([{ name: 'people', reachesSomebody: true }]),
  grafana: {
    health: told('12.0'),
    dashboards: {
      shop: {
        uid: 'shop',
        title: 'Shop',
        panels: [
          { id: 1, title: 'Errors', queries: [{ refId: 'A', body: { expr: 'sum(errors)' } }] },
          {
            id: 2,
            title: 'Canary',
            queries: [{ refId: 'A', body: { expr: 'rate(x{service="new"}[1m])' } }],
          },
        ],
      },
    },
    newestAtMs: { Errors: told(T0 - 15_000), Canary: told(T0 - 15_000) },
  },
};

const RATE = (extra = '') => `sum(rate(http_requests_total{service="$(arm.service)"${extra}}[5m]))`;
const QUEUE = 'sum(queue_length{service="$(arm.service)"})';

interface Way {
  readonly bad?: string;
  readonly total?: string;
  readonly query?: string;
  readonly weight?: number;
  readonly severity?: 'Critical' | 'Info';
  readonly series?: Readonly<Record<string, string>>;
  readonly alertRules?: readonly string[];
  readonly dashboards?: readonly string[];
  readonly targets?: readonly string[];
  readonly makesRules?: boolean;
}

function checkOf(way: Way): ChainCheck {
  const { query, severity = 'Critical', series, weight = 50, makesRules = false } = way;
  const ratio = { bad: way.bad ?? RATE(',code=~"5.."'), total: way.total ?? RATE() };
  const metric = { ...(query === undefined ? { ratio } : { query }), ...(series && { series }) };
  const run = runSpec({
    analysis: { metrics: [{ name: 'watched', ...metric }] },
    triggers: [{ name: 'watch', severity, metric: 'watched', condition: '> 0.5', for: '5m' }],
    preflight: {
      alertRules: [...(way.alertRules ?? [])],
      dashboards: (way.dashboards ?? []).map((uid) => ({ uid })),
      targets: (way.targets ?? []).map((job) => ({ job })),
    },
  });
  return { run, generation: 3, weight, atMs: T0, makesRules };
}

const never = new AbortController().signal;

async function report(world: MonitoringWorld, way: Way): Promise<ChainReport> {
  return await checkChain(monitoringSystems(world).systems, checkOf(way), never);
}

const wrong = ({ findings }: ChainReport) =>
  findings.filter(({ verdict }) => verdict === 'broken' || verdict === 'advice');

interface Row {
  readonly name: string;
  readonly world?: Partial<MonitoringWorld>;
  /** Series that differ; undefined: it is not there. */
  readonly but?: Readonly<Record<string, string | undefined>>;
  readonly way?: Way;
  readonly link: ChainFinding['link'];
  readonly cause: ChainFinding['cause'];
  readonly says: RegExp;
  readonly mend?: RegExp;
}

function worldOf({ world = {}, but = {} }: Pick<Row, 'world' | 'but'>): MonitoringWorld {
  const series = Object.entries({ ...healthy.series, ...but }).flatMap(([key, values]) =>
    values === undefined ? [] : [[key, values] as const],
  );
  return { ...healthy, ...world, series: Object.fromEntries(series) };
}

const rows: readonly Row[] = [
  {
    name: 'Prometheus does not answer',
    world: { failure: { type: 'error', fault: 'unreachable', message: 'connection refused' } },
    link: 'prometheus',
    cause: 'unreachable',
    says: /prometheus:9090.*connection refused/,
  },
  {
    name: 'the name of the metric is mistyped',
    way: { query: 'sum(queue_lenght{service="$(arm.service)"})' },
    link: 'metric',
    cause: 'neverExisted',
    says: /queue_lenght has never existed/,
    mend: /queue_length/,
  },
  {
    name: 'the metric of failures is mistyped, and a healthy service would have none',
    way: { bad: 'sum(rate(http_request_total{service="$(arm.service)",code=~"5.."}[5m]))' },
    link: 'metric',
    cause: 'neverExisted',
    says: /http_request_total/,
    mend: /http_requests_total/,
  },
  {
    name: 'the label of failures is mistyped, and a healthy service would have none',
    way: { bad: RATE(',cod=~"5.."') },
    link: 'label',
    cause: 'labelMissing',
    says: /label cod is missing/,
    mend: /Did you mean code/,
  },
  {
    name: 'failures are asked of a Service that is not there, and a healthy one would have none',
    way: {
      bad: 'sum(rate(http_requests_total{service="nwe",code=~"5.."}[5m]))',
      total: 'sum(rate(http_requests_total{service="new"}[5m]))',
    },
    link: 'label',
    cause: 'valueMissing',
    says: /service="nwe"/,
  },
  {
    name: 'the metric disappeared days ago',
    world: { formerly: { queue_size: { jobs: ['shop'] } } },
    way: { query: 'sum(queue_size)' },
    link: 'metric',
    cause: 'disappeared',
    says: /queue_size has disappeared.*shop/,
  },
  {
    name: 'the metric disappeared, and a target of the job that exported it is down',
    world: {
      formerly: { queue_size: { jobs: ['jobs'] } },
      targets: told([
        target(),
        target({ instance: 'b:80' }),
        target({ job: 'jobs', instance: 'c:80', health: 'down', lastError: 'connection refused' }),
      ]),
    },
    way: { query: 'sum(queue_size)' },
    link: 'target',
    cause: 'targetDown',
    says: /c:80 of job jobs.*queue_size.*connection refused/,
    mend: /Nothing listens/,
  },
  {
    name: 'the metric disappeared ten minutes ago, its target being up',
    but: { 'gone{job="shop",instance="a:80"}': '1x260 stale' },
    way: { query: 'sum(gone)' },
    link: 'metric',
    cause: 'disappeared',
    says: /gone has disappeared: last seen at 11:50:00/,
  },
  {
    name: 'its target went down ten minutes ago',
    but: {
      'gone{job="shop",instance="b:80"}': '1x260 stale',
      'up{job="shop",instance="b:80"}': '1x260 0x38',
    },
    world: {
      targets: told([
        target(),
        target({ instance: 'b:80', health: 'down', lastError: 'connect: connection refused' }),
      ]),
    },
    way: { query: 'sum(gone)' },
    link: 'target',
    cause: 'targetDown',
    says: /b:80 of job shop.*is down.*gone.*connection refused/,
  },
  {
    name: 'an exporter without content type that was never scraped',
    world: {
      targets: told([
        target(),
        target({ instance: 'b:80' }),
        target({
          job: 'jobs',
          instance: 'c:80',
          health: 'down',
          lastError:
            'non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target',
        }),
      ]),
    },
    but: { 'up{job="jobs",instance="c:80"}': '0x300' },
    way: { query: 'sum(batches_done)' },
    link: 'target',
    cause: 'noContentType',
    says: /c:80 of job jobs.*Content-Type.*batches_done has never been seen/,
    mend: /fallback_scrape_protocol/,
  },
  {
    name: 'a label that no series has',
    way: { query: 'sum(queue_length{svc="$(arm.service)"})' },
    link: 'label',
    cause: 'labelMissing',
    says: /label svc is missing.*service/,
  },
  {
    name: 'a value that no series has',
    way: { query: 'sum(queue_length{service="ne"})' },
    link: 'label',
    cause: 'valueMissing',
    says: /service="ne"; service is "new", "old"/,
    mend: /Did you mean "new"/,
  },
  {
    name: 'values that do not come together',
    way: { query: 'sum(http_requests_total{service="new",code="500"})' },
    link: 'label',
    cause: 'valueMissing',
    says: /together; with the others, code is "200"/,
    mend: /ratio/,
  },
  {
    name: 'old samples',
    but: { 'queue_length{service="new",job="shop",instance="b:80"}': '1x290' },
    way: { query: QUEUE },
    link: 'sample',
    cause: 'stale',
    says: /from b:80 is 2m30s old/,
    mend: /honor_timestamps/,
  },
  {
    name: 'samples so old that Prometheus shows them no more',
    but: { 'queue_length{service="new",job="shop",instance="b:80"}': '1x270' },
    way: { query: QUEUE },
    link: 'sample',
    cause: 'stale',
    says: /is 7m30s old/,
  },
  {
    name: 'scrapes that failed in the last hour',
    but: { 'up{job="shop",instance="b:80"}': '1x200 0x2 1x97' },
    way: { query: QUEUE },
    link: 'scrape',
    cause: 'scrapesMissed',
    says: /3 scrapes of 240 .*b:80 of job shop/,
  },
  {
    name: 'NaN',
    way: { query: `${RATE(',code="none"')} or vector(NaN)` },
    link: 'value',
    cause: 'notFinite',
    says: /NaN/,
  },
  {
    name: 'infinity',
    way: { query: `${QUEUE} / 0` },
    link: 'value',
    cause: 'notFinite',
    says: /\+Inf/,
  },
  {
    name: 'several series',
    way: { query: 'queue_length{job="shop"}' },
    link: 'value',
    cause: 'severalSeries',
    says: /2 series.*service, instance/,
    mend: /series: \{service:/,
  },
  {
    name: '`series` names what is not there',
    way: { query: 'sum by (service) (queue_length)', series: { service: 'newer' } },
    link: 'label',
    cause: 'valueMissing',
    says: /service="newer".*service is/,
  },
  {
    name: 'a comparison that filters everything out',
    way: { query: `${QUEUE} > 5` },
    link: 'value',
    cause: 'queryFails',
    says: /comparison/,
  },
  {
    name: 'no traffic though some is expected',
    but: { [NEW]: '7x300' },
    link: 'value',
    cause: 'noTrafficYet',
    says: /no traffic/,
  },
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
    name: 'recording rules that read each other, and neither has anything',
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
];

function grafanaWith(
  newestAtMs: NonNullable<MonitoringWorld['grafana']>['newestAtMs'],
): Partial<MonitoringWorld> {
  assert.ok(healthy.grafana);
  return { grafana: { ...healthy.grafana, newestAtMs } };
}

describe('a broken link is named, and nothing else:', () => {
  for (const { name, way = {}, link, cause, says, mend = /\.$/, ...change } of rows) {
    test(name, async () => {
      const findings = wrong(await report(worldOf(change), way));
      assert.deepEqual(
        findings.map((one) => [one.verdict, one.link, one.cause]),
        [['broken', link, cause]],
        JSON.stringify(findings, undefined, 1),
      );
      const [finding] = findings;
      assert.match(finding?.message ?? '', says);
      assert.match(finding?.mend ?? '', mend);
    });
  }
});

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

/** What is found besides what is fine. */
const besides = ({ findings }: ChainReport) =>
  findings
    .filter(({ verdict }) => verdict !== 'fine')
    .map(({ verdict, link, cause }) => [verdict, link, cause ?? '']);

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
