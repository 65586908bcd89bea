/** A small world whose metric chain is whole, and a check of it: for tests that break one link of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChainFinding, ChainReport } from '#core/chain.ts';
import { type ChainCheck, checkChain } from '#preflight/check-chain.ts';
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

export const OLD = 'http_requests_total{service="old",code="200",job="shop",instance="a:80"}';
export const NEW = 'http_requests_total{service="new",code="200",job="shop",instance="b:80"}';
export const FAILED = 'http_requests_total{service="old",code="500",job="shop",instance="a:80"}';

export const healthy: MonitoringWorld = {
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

export const RATE = (extra = '') =>
  `sum(rate(http_requests_total{service="$(arm.service)"${extra}}[5m]))`;
export const QUEUE = 'sum(queue_length{service="$(arm.service)"})';

export interface Way {
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

export function checkOf(way: Way): ChainCheck {
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

export const never = new AbortController().signal;

export async function report(world: MonitoringWorld, way: Way): Promise<ChainReport> {
  return await checkChain(monitoringSystems(world).systems, checkOf(way), never);
}

export const wrong = ({ findings }: ChainReport) =>
  findings.filter(({ verdict }) => verdict === 'broken' || verdict === 'advice');

export interface Row {
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

export function worldOf({ world = {}, but = {} }: Pick<Row, 'world' | 'but'>): MonitoringWorld {
  const series = Object.entries({ ...healthy.series, ...but }).flatMap(([key, values]) =>
    values === undefined ? [] : [[key, values] as const],
  );
  return { ...healthy, ...world, series: Object.fromEntries(series) };
}

/** What is found besides what is fine. */
export const besides = ({ findings }: ChainReport) =>
  findings
    .filter(({ verdict }) => verdict !== 'fine')
    .map(({ verdict, link, cause }) => [verdict, link, cause ?? '']);

/** One test a row: exactly that link is named, with its cause and what to do. */
export function testBroken(rows: readonly Row[]): void {
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
}

/** The healthy Grafana, with other newest values of its panels. */
export function grafanaWith(
  newestAtMs: NonNullable<MonitoringWorld['grafana']>['newestAtMs'],
): Partial<MonitoringWorld> {
  assert.ok(healthy.grafana);
  return { grafana: { ...healthy.grafana, newestAtMs } };
}
