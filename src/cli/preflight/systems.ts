/** Where Prometheus, Alertmanager and Grafana are, for whoever asks from here, and readers of what they say. */
import { BadInput, Failure, type Terminal } from '#cli/command.ts';
import { printable } from '#cli/fields.ts';
import type { ChainFinding, ChainReport, SystemName } from '#core/chain.ts';
import type { KubectlClient } from '#kube/kubectl-client.ts';
import { secretReader } from '#kube/secrets.ts';
import type { Clock } from '#ports/clock.ts';
import type { AlertRouter, MonitoringSystems } from '#ports/monitoring-systems.ts';
import type { ServerEndpoint } from '#ports/server-endpoint.ts';
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

/** Readers of what systems say, at URLs that this machine reaches. */
export interface Readers {
  systemsOf(prometheus: {
    readonly type: 'ok';
    readonly endpoint: ServerEndpoint;
  }): MonitoringSystems;
  close(): Promise<void>;
}

export interface SystemsOptions {
  readonly subject: Subject;
  readonly places: Places;
  readonly reach: Reach;
  readonly openReaders: (clock: Clock, grafana: ServerEndpoint | undefined) => Readers;
  readonly client: () => Promise<KubectlClient>;
  readonly terminal: Pick<Terminal, 'clock' | 'interrupted'>;
}

export interface OpenSystems {
  readonly systems: MonitoringSystems;
  /** For the page: the URL as people know it, and the way to it. */
  readonly shown: Readonly<Partial<Record<SystemName, string>>>;
  /** What Prometheus names and cannot be asked from here, as sentences. */
  readonly unreached: readonly string[];
  readonly close: () => Promise<void>;
}

type NamedWay = Exclude<Way, { type: 'none' }>;

/** Throws a Failure where nothing says where Prometheus is, or where the caller may not ask what was named. */
export async function openSystems(options: SystemsOptions): Promise<OpenSystems> {
  const { places, reach, openReaders, terminal } = options;
  const url = prometheusUrl(options);
  const endpoint = await endpointOf(options, url);
  const way = await reach.toNamed(url);
  const { grafana } = places;
  const grafanaWay = grafana === undefined ? undefined : await reach.toNamed(grafana);
  const readers = openReaders(
    terminal.clock,
    grafanaWay && { url: grafanaWay.url, headers: grafanaHeaders(places), tls: {} },
  );
  try {
    const systems = readers.systemsOf({ type: 'ok', endpoint: { ...endpoint, url: way.url } });
    const signal = terminal.interrupted;
    await systems.metrics.instant('vector(1)', terminal.clock.now(), signal);
    mustLead(url, way);
    await systems.dashboards?.health(signal);
    if (grafana !== undefined && grafanaWay !== undefined) mustLead(grafana, grafanaWay);
    const routers = await alertRouters(options, systems);
    return {
      systems: { ...systems, ...routers },
      unreached: routers.unreached,
      shown: {
        prometheus: shownAs(url, way),
        ...(places.alertmanagers.length > 0 && { alertmanager: places.alertmanagers.join(', ') }),
        ...(grafana !== undefined && grafanaWay && { grafana: shownAs(grafana, grafanaWay) }),
      },
      close: () => readers.close(),
    };
  } catch (error) {
    await readers.close();
    throw error;
  }
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
): Promise<ServerEndpoint> {
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

function grafanaHeaders({ grafanaToken }: Places): Record<string, string> {
  return grafanaToken === undefined ? {} : { authorization: `Bearer ${grafanaToken}` };
}

/** Without an API server, or the right to go through it, nothing can be asked at all: that is no broken link. */
function mustLead(url: string, way: NamedWay): void {
  const refusal = way.type === 'proxied' ? way.refusal() : undefined;
  if (refusal?.status === 0) {
    throw new Failure('failed', [`${url}: ${printable(refusal.message)}`]);
  }
  const problem = rightsProblem(way);
  if (problem !== undefined) throw new Failure('refused', [`${url}: ${problem[0]}`, problem[1]]);
}

/** What the API server said, and what would help; undefined when it led there, or failed to for another reason. */
function rightsProblem(way: Way): readonly [said: string, help: string] | undefined {
  const refusal = way.type === 'proxied' ? way.refusal() : undefined;
  if (way.type !== 'proxied' || (refusal?.status !== 401 && refusal?.status !== 403)) {
    return undefined;
  }
  const { plural, name, namespace, port } = way.to;
  const kind = plural === 'services' ? 'svc' : 'pod';
  return [
    printable(refusal.message),
    `it is asked through the API server, which takes the verbs get and create on ${plural}/proxy in namespace ${namespace}; or run \`kubectl port-forward -n ${namespace} ${kind}/${name} ${port}\`, and name the URL that it opens by a flag`,
  ];
}

function shownAs(url: string, way: NamedWay): string {
  return way.type === 'straight' ? url : `${url} (through the API server)`;
}

interface AlertRouters extends Pick<MonitoringSystems, 'alertRouters' | 'alertRouterAt'> {
  readonly unreached: readonly string[];
}

/** Those of the flags; else those that Prometheus names, as far as they can be asked from here. */
async function alertRouters(
  { places, reach, terminal }: SystemsOptions,
  { metrics, alertRouterAt }: MonitoringSystems,
): Promise<AlertRouters> {
  const signal = terminal.interrupted;
  const named = await Promise.all(
    places.alertmanagers.map(async (url) => {
      const way = await reach.toNamed(url);
      const router = alertRouterAt(way.url);
      if (router === undefined) throw new BadInput([`--alertmanager ${url} may not be asked`]);
      await router.health(signal);
      mustLead(url, way);
      return router;
    }),
  );
  if (named.length > 0) {
    return { alertRouters: named, alertRouterAt: () => undefined, unreached: [] };
  }
  const told = await metrics.alertmanagers(signal);
  const found = new Map<string, AlertRouter>();
  const unreached: string[] = [];
  for (const url of told.type === 'told' ? told.value : []) {
    const way = await reach.toFound(url);
    const router = way.type === 'none' ? undefined : alertRouterAt(way.url);
    await router?.health(signal);
    const problem = way.type === 'none' ? [way.message] : rightsProblem(way);
    if (router === undefined || problem !== undefined) {
      unreached.push(problem?.join('; ') ?? `${url}, which Prometheus names, may not be asked`);
    } else found.set(url, router);
  }
  return { alertRouters: [], alertRouterAt: (url) => found.get(url), unreached };
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
