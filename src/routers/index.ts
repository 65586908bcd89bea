/** Which router serves which kind of route. A feature flag is served under the kind of its object, ConfigMap. */
import { routeKinds } from '#api/kinds.ts';
import { configMapResource } from '#api/names.ts';
import type { Cluster, KubeObject, Resource } from '#ports/cluster.ts';
import type { Logger } from '#ports/logger.ts';
import type { TrafficRouter } from '#ports/traffic-router.ts';
import { createFeatureFlagSplitter } from './feature-flag.ts';
import { gatewayApiSplitter } from './gateway-api.ts';
import { createRouter, type Splitter } from './router.ts';

const splitters: ReadonlyMap<Resource, () => Splitter> = new Map([
  [resourceOf(routeKinds.HTTPRoute), () => gatewayApiSplitter],
  [resourceOf(routeKinds.GRPCRoute), () => gatewayApiSplitter],
  [configMapResource, createFeatureFlagSplitter],
]);

/** What the watch cache must hold, because routers read nothing else. */
export const routeResources: readonly Resource[] = [...splitters.keys()];

/**
 * What the watch cache must keep of them: `writtenBy` and `owned` are read from managedFields. Entries
 * of the status, the longest ones, say nothing about weights.
 */
export function keepForRouters(whole: KubeObject): KubeObject {
  // No flag is binary; what ConfigMaps keep of runs is large.
  const { binaryData: _, ...object } = whole;
  const entries = object.metadata.managedFields;
  if (entries === undefined) return object;
  const managedFields = entries.filter((entry) => (entry.subresource ?? '') === '');
  return { ...object, metadata: { ...object.metadata, managedFields } };
}

/** By kind; undefined for a kind that no router serves. */
export type Routers = (kind: string) => TrafficRouter | undefined;

export function createRouters(cluster: Cluster, logger: Logger): Routers {
  const byKind = new Map(
    [...splitters].map(([resource, create]) => [
      resource.kind,
      createRouter({ cluster, logger, resource, splitter: create() }),
    ]),
  );
  return (kind) => byKind.get(kind);
}

function resourceOf({ group, version, kind, plural, namespaced }: Resource): Resource {
  return { group, version, kind, plural, namespaced };
}
