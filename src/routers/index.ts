/** Which router serves which kind of route. */
import { routeKinds } from '#api/kinds.ts';
import { fieldManager } from '#api/names.ts';
import type { Cluster, Resource } from '#ports/cluster.ts';
import type { TrafficRouter } from '#ports/traffic-router.ts';
import { createGatewayApiRouter } from './gateway-api.ts';

/** What the watch cache must hold for the routers to read: they never ask the API server for a reading. */
export const routeResources: readonly Resource[] = [
  resourceOf(routeKinds.HTTPRoute),
  resourceOf(routeKinds.GRPCRoute),
];

/** By kind; undefined for a kind that no router serves. */
export type Routers = (kind: string) => TrafficRouter | undefined;

export function createRouters(cluster: Cluster): Routers {
  const byKind = new Map<string, TrafficRouter>();
  for (const resource of routeResources) {
    byKind.set(resource.kind, createGatewayApiRouter({ cluster, resource, fieldManager }));
  }
  return (kind) => byKind.get(kind);
}

function resourceOf({ group, version, kind, plural, namespaced }: Resource): Resource {
  return { group, version, kind, plural, namespaced };
}
