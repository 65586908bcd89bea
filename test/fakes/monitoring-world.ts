/**
 * Monitoring systems out of a small world of series, targets, rules, receivers and panels: PromQL is really evaluated, so that
 * a check finds out for itself what is broken.
 */
import assert from 'node:assert/strict';
import type { FailedAnswer } from '#core/answer.ts';
import type {
  AlertReceiver,
  AlertRouter,
  Dashboard,
  DashboardServer,
  LoadedRule,
  MetricBackend,
  MonitoringSystems,
  ScrapeTarget,
  Told,
} from '#ports/monitoring-systems.ts';
import { checkPromql } from '#promql/check.ts';
import { parsePromql } from '#promql/parse.ts';
import { EvaluationFault } from '#simulate/promql/columns.ts';
import { scenarioPromql } from '#simulate/promql/scenario-promql.ts';
import { selects } from '#simulate/promql/storage.ts';
import { T0 } from '#test/builders.ts';

/** A sample every 15 seconds, for an hour and a quarter up to T0. */
export const SCRAPE_MS = 15_000;
const SAMPLES = 300;
const BEGIN_MS = T0 - SAMPLES * SCRAPE_MS;

/** `+1x300`: up to now. Others end earlier. */
export const RISING = '0+15x300';
export const ALWAYS_ONE = '1x300';

export interface MonitoringWorld {
  /** In promtool's notation, by series. */
  readonly series: Readonly<Record<string, string>>;
  readonly targets: Told<readonly ScrapeTarget[]>;
  readonly rules: Told<readonly LoadedRule[]>;
  readonly alertmanagers: Told<readonly string[]>;
  /** Names of metrics that were there in the last 14 days, besides those of `series`. */
  readonly formerly: Readonly<Record<string, { readonly jobs: readonly string[] }>>;
  /** What every query is answered with. */
  readonly failure: FailedAnswer | undefined;
  readonly routerHealth: Told<string>;
  readonly receivers: Told<readonly AlertReceiver[]>;
  readonly grafana:
    | {
        readonly health: Told<string>;
        readonly dashboards: Readonly<Record<string, Dashboard>>;
        /** By the title of the panel. */
        readonly newestAtMs: Readonly<Record<string, Told<number | undefined>>>;
      }
    | undefined;
}

export function told<T>(value: T): Told<T> {
  return { type: 'told', value };
}

export function target(overrides: Partial<ScrapeTarget> = {}): ScrapeTarget {
  const instance = overrides.instance ?? 'a:80';
  return {
    job: 'shop',
    instance,
    scrapeUrl: `http://${instance}/metrics`,
    health: 'up',
    lastError: '',
    lastScrapeAtMs: T0 - 5_000,
    scrapeIntervalMs: SCRAPE_MS,
    ...overrides,
  };
}

export function rule(overrides: Partial<LoadedRule> = {}): LoadedRule {
  return {
    type: 'alerting',
    name: 'CheckoutErrors',
    group: 'checkout',
    file: '/etc/rules/checkout.yaml',
    health: 'ok',
    lastError: '',
    lastEvaluationAtMs: T0 - 10_000,
    intervalMs: 15_000,
    labels: { severity: 'critical' },
    query: 'vector(1)',
    ...overrides,
  };
}

export interface FakeSystems {
  readonly systems: MonitoringSystems;
  /** Every question that reached Prometheus. */
  readonly asked: readonly string[];
}

export function monitoringSystems(world: MonitoringWorld): FakeSystems {
  const asked: string[] = [];
  const router: AlertRouter = {
    url: 'http://alertmanager:9093',
    health: () => Promise.resolve(world.routerHealth),
    receiversOf: () => Promise.resolve(world.receivers),
    post: () => Promise.resolve(told(undefined)),
    known: () => Promise.resolve(told(undefined)),
  };
  return {
    asked,
    systems: {
      metrics: metricBackend(world, asked),
      alertRouters: [],
      alertRouterAt: (url) => (url.startsWith('http://alertmanager') ? router : undefined),
      dashboards: world.grafana && dashboardServer(world.grafana),
    },
  };
}

function metricBackend(world: MonitoringWorld, asked: string[]): MetricBackend {
  const made = scenarioPromql(
    Object.entries(world.series).map(([series, values]) => ({ series, values })),
    { beginMs: BEGIN_MS, intervalMs: SCRAPE_MS, stepMs: SCRAPE_MS, endMs: T0 },
  );
  assert.ok(made.type === 'ok', made.type === 'invalid' ? made.problems.join('; ') : '');
  const note = <T>(what: string, answer: T): Promise<T> => {
    asked.push(what);
    return Promise.resolve(answer);
  };
  return {
    url: 'http://prometheus:9090',
    targets: () => note('targets', world.targets),
    rules: () => note('rules', world.rules),
    alertmanagers: () => note('alertmanagers', world.alertmanagers),
    labelValues: (label, selectors) =>
      note(`values ${label}`, told(valuesOf(world, label, selectors))),
    instant(query, atMs) {
      if (world.failure !== undefined) return note(query, world.failure);
      try {
        const found = made.promql.range(query, atMs, atMs, 1);
        const samples = found.flatMap(({ labels, points }) =>
          points.map(({ value }) => ({ labels, value, atMs })),
        );
        return note(query, { type: 'samples', samples, skewMs: 0 });
      } catch (error) {
        if (!(error instanceof EvaluationFault)) throw error;
        return note(query, { type: 'error', fault: 'badQuery', message: error.message });
      }
    },
  };
}

function valuesOf(
  { series, formerly }: MonitoringWorld,
  label: string,
  selectors: readonly string[],
): readonly string[] {
  const wanted = selectors.flatMap((text) => {
    const check = checkPromql(text);
    return check.type === 'ok' ? check.selectors : [];
  });
  const now = Object.keys(series).flatMap((text) => {
    const expr = parsePromql(text);
    if (expr.type !== 'selector' || expr.metric === undefined) return [];
    const labels = new Map([
      ['__name__', expr.metric],
      ...expr.matchers.map((one): [string, string] => [one.label, one.value]),
    ]);
    const isWanted =
      wanted.length === 0 ||
      wanted.some(({ metric, matchers }) => selects(labels, metric, matchers));
    return isWanted ? (labels.get(label) ?? []) : [];
  });
  const then = Object.entries(formerly)
    .filter(([name]) => wanted.length === 0 || wanted.some(({ metric }) => metric === name))
    .flatMap(([name, { jobs }]) => (label === '__name__' ? [name] : label === 'job' ? jobs : []));
  return [...new Set([...now, ...then])];
}

function dashboardServer(grafana: NonNullable<MonitoringWorld['grafana']>): DashboardServer {
  return {
    url: 'http://grafana:3000',
    health: () => Promise.resolve(grafana.health),
    dashboard: (uid) => Promise.resolve(told(grafana.dashboards[uid])),
    panelData: ({ title }) => {
      const newest = grafana.newestAtMs[title];
      return Promise.resolve(
        newest?.type === 'told'
          ? told({ newestAtMs: newest.value })
          : (newest ?? told({ newestAtMs: undefined })),
      );
    },
  };
}
