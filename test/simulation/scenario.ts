/** The rollout of every simulated world, and the short plan it follows. */
import { fieldManager, rolloutResource } from '#api/names.ts';
import type { RolloutSpecInput } from '#api/rollout.ts';
import type { KubeObject, Resource } from '#ports/cluster.ts';
import { routeResources } from '#routers/index.ts';

export const namespace = 'sim';
export const name = 'checkout';
export const key = { namespace, name };
export const INTERVAL_MS = 5_000;
export const PLAN_WEIGHTS = [0, 50, 100];
export { fieldManager, rolloutResource };

const found = routeResources.find((resource) => resource.kind === 'HTTPRoute');
if (found === undefined) throw new Error('HTTPRoute is routed');
export const routeResource: Resource = found;

export function rolloutObject(revision: string, spec: object = baseSpec(revision)): KubeObject {
  return {
    apiVersion: 'genesis.dev/v1alpha1',
    kind: 'GenesisRollout',
    metadata: { namespace, name, generation: 1, creationTimestamp: '2026-11-22T00:00:00Z' },
    spec,
  };
}

export function baseSpec(revision: string): RolloutSpecInput {
  return {
    revision,
    traffic: {
      stable: { service: 'stable', port: 80 },
      canary: { service: 'canary', port: 80 },
      routes: [{ kind: 'HTTPRoute', name }],
    },
    schedule: {
      steps: [
        { name: 'dark', at: '0s', weight: 0 },
        { name: 'half', at: '60s', weight: 50 },
        { name: 'full', at: '180s', weight: 100 },
      ],
      end: '300s',
    },
    analysis: { interval: '5s' },
    canaryDown: { for: '30s' },
    triggers: [
      {
        name: 'errors',
        severity: 'Critical',
        ratio: {
          bad: 'bad{service="$(arm.service)"}',
          total: 'total{service="$(arm.service)"}',
        },
        condition: '> 1%',
        for: '30s',
        noDataFor: '20s',
      },
    ],
  };
}

export function routeObject(): KubeObject {
  const backend = (service: string, weight: number) => ({ name: service, port: 80, weight });
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { namespace, name, generation: 1 },
    spec: {
      parentRefs: [{ name: 'gateway' }],
      rules: [{ backendRefs: [backend('stable', 100), backend('canary', 0)] }],
    },
  };
}

/** Canary's weight as the route has it. */
export function canaryWeight(route: KubeObject | undefined): number {
  const spec = route?.['spec'] as
    | { rules: { backendRefs: { name: string; weight?: number }[] }[] }
    | undefined;
  return spec?.rules[0]?.backendRefs.find((one) => one.name === 'canary')?.weight ?? 0;
}
