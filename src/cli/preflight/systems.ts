/** Where Prometheus, Alertmanager and Grafana are, for whoever asks from here, and readers of what they say. */
import { Failure, type Terminal } from '#cli/command.ts';
import { printable } from '#cli/fields.ts';
import type { ChainFinding, ChainReport, SystemName } from '#core/chain.ts';
import type { KubectlClient } from '#kube/kubectl-client.ts';
import { secretReader } from '#kube/secrets.ts';
import type { MetricEndpoint } from '#ports/metric-source.ts';
import type {
  AlertRouter,
  DashboardServer,
  MetricBackend,
  MonitoringSystems,
  Told,
} from '#ports/monitoring-systems.ts';
import { resolveEndpoint } from '#prometheus/endpoint.ts';
import type { Reach, Way } from './reach.ts';
import type { Subject } from './subject.ts';

/** What the flags say. */
export interface Places {
  readonly prometheus: string | undefined;
  readonly alertmanagers: readonly string[];
  readonly grafana: string | undefined;
  /** Sent with every question to Prometheus. */
  readonly headers: Readonly<Record<string, string>>;
  readonly grafanaToken: string | undefined;
}

/** Readers of one system each, at a URL that this machine reaches. */
export interface Readers {
  readonly metrics: (endpoint: MetricEndpoint) => MetricBackend;
  readonly alertRouter: (url: string) => AlertRouter;
  readonly dashboards: (url: string, token: string | undefined) => DashboardServer;
  readonly close: () => Promise<void>;
}

export interface SystemsOptions {
  readonly subject: Subject;
  readonly places: Places;
  readonly reach: Reach;
  readonly readers: Readers;
  readonly client: () => Promise<KubectlClient>;
  readonly terminal: Pick<Terminal, 'clock' | 'interrupted'>;
}

export interface OpenSystems {
  readonly systems: MonitoringSystems;
  /** For the page: the URL as people know it, and the way to it. */
  readonly shown: Readonly<Partial<Record<SystemName, string>>>;
}

type NamedWay = Exclude<Way, { type: 'none' }>;

/** Throws a Failure where nothing says where Prometheus is, or where the caller may not ask it. */
export async function openSystems(options: SystemsOptions): Promise<OpenSystems> {
  const { places, reach, readers } = options;
  const url = prometheusUrl(options);
  const way = await reach.toNamed(url);
  const metrics = readers.metrics({ ...(await endpointOf(options, url)), url: way.url });
  await checkRights(options, { url, way, metrics });
  const named = await Promise.all(
    places.alertmanagers.map(async (one) => {
      const to = await reach.toNamed(one);
      return rightful(readers.alertRouter(to.url), to);
    }),
  );
  const { grafana } = places;
  const grafanaWay = grafana === undefined ? undefined : await reach.toNamed(grafana);
  return {
    systems: {
      metrics,
      alertRouters: named,
      alertRouterAt: (found) => foundRouter(found, reach, readers),
      dashboards:
        grafanaWay && rightful(readers.dashboards(grafanaWay.url, places.grafanaToken), grafanaWay),
    },
    shown: {
      prometheus: shownAs(url, way),
      ...(places.alertmanagers.length === 0
        ? {}
        : { alertmanager: places.alertmanagers.join(', ') }),
      ...(grafana === undefined || grafanaWay === undefined
        ? {}
        : { grafana: shownAs(grafana, grafanaWay) }),
    },
  };
}

function prometheusUrl({ places, subject }: SystemsOptions): string {
  const url = places.prometheus ?? subject.spec.analysis.prometheus?.url;
  if (url !== undefined) return url;
  throw new Failure('badInput', [
    'nothing says where Prometheus is: the rollout names none in spec.analysis.prometheus.url, so that the operator asks its own; pass --prometheus URL',
    'a Service of the cluster will do, such as --prometheus http://prometheus-operated.monitoring.svc:9090: it is asked through the API server',
  ]);
}

/** Credentials are those of the spec, whichever way leads to the server; Secrets are read with the caller's rights. */
async function endpointOf(
  { subject, places, client, terminal }: SystemsOptions,
  url: string,
): Promise<MetricEndpoint> {
  const { namespace, spec } = subject;
  const read = async (name: string) =>
    await secretReader(await client(), namespace, terminal.interrupted)(name);
  const wanted = { headers: [], ...spec.analysis.prometheus, url };
  const found = await resolveEndpoint(wanted, undefined, read);
  if (found.type === 'unresolved') throw new Failure('failed', [`spec.${found.message}`]);
  const given = Object.entries(places.headers).map(([name, value]) => [name.toLowerCase(), value]);
  const headers = { ...found.endpoint.headers, ...Object.fromEntries(given) };
  return { ...found.endpoint, headers };
}

/** Without the right to go through the API server nothing at all can be asked: that is no broken link. */
async function checkRights(
  { terminal }: SystemsOptions,
  { url, way, metrics }: { url: string; way: NamedWay; metrics: MetricBackend },
): Promise<void> {
  if (way.type === 'straight') return;
  const answer = await metrics.instant('vector(1)', terminal.clock.now(), terminal.interrupted);
  const refusal = way.refusal();
  if (answer.type !== 'error' || refusal === undefined) return;
  if (refusal.status !== 401 && refusal.status !== 403) return;
  throw new Failure('refused', [`${url}: ${printable(refusal.message)}`, rightsText(way)]);
}

function rightsText({ to }: Extract<Way, { type: 'proxied' }>): string {
  const { plural, name, namespace, port } = to;
  const kind = plural === 'services' ? 'svc' : 'pod';
  return `it is asked through the API server, which takes the verbs get and create on ${plural}/proxy in namespace ${namespace}; or run \`kubectl port-forward -n ${namespace} ${kind}/${name} ${port}\`, and name the URL that it opens by the flag`;
}

function shownAs(url: string, way: NamedWay): string {
  return way.type === 'straight' ? url : `${url} (through the API server)`;
}

/** Prometheus names addresses as they are where it stands: one that cannot be reached from here says nothing. */
function foundRouter(url: string, reach: Reach, readers: Readers): AlertRouter {
  let opening: Promise<AlertRouter | string> | undefined;
  const open = async (): Promise<AlertRouter | string> => {
    const way = await reach.toFound(url);
    return way.type === 'none' ? way.message : rightful(readers.alertRouter(way.url), way);
  };
  const ask = async <T>(question: (router: AlertRouter) => Promise<Told<T>>): Promise<Told<T>> => {
    opening ??= open();
    const router = await opening;
    if (typeof router === 'string') return { type: 'cannotTell', message: router };
    return await question(router);
  };
  return {
    url,
    health: (signal) => ask((router) => router.health(signal)),
    receiversOf: (labels, signal) => ask((router) => router.receiversOf(labels, signal)),
    post: (alert, signal) => ask((router) => router.post(alert, signal)),
    known: (labels, signal) => ask((router) => router.known(labels, signal)),
  };
}

/** What fails for want of the caller's rights on the API server is no fault of the system that is behind it. */
function rightful<T extends AlertRouter | DashboardServer>(reader: T, way: NamedWay): T;
function rightful(
  reader: AlertRouter | DashboardServer,
  way: NamedWay,
): AlertRouter | DashboardServer {
  if (way.type === 'straight') return reader;
  const checked = async <T>(asked: Promise<Told<T>>): Promise<Told<T>> => {
    const told = await asked;
    const refusal = way.refusal();
    if (told.type !== 'failed' || refusal === undefined) return told;
    if (refusal.status !== 401 && refusal.status !== 403) return told;
    return { type: 'cannotTell', message: `${refusal.message}; ${rightsText(way)}` };
  };
  const { url } = reader;
  const health = (signal: AbortSignal) => checked(reader.health(signal));
  if ('dashboard' in reader) {
    return {
      url,
      health,
      dashboard: (uid, signal) => checked(reader.dashboard(uid, signal)),
      panelData: (panel, window, signal) => checked(reader.panelData(panel, window, signal)),
    };
  }
  return {
    url,
    health,
    receiversOf: (labels, signal) => checked(reader.receiversOf(labels, signal)),
    post: (alert, signal) => checked(reader.post(alert, signal)),
    known: (labels, signal) => checked(reader.known(labels, signal)),
  };
}

/** With the URLs that people know. */
export function asPeopleKnow(report: ChainReport, reach: Reach): ChainReport {
  const original = (text: string) => reach.original(text);
  const finding = ({ message, mend, ...rest }: ChainFinding): ChainFinding => ({
    ...rest,
    of: original(rest.of),
    subject: original(rest.subject),
    message: original(message),
    ...(mend === undefined ? {} : { mend: original(mend) }),
  });
  const health = (name: SystemName) => {
    const { state, message } = report.health[name];
    return { state, ...(message === undefined ? {} : { message: original(message) }) };
  };
  return {
    ...report,
    findings: report.findings.map(finding),
    health: {
      prometheus: health('prometheus'),
      alertmanager: health('alertmanager'),
      grafana: health('grafana'),
    },
  };
}
