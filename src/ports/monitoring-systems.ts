/**
 * What monitoring systems say of themselves: the links between a metric and a person. Nothing here throws but on an
 * aborted signal: what cannot be had is a value that says why.
 */
import type { InstantAnswer } from '#core/answer.ts';

/** `cannotTell`: the backend has no such API, which is neither good nor bad. `failed`: it did not answer as it should. */
export type Told<T> =
  | { readonly type: 'told'; readonly value: T }
  | { readonly type: 'cannotTell'; readonly message: string }
  | { readonly type: 'failed'; readonly message: string };

/** One place that Prometheus scrapes. */
export interface ScrapeTarget {
  /** The labels job and instance after relabelling, as its series carry them. */
  readonly job: string;
  readonly instance: string;
  readonly scrapeUrl: string;
  /** `unknown`: not scraped yet. */
  readonly health: 'up' | 'down' | 'unknown';
  /** Prometheus' own words on its last scrape; empty when that was good. */
  readonly lastError: string;
  /** ms since the epoch; undefined when it was not scraped yet. */
  readonly lastScrapeAtMs: number | undefined;
  /** Undefined where the backend does not say. */
  readonly scrapeIntervalMs: number | undefined;
}

export interface LoadedRule {
  readonly type: 'alerting' | 'recording';
  /** The alert's name, or the metric that is recorded. */
  readonly name: string;
  readonly group: string;
  readonly file: string;
  readonly health: 'ok' | 'err' | 'unknown';
  readonly lastError: string;
  readonly lastEvaluationAtMs: number | undefined;
  /** How often its group is evaluated. */
  readonly intervalMs: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly query: string;
}

/** One Prometheus, or what speaks its API. */
export interface MetricBackend {
  /** For messages. */
  readonly url: string;
  instant(query: string, atMs: number, signal: AbortSignal): Promise<InstantAnswer>;
  /** The active ones. */
  targets(signal: AbortSignal): Promise<Told<readonly ScrapeTarget[]>>;
  rules(signal: AbortSignal): Promise<Told<readonly LoadedRule[]>>;
  /** Base URLs of the Alertmanagers to which it sends now. */
  alertmanagers(signal: AbortSignal): Promise<Told<readonly string[]>>;
  /**
   * Values of one label (`__name__` for names of metrics) over series that match any of the selectors; none: over all.
   * Only series with samples in the window count.
   */
  labelValues(
    label: string,
    selectors: readonly string[],
    window: { readonly startMs: number; readonly endMs: number },
    signal: AbortSignal,
  ): Promise<Told<readonly string[]>>;
}

/** Where an alert with certain labels goes. */
export interface AlertReceiver {
  readonly name: string;
  /** It has at least one integration: without one it tells nobody. */
  readonly reachesSomebody: boolean;
}

export interface FiredAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAtMs: number;
  /** Undefined while it fires. */
  readonly endsAtMs: number | undefined;
}

/** One Alertmanager. */
export interface AlertRouter {
  readonly url: string;
  /** Its readiness: `told` when it answers as Alertmanager does; the value is its version. */
  health(signal: AbortSignal): Promise<Told<string>>;
  /** Through its tree of routes as it is loaded now; several where a route says continue. */
  receiversOf(
    labels: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Told<readonly AlertReceiver[]>>;
  post(alert: FiredAlert, signal: AbortSignal): Promise<Told<undefined>>;
  /** Receivers that Alertmanager names for the alert with exactly these labels; undefined while it does not know it. */
  known(
    labels: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Told<readonly string[] | undefined>>;
}

export interface DashboardPanel {
  readonly id: number;
  readonly title: string;
  /** One for each query that is not hidden; rows and texts have none and are left out. */
  readonly queries: readonly DashboardQuery[];
  /** Hidden queries, where expressions among those above are calculated from them. */
  readonly inputs?: readonly DashboardQuery[];
}

export interface DashboardQuery {
  readonly refId: string;
  /** The query as the query API takes it, the dashboard's variables filled in. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly DashboardPanel[];
}

export interface PanelData {
  /**
   * Time of the newest value of any of its queries that is a number; undefined: there is none. A point of a range counts as
   * new until the next one is due.
   */
  readonly newestAtMs: number | undefined;
}

/** One Grafana. */
export interface DashboardServer {
  readonly url: string;
  health(signal: AbortSignal): Promise<Told<string>>;
  /** `told` undefined: it has no dashboard with this uid. */
  dashboard(uid: string, signal: AbortSignal): Promise<Told<Dashboard | undefined>>;
  /** What the panel shows for the time up to `atMs`; `failed` carries Grafana's error of the query. */
  panelData(
    panel: DashboardPanel,
    window: { readonly startMs: number; readonly endMs: number },
    signal: AbortSignal,
  ): Promise<Told<PanelData>>;
}

/** What a rollout relies on; undefined: none is configured. */
export interface MonitoringSystems {
  readonly metrics: MetricBackend;
  /** Those of the operator's configuration; empty: those to which Prometheus sends are asked, found with `alertRouterAt`. */
  readonly alertRouters: readonly AlertRouter[];
  /** A reader for an Alertmanager that Prometheus has named; undefined when its address may not be asked. */
  readonly alertRouterAt: (url: string) => AlertRouter | undefined;
  readonly dashboards: DashboardServer | undefined;
}
