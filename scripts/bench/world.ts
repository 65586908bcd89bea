/** The objects of the benchmark: N rollouts, each with its route, its two Services and their endpoints. */
import type { ApiClient, KubeObject } from '#scripts/testbed/index.ts';

export const NAMESPACE = 'bench';
export const INTERVAL_MS = 10_000;
export const FOR_MS = 30_000;
const PARALLEL = 16;

export function rolloutName(index: number): string {
  return `bench-${index}`;
}

export interface WorldOptions {
  readonly rollouts: number;
  /** One query for all, each rollout picking its series; else a text of its own for each. */
  readonly sharedQuery: boolean;
}

export async function createWorld(client: ApiClient, options: WorldOptions): Promise<void> {
  await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  const indices = Array.from({ length: options.rollouts }, (_, index) => index);
  await eachOf(indices, async (index) => {
    for (const object of supports(index)) await client.apply(object);
  });
  await eachOf(indices, async (index) => {
    await client.apply(rollout(index, options.sharedQuery));
  });
}

async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}

/** No Service objects: EndpointSlices are all that is read of them, and a route without parents has nobody to accept it. */
function supports(index: number): KubeObject[] {
  const name = rolloutName(index);
  const slice = (arm: string): KubeObject => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${name}-${arm}`,
      namespace: NAMESPACE,
      labels: { 'kubernetes.io/service-name': `${name}-${arm}` },
    },
    addressType: 'IPv4',
    ports: [{ port: 80 }],
    endpoints: [{ addresses: ['192.0.2.20'], conditions: { ready: true } }],
  });
  const backend = (arm: string, weight: number) => ({ name: `${name}-${arm}`, port: 80, weight });
  return [
    slice('stable'),
    slice('canary'),
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name, namespace: NAMESPACE },
      spec: { rules: [{ backendRefs: [backend('stable', 100), backend('canary', 0)] }] },
    },
  ];
}

function rollout(index: number, sharedQuery: boolean): KubeObject {
  const name = rolloutName(index);
  const metric = sharedQuery
    ? { name: 'errors', query: 'errors', series: { rollout: '$(rollout)' } }
    : { name: 'errors', query: 'errors{rollout="$(rollout)"}' };
  return {
    apiVersion: 'genesis.dev/v1alpha1',
    kind: 'GenesisRollout',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      revision: 'v2',
      traffic: {
        stable: { service: `${name}-stable`, port: 80 },
        canary: { service: `${name}-canary`, port: 80 },
        routes: [{ kind: 'HTTPRoute', name }],
      },
      schedule: {
        steps: [
          { name: 'half', at: '0s', weight: 50 },
          { name: 'full', at: '100h', weight: 100 },
        ],
        end: '101h',
      },
      analysis: { interval: `${INTERVAL_MS / 1000}s`, metrics: [metric] },
      triggers: [
        {
          name: 'errors',
          severity: 'Critical',
          metric: 'errors',
          condition: '> 0.5',
          for: `${FOR_MS / 1000}s`,
        },
      ],
    },
  };
}

/** A rollout of 48 hours, for the benchmark of memory. */
export function longRollout(name: string, revision: string, intervalMs: number): KubeObject {
  const half = { name: 'half', at: '1h', weight: 50 };
  const full = { name: 'full', at: '24h', weight: 100 };
  return {
    apiVersion: 'genesis.dev/v1alpha1',
    kind: 'GenesisRollout',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      revision,
      traffic: {
        stable: { service: `${name}-stable`, port: 80 },
        canary: { service: `${name}-canary`, port: 80 },
        routes: [{ kind: 'HTTPRoute', name }],
      },
      schedule: { steps: [{ name: 'dark', at: '0s', weight: 0 }, half, full], end: '46h' },
      analysis: {
        interval: `${intervalMs / 1000}s`,
        metrics: [{ name: 'errors', query: `errors{rollout="${name}"}` }],
      },
      triggers: [
        {
          name: 'errors',
          severity: 'Critical',
          metric: 'errors',
          condition: '> 0.5',
          for: `${(3 * intervalMs) / 1000}s`,
        },
      ],
    },
  };
}

export function longRoute(name: string): KubeObject {
  const backend = (arm: string, weight: number) => ({ name: `${name}-${arm}`, port: 80, weight });
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name, namespace: NAMESPACE },
    spec: { rules: [{ backendRefs: [backend('stable', 100), backend('canary', 0)] }] },
  };
}
