/**
 * Every link of the metric chain, broken in turn on a real Prometheus and a real Alertmanager: exactly that link is named, and
 * a second trigger beside it stays fine.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { RolloutSpecInput } from '#api/rollout.ts';
import type { ChainFinding, ChainReport } from '#core/chain.ts';
import type { MonitoringSystems } from '#ports/monitoring-systems.ts';
import { checkChain } from '#preflight/check-chain.ts';
import { runSpec, type TriggerInput } from '#test/builders.ts';
import { type PreflightWorld, startPreflightWorld } from './preflight-world.ts';
import { pollUntil } from './testbed-polling.ts';

const WITHIN_MS = 60_000;

let world: PreflightWorld;

before(async () => {
  world = await startPreflightWorld();
  // All but the one whose exporter Prometheus refuses; two scrapes make a rate.
  const query = 'count(count_over_time(up[1h]) > 2 and up == 1) or vector(0)';
  const isUp = await pollUntil(
    async () => (await world.prometheus.query(query))[0]?.value,
    (count) => count === 5,
    WITHIN_MS,
  );
  assert.equal(isUp, 5);
  world.breakExporters();
});

after(() => world.stop());

const steady: TriggerInput = {
  name: 'steady',
  severity: 'Critical',
  ratio: {
    bad: 'sum(rate(shop_requests_total{service="$(arm.service)",code=~"5.."}[1m]))',
    total: 'sum(rate(shop_requests_total{service="$(arm.service)"}[1m]))',
  },
  condition: '> 1%',
  for: '5m',
};

interface Way {
  readonly query?: string;
  readonly preflight?: RolloutSpecInput['preflight'];
  readonly weight?: number;
}

async function check(systems: MonitoringSystems, way: Way): Promise<ChainReport> {
  const { query, preflight = {}, weight = 50 } = way;
  const watched: TriggerInput[] =
    query === undefined
      ? []
      : [{ name: 'watched', severity: 'Critical', query, condition: '> 9', for: '5m' }];
  const run = runSpec({ triggers: [steady, ...watched], preflight });
  const signal = AbortSignal.timeout(30_000);
  return await checkChain(systems, { run, generation: 1, weight, atMs: Date.now() }, signal);
}

const isFine = ({ verdict }: ChainFinding) => verdict === 'fine';
const besides = ({ findings }: ChainReport) => findings.filter((one) => !isFine(one));
const shortOf = (report: ChainReport) =>
  besides(report).map(({ verdict, link, cause }) => [verdict, link, cause ?? '']);

interface Row extends Way {
  readonly name: string;
  readonly link: ChainFinding['link'];
  readonly cause: ChainFinding['cause'];
  readonly says: RegExp;
  readonly mend?: RegExp;
}

const rows: readonly Row[] = [
  {
    name: 'a metric by a wrong name',
    query: 'sum(shop_qeue)',
    link: 'metric',
    cause: 'neverExisted',
    says: /shop_qeue has never existed/,
    mend: /shop_queue/,
  },
  {
    name: 'a wrong label',
    query: 'sum(shop_queue{svc="new"})',
    link: 'label',
    cause: 'labelMissing',
    says: /label svc is missing.*service/,
  },
  {
    name: 'a label without such a value',
    query: 'sum(shop_queue{service="newer"})',
    link: 'label',
    cause: 'valueMissing',
    says: /service is "new", "old"/,
  },
  {
    name: 'a target that is down',
    query: 'closing_gauge',
    link: 'target',
    cause: 'targetDown',
    says: /of job closing.*is down.*closing_gauge.*: .+/,
  },
  {
    name: 'an exporter without content type',
    query: 'untyped_gauge{job="untyped"}',
    link: 'target',
    cause: 'noContentType',
    says: /of job untyped .*is down: .*Content-Type.*untyped_gauge/,
    mend: /fallback_scrape_protocol/,
  },
  {
    name: 'an exporter without content type, whose job nobody names',
    query: 'untyped_gauge',
    link: 'target',
    cause: 'noContentType',
    says: /of job untyped/,
  },
  {
    name: 'a listed job whose target is refused',
    preflight: { targets: [{ job: 'untyped' }] },
    link: 'target',
    cause: 'noContentType',
    says: /of job untyped/,
  },
  {
    name: 'a metric that has disappeared',
    query: 'fading_gauge',
    link: 'metric',
    cause: 'disappeared',
    says: /fading_gauge has disappeared: last seen at \d\d:\d\d:\d\d, while its target is up/,
  },
  {
    name: 'scrapes that fail at times',
    query: 'max_over_time(flaky_gauge[1m])',
    link: 'scrape',
    cause: 'scrapesMissed',
    says: /of target 127.0.0.1:\d+ of job flaky failed/,
  },
  {
    name: 'samples with timestamps of long ago',
    query: 'late_gauge',
    link: 'sample',
    cause: 'stale',
    says: /late_gauge from 127.0.0.1:\d+ is 1m\d+s old/,
  },
  {
    name: 'NaN',
    query: 'shop_ratio{service="$(arm.service)"}',
    link: 'value',
    cause: 'notFinite',
    says: /NaN/,
  },
  {
    name: 'several series',
    query: 'shop_queue',
    link: 'value',
    cause: 'severalSeries',
    says: /2 series .*differ by service/,
  },
  {
    name: 'a recorded metric without a rule',
    query: 'sum(shop:queue:summ)',
    link: 'rule',
    cause: 'ruleMissing',
    says: /records shop:queue:summ/,
    mend: /shop:queue:sum\?/,
  },
  {
    name: 'a recorded metric whose rule fails',
    query: 'sum(shop:broken:sum)',
    link: 'rule',
    cause: 'ruleFailing',
    says: /shop:broken:sum .*fails: .*match/,
  },
  {
    name: 'an alert rule that is missing',
    preflight: { alertRules: ['ShopQeue'] },
    link: 'rule',
    cause: 'ruleMissing',
    says: /ShopQeue is missing/,
    mend: /ShopQueue/,
  },
  {
    name: 'an alert rule that fails',
    preflight: { alertRules: ['ShopBroken'] },
    link: 'rule',
    cause: 'ruleFailing',
    says: /ShopBroken .*fails: .*match/,
  },
  {
    name: 'a panel without data',
    preflight: { dashboards: [{ uid: 'gap' }] },
    link: 'panel',
    cause: 'panelEmpty',
    says: /panel "Sales" shows no data \(sum\(shop_sales\)\)/,
  },
  {
    name: 'a panel whose query fails',
    preflight: { dashboards: [{ uid: 'wrong' }] },
    link: 'panel',
    cause: 'queryFails',
    says: /panel "Queue" shows an error: .*parse error/,
  },
  {
    name: 'a panel of a canary that nobody exports',
    preflight: { dashboards: [{ uid: 'canary' }] },
    link: 'panel',
    cause: 'panelEmpty',
    says: /panel "Canary" shows no data/,
  },
  {
    name: 'a dashboard that is missing',
    preflight: { dashboards: [{ uid: 'none' }] },
    link: 'dashboard',
    cause: 'dashboardMissing',
    says: /dashboard none is missing/,
  },
];

describe('a link that is broken is named, and nothing else:', () => {
  for (const { name, link, cause, says, mend = /\.$/, ...way } of rows) {
    test(name, async () => {
      const wanted = [['broken', link, cause]];
      const report = await pollUntil(
        () => check(world.systems, way),
        // A scrape that fails is listed an instant before its series end, and the sentence says so.
        (one) =>
          JSON.stringify(shortOf(one)) === JSON.stringify(wanted) &&
          says.test(besides(one)[0]?.message ?? ''),
        WITHIN_MS,
      );
      assert.deepEqual(shortOf(report), wanted, JSON.stringify(besides(report), undefined, 1));
      const [finding] = besides(report);
      assert.match(finding?.message ?? '', says);
      assert.match(finding?.mend ?? '', mend);
      const beside = report.findings.filter(({ of }) => of === 'trigger steady');
      assert.ok(beside.length >= 6 && beside.every(isFine), JSON.stringify(beside));
    });
  }
});

describe('what is whole', () => {
  const whole: Way = {
    query: 'sum(shop:queue:sum{service="$(arm.service)"})',
    preflight: {
      alertRules: ['ShopQueue'],
      targets: [{ job: 'steady' }],
      dashboards: [{ uid: 'whole' }],
    },
  };

  const alerting: Way = { preflight: { alertRules: ['ShopQueue'] } };

  test('is fine from the metric to the receiver', async () => {
    // A panel begins at a full step of its time.
    const report = await pollUntil(
      () => check(world.systems, whole),
      (one) => besides(one).length === 0,
      WITHIN_MS,
    );
    assert.deepEqual(besides(report), []);
    const links = new Set(report.findings.map(({ link }) => link));
    for (const link of ['metric', 'label', 'target', 'scrape', 'sample', 'value'] as const) {
      assert.ok(links.has(link), link);
    }
    assert.match(
      report.findings.find(({ link }) => link === 'receiver')?.message ?? '',
      /ShopQueue is received by people/,
    );
    assert.deepEqual(report.health, {
      prometheus: { state: 'Up' },
      alertmanager: { state: 'Up' },
      grafana: { state: 'Up' },
    });
  });

  test('ends at a Grafana that does not answer as one', async () => {
    const report = await check(world.grafanaDown, whole);
    assert.deepEqual(shortOf(report), [['broken', 'grafana', 'unreachable']]);
    assert.equal(report.health.grafana.state, 'Down');
  });

  test('goes to nobody where the receiver has no integration', async () => {
    const report = await check(world.toNobody, alerting);
    assert.deepEqual(shortOf(report), [['broken', 'receiver', 'nobodyTold']]);
  });

  test('cannot be told as a whole where the backend only answers queries', async () => {
    const report = await check(world.queriesOnly, whole);
    assert.deepEqual(
      new Set(besides(report).map(({ verdict }) => verdict)),
      new Set(['cannotTell']),
      JSON.stringify(besides(report), undefined, 1),
    );
    const links = new Set(besides(report).map(({ link }) => link));
    assert.deepEqual(links, new Set(['target', 'sample', 'rule', 'grafana']));
    assert.ok(report.findings.some((one) => one.link === 'value' && isFine(one)));
  });

  test('is expected to be silent on canary at weight 0', async () => {
    const query = 'sum(shop_queue{service="$(arm.service)",version!="x"})';
    const run = runSpec({
      triggers: [{ name: 'watched', severity: 'Critical', query, condition: '> 9', for: '5m' }],
      traffic: {
        stable: { service: 'old', port: 80 },
        canary: { service: 'newest', port: 80 },
        routes: [{ kind: 'HTTPRoute', name: 'web' }],
      },
    });
    const signal = AbortSignal.timeout(30_000);
    const at = async (weight: number) =>
      shortOf(
        await checkChain(world.systems, { run, generation: 1, weight, atMs: Date.now() }, signal),
      );
    assert.deepEqual(await at(0), [['noTrafficExpected', 'label', 'noTrafficYet']]);
    assert.deepEqual(await at(5), [['broken', 'label', 'valueMissing']]);
  });
});
