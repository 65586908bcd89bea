/** How many Ready endpoints each Service has, counted from the watch of EndpointSlices. */
import type { KubeObject, Resource } from '#ports/cluster.ts';
import type { Endpoints } from '#ports/endpoints.ts';
import type { Change } from './cache.ts';
import type { KubeCluster } from './cluster-client.ts';
import { isRecord } from './resource.ts';
import type { Watch } from './watches.ts';

export interface EndpointsOptions {
  readonly cluster: Pick<KubeCluster, 'watch'>;
  /** Undefined: all. */
  readonly namespaces?: readonly string[];
  /** The number of ready endpoints of this Service has changed. */
  readonly onChange?: (namespace: string, service: string) => void;
}

export interface WatchedEndpoints extends Endpoints {
  readonly watch: Watch;
}

export const endpointSlices: Resource = {
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  namespaced: true,
};

const SERVICE_NAME = 'kubernetes.io/service-name';
/** What is left of a slice's endpoints: one word for each ready one. */
const READY = 'ready';

export function watchEndpoints(options: EndpointsOptions): WatchedEndpoints {
  /** By `namespace/service`, then by slice: the ready endpoints. */
  const slices = new Map<string, Map<string, readonly string[]>>();

  const take = (slice: KubeObject, isGone: boolean): void => {
    const { namespace = '', name, labels } = slice.metadata;
    const service = labels?.[SERVICE_NAME];
    if (service === undefined) return;
    const key = `${namespace}/${service}`;
    const ofService = slices.get(key) ?? new Map<string, readonly string[]>();
    const before = countOf(ofService);
    if (isGone) ofService.delete(name);
    else ofService.set(name, readyOf(slice));
    if (ofService.size === 0) slices.delete(key);
    else slices.set(key, ofService);
    if (countOf(ofService) !== before) options.onChange?.(namespace, service);
  };

  const onChange = (change: Change): void => {
    const movedAway =
      change.old?.metadata.labels?.[SERVICE_NAME] !== change.new?.metadata.labels?.[SERVICE_NAME];
    if (change.old !== undefined && movedAway) take(change.old, true);
    if (change.new !== undefined) take(change.new, false);
  };

  const watch = options.cluster.watch(endpointSlices, {
    ...(options.namespaces === undefined ? {} : { namespaces: options.namespaces }),
    transform: compactSlice,
    onChange,
  });
  return {
    watch,
    ready: (namespace, service) => countOf(slices.get(`${namespace}/${service}`)),
  };
}

/**
 * Each endpoint once, although a pod stands in two slices while endpoints are moved between slices,
 * and in one a family with IPv4 and IPv6.
 */
function countOf(ofService: ReadonlyMap<string, readonly string[]> | undefined): number {
  if (ofService === undefined) return 0;
  if (ofService.size === 1) for (const [, ready] of ofService) return ready.length;
  return new Set([...ofService.values()].flat()).size;
}

function readyOf(slice: KubeObject): readonly string[] {
  const ready = slice[READY];
  return Array.isArray(ready) ? ready.filter((word) => typeof word === 'string') : [];
}

/** How many endpoints of one Service are Ready, out of its slices as they were served. */
export function readyIn(slices: readonly KubeObject[]): number {
  return new Set(slices.map(compactSlice).flatMap(readyOf)).size;
}

/** Keeps a slice's identity, its Service and the ready endpoints: a tenth of its size. */
export function compactSlice(slice: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion, labels } = slice.metadata;
  const service = labels?.[SERVICE_NAME];
  const endpoints = Array.isArray(slice['endpoints']) ? slice['endpoints'] : [];
  const ready = new Set(endpoints.filter(isRecord).filter(isReady).map(identityOf));
  return {
    apiVersion: slice.apiVersion,
    kind: slice.kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(service === undefined ? {} : { labels: { [SERVICE_NAME]: service } }),
    },
    [READY]: [...ready],
  };
}

/** Unknown readiness counts as ready, as the API says; a terminating endpoint takes no new requests. */
function isReady(endpoint: Record<string, unknown>): boolean {
  const conditions = isRecord(endpoint['conditions']) ? endpoint['conditions'] : {};
  return conditions['ready'] !== false && conditions['terminating'] !== true;
}

function identityOf(endpoint: Record<string, unknown>): string {
  const target = isRecord(endpoint['targetRef']) ? endpoint['targetRef'] : {};
  const { uid, name } = target;
  const addresses = Array.isArray(endpoint['addresses']) ? endpoint['addresses'] : [];
  return [uid, name, addresses[0]].find((word) => typeof word === 'string') ?? '';
}
