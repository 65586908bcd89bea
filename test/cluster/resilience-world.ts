/**
 * The world in which the controller runs as a process: a real API server and a real Prometheus, with stand-ins for what is
 * not under test. The gateway is a stub that accepts every route; the services are counters that grow by what the routes'
 * weights say.
 */

import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import type { RolloutStatus } from '#api/status.ts';
import { systemClock } from '#runtime/clock.ts';
import { startWatch, type Watching } from '#scripts/demo/watch.ts';
import {
  type ApiClient,
  type ControlPlane,
  type ControlPlaneOptions,
  createRunFolder,
  gatewayApiCrds,
  type KubeObject,
  type Prometheus,
  startControlPlane,
  startPrometheus,
} from '#scripts/testbed/index.ts';
import { listenLocally } from '#test/local-server.ts';
import { acceptRoute, stubGateway } from '#test/stub-gateway.ts';

export const namespace = 'shop';
export const thresholdRatio = 0.005;
const requestsPerSecond = 100;
const windowSeconds = 4;
const routeApi = 'gateway.networking.k8s.io/v1';
const gateway = stubGateway(namespace);

export interface Subject {
  readonly name: string;
  readonly weights: { readonly seenAtMs: number; readonly weight: number }[];
  readonly statuses: { readonly seenAtMs: number; readonly status: RolloutStatus }[];
}

export interface ResilienceWorld {
  readonly plane: ControlPlane;
  readonly prometheus: Prometheus;
  /** A rollout with its route and its two arms; what is seen of it from then on. */
  add(name: string, schedule: object, more?: RolloutParts): Promise<Subject>;
  /** From now on this share of canary's answers fails. */
  fail(name: string, ratio: number): void;
  /** Called at once when a route changes its weight. */
  onWeight: ((name: string, weight: number) => void) | undefined;
  /** When the error rate of canary was over the threshold without interruption until `untilMs`, by Prometheus itself. */
  overThresholdSince(name: string, untilMs: number): Promise<number | undefined>;
  /** The same for any query that has samples only where something is true. */
  trueSince(query: string, untilMs: number): Promise<number | undefined>;
  stop(): Promise<void>;
}

/** What a rollout has beside its schedule, its routes and its metric. */
export interface RolloutParts {
  readonly spec?: object;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface ResilienceOptions {
  readonly plane?: Pick<
    ControlPlaneOptions,
    'controllerManager' | 'kwok' | 'users' | 'auditPolicy'
  >;
  /** Recording and alerting rules, evaluated once a second. */
  readonly rules?: readonly object[];
}

export async function startResilienceWorld(
  options: ResilienceOptions = {},
): Promise<ResilienceWorld> {
  const folder = await createRunFolder();
  const ruleFile = join(folder.path, 'rules.json');
  await writeFile(
    ruleFile,
    JSON.stringify({ groups: [{ name: 'shop', rules: options.rules ?? [] }] }),
  );
  const services = new Map<string, Counters>();
  const exporter = createServer((_request, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(exposition(services));
  });
  const { port, stop: stopExporter } = await listenLocally(exporter);
  const [plane, prometheus] = await Promise.all([
    startControlPlane({
      controllerManager: false,
      ...options.plane,
      crds: [...(await gatewayApiCrds()), join(import.meta.dirname, '../../crds')],
    }),
    startPrometheus({
      scrape: [{ job: 'shop', targets: [`127.0.0.1:${port}`] }],
      ruleFiles: [ruleFile],
    }),
  ]);
  const { client } = plane;
  await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const subjects = new Map<string, Subject>();
  const world: ResilienceWorld = {
    plane,
    prometheus,
    add: async (name, schedule, more = {}) => {
      const subject: Subject = { name, weights: [], statuses: [] };
      subjects.set(name, subject);
      services.set(name, {
        canaryShare: 0,
        errorRatio: 0,
        atMs: systemClock.now(),
        stable: 0,
        canary: 0,
        failed: 0,
      });
      for (const object of objectsOf(name, schedule, more)) await client.apply(object);
      return subject;
    },
    fail: (name, ratio) => {
      const counters = services.get(name);
      if (counters === undefined) throw new Error(`there is no ${name}`);
      grow(counters);
      counters.errorRatio = ratio;
    },
    onWeight: undefined,
    overThresholdSince: async (name, untilMs) =>
      await trueSince(prometheus, overThreshold(name), untilMs),
    trueSince: async (query, untilMs) => await trueSince(prometheus, query, untilMs),
    stop: async () => {
      await Promise.all(watches.map(async (watch) => await watch.stop()));
      await Promise.all([prometheus.stop(), plane.stop()]);
      stopExporter();
      await folder.remove();
    },
  };
  const watches = [
    watchRoutes(client, (name, weight, seenAtMs) => {
      const counters = services.get(name);
      if (counters !== undefined) {
        grow(counters);
        counters.canaryShare = weight / 100;
      }
      const weights = subjects.get(name)?.weights;
      if (weights === undefined || weights.at(-1)?.weight === weight) return;
      weights.push({ seenAtMs, weight });
      world.onWeight?.(name, weight);
    }),
    startWatch({
      client,
      path: `/apis/genesis.dev/v1alpha1/namespaces/${namespace}/genesisrollouts`,
      onObject: ({ metadata, status }, seenAtMs) => {
        if (status === undefined) return;
        subjects.get(metadata.name)?.statuses.push({ seenAtMs, status: status as RolloutStatus });
      },
    }),
  ];
  return world;
}

/** The gateway stub: says of every generation of every route that it is accepted, as Contour does within moments. */
function watchRoutes(
  client: ApiClient,
  onWeight: (name: string, weight: number, seenAtMs: number) => void,
): Watching {
  return startWatch({
    client,
    path: `/apis/${routeApi}/namespaces/${namespace}/httproutes`,
    onObject: (route, seenAtMs) => {
      const { name } = route.metadata;
      const { rules } = route['spec'] as { rules: { backendRefs: { weight: number }[] }[] };
      onWeight(name, rules[0]?.backendRefs[1]?.weight ?? 0, seenAtMs);
      // A failed write is made good by the next event of the watch, at the latest when it is opened anew.
      void acceptRoute(client, route).catch(() => undefined);
    },
  });
}

/** What a pair of arms has answered so far. */
interface Counters {
  canaryShare: number;
  errorRatio: number;
  atMs: number;
  stable: number;
  canary: number;
  failed: number;
}

function grow(counters: Counters): void {
  const nowMs = systemClock.now();
  const requests = (requestsPerSecond * (nowMs - counters.atMs)) / 1_000;
  const ofCanary = requests * counters.canaryShare;
  counters.stable += requests - ofCanary;
  counters.failed += ofCanary * counters.errorRatio;
  counters.canary += ofCanary * (1 - counters.errorRatio);
  counters.atMs = nowMs;
}

function exposition(services: ReadonlyMap<string, Counters>): string {
  const lines = ['# TYPE http_requests_total counter'];
  for (const [name, counters] of services) {
    grow(counters);
    const series = (arm: string, code: number) =>
      `http_requests_total{namespace="${namespace}",service="${name}-${arm}",code="${code}"}`;
    lines.push(`${series('stable', 200)} ${counters.stable}`);
    lines.push(`${series('canary', 200)} ${counters.canary}`);
    // A healthy service has no series of failures.
    if (counters.failed > 0) lines.push(`${series('canary', 500)} ${counters.failed}`);
  }
  return `${lines.join('\n')}\n`;
}

export function ratioQuery(service: string): { readonly bad: string; readonly total: string } {
  const labels = `namespace="${namespace}",service="${service}"`;
  return {
    bad: `sum(rate(http_requests_total{${labels},code=~"5.."}[${windowSeconds}s]))`,
    total: `sum(rate(http_requests_total{${labels}}[${windowSeconds}s]))`,
  };
}

/** The same question as the trigger's, asked by the test itself. */
function overThreshold(name: string): string {
  const { bad, total } = ratioQuery(`${name}-canary`);
  return `(${bad} / ${total}) > ${thresholdRatio}`;
}

/** Over the evaluation grid of one second. */
async function trueSince(
  prometheus: Prometheus,
  query: string,
  untilMs: number,
): Promise<number | undefined> {
  const end = Math.floor(untilMs / 1_000);
  const answer = await fetch(`${prometheus.url}/api/v1/query_range`, {
    method: 'POST',
    body: new URLSearchParams({
      query,
      start: String(end - 300),
      end: String(end),
      step: '1',
    }),
    signal: AbortSignal.timeout(5_000),
  });
  const { data } = (await answer.json()) as {
    data: { result: readonly { values: readonly [number, string][] }[] };
  };
  const seconds = new Set((data.result[0]?.values ?? []).map(([second]) => second));
  let since: number | undefined;
  for (let second = end; seconds.has(second); second -= 1) since = second;
  return since === undefined ? undefined : since * 1_000;
}

function objectsOf(name: string, schedule: object, more: RolloutParts): readonly KubeObject[] {
  const arms = ['stable', 'canary'].map((arm) => `${name}-${arm}`);
  const [stable = '', canary = ''] = arms;
  return [
    ...arms.flatMap((service, index) => [serviceObject(service), sliceObject(service, index)]),
    {
      apiVersion: routeApi,
      kind: 'HTTPRoute',
      metadata: { name, namespace },
      spec: {
        parentRefs: [gateway],
        rules: [
          {
            backendRefs: [
              { name: stable, port: 80, weight: 100 },
              { name: canary, port: 80, weight: 0 },
            ],
          },
        ],
      },
    },
    rolloutObject(name, schedule, more),
  ];
}

function rolloutObject(
  name: string,
  schedule: object,
  { spec = {}, annotations = {} }: RolloutParts,
): KubeObject {
  return {
    apiVersion: 'genesis.dev/v1alpha1',
    kind: 'GenesisRollout',
    metadata: { name, namespace, annotations },
    spec: {
      revision: 'v2',
      traffic: {
        stable: { service: `${name}-stable`, port: 80 },
        canary: { service: `${name}-canary`, port: 80 },
        routes: [{ kind: 'HTTPRoute', name }],
      },
      schedule,
      // A check of the chain takes seconds, and hardly a process lives so long here.
      preflight: { policy: 'Skip' },
      analysis: {
        interval: '1s',
        metrics: [{ name: 'error-rate', ratio: ratioQuery('$(arm.service)') }],
      },
      triggers: [
        {
          name: 'error-rate',
          severity: 'Critical',
          metric: 'error-rate',
          condition: '> 0.5%',
          for: `${holdSeconds}s`,
          noDataFor: '3s',
        },
      ],
      ...spec,
    },
  };
}

export const holdSeconds = 6;

function serviceObject(name: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { ports: [{ name: 'http', port: 80 }] },
  };
}

/** Nobody listens there; that there is a Ready endpoint is all that is asked. */
function sliceObject(service: string, index: number): KubeObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: service, namespace, labels: { 'kubernetes.io/service-name': service } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080 }],
    endpoints: [{ addresses: [`192.0.2.${21 + index}`], conditions: { ready: true } }],
  };
}
