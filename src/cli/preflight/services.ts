/** The Services of both arms, as whoever asks may see them: there or not, and how many endpoints are Ready. */
import { endpointSlices, readyIn } from '#kube/endpoints.ts';
import type { KubectlClient } from '#kube/kubectl-client.ts';
import { ClusterError, type Resource } from '#ports/cluster.ts';
import type { Subject } from './subject.ts';

export interface ServiceState {
  readonly arm: 'stable' | 'canary';
  readonly name: string;
  readonly ready:
    | { readonly type: 'known'; readonly count: number }
    | { readonly type: 'missing' }
    | { readonly type: 'cannotTell'; readonly message: string };
}

const services: Resource = {
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  namespaced: true,
};

export async function serviceStates(
  { namespace, run }: Subject,
  client: Pick<KubectlClient, 'get' | 'list'>,
  signal: AbortSignal,
): Promise<ServiceState[]> {
  const arms = (['stable', 'canary'] as const).flatMap((arm) => {
    const name = run[arm]?.service;
    return name === undefined ? [] : [{ arm, name }];
  });
  return await Promise.all(
    arms.map(async ({ arm, name }) => ({
      arm,
      name,
      ready: await readyOf({ namespace, name }, client, signal),
    })),
  );
}

async function readyOf(
  key: { readonly namespace: string; readonly name: string },
  client: Pick<KubectlClient, 'get' | 'list'>,
  signal: AbortSignal,
): Promise<ServiceState['ready']> {
  const { namespace, name } = key;
  try {
    if ((await client.get(services, key, signal)) === undefined) return { type: 'missing' };
    const labelSelector = `kubernetes.io/service-name=${name}`;
    const slices = await client.list(endpointSlices, { namespace, labelSelector }, signal);
    return { type: 'known', count: readyIn(slices) };
  } catch (error) {
    if (!(error instanceof ClusterError) || error.fault !== 'forbidden') throw error;
    return { type: 'cannotTell', message: 'you may not read it, or its EndpointSlices' };
  }
}
