/** Stands for a gateway: accepts every route as it is. */
import { systemClock } from '#runtime/clock.ts';
import type { ApiClient, KubeObject } from '#scripts/testbed/index.ts';

/** What a route names as its parent. */
export function stubGateway(namespace: string) {
  return { name: 'stub', namespace };
}

export async function acceptRoute(client: ApiClient, route: KubeObject): Promise<void> {
  const { namespace = 'default', name, generation } = route.metadata;
  const { parents = [] } = (route['status'] ?? {}) as {
    parents?: { conditions: { observedGeneration: number }[] }[];
  };
  if (parents[0]?.conditions.every((one) => one.observedGeneration === generation)) return;
  const conditions = ['Accepted', 'ResolvedRefs'].map((type) => ({
    type,
    status: 'True',
    reason: type,
    message: 'accepted by the stub of a gateway',
    observedGeneration: generation,
    lastTransitionTime: new Date(systemClock.now()).toISOString(),
  }));
  const parentRef = stubGateway(namespace);
  const parent = { parentRef, controllerName: 'genesis.test/stub', conditions };
  await client.patch(
    { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace, name },
    { status: { parents: [parent] } },
    'status',
  );
}
