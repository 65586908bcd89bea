/** What one service keeps in Git: two Deployments with their Services, the route between them, and the rollout. */
import type { KubeObject } from '#scripts/testbed/index.ts';
import { stubGateway } from '#test/stub-gateway.ts';
import { arm, namespace, rollout } from '../cluster/operator-world.ts';

/** @param spec what differs from the rollout of the operator's world */
export function serviceManifests(name: string, spec: object): readonly KubeObject[] {
  const stable = `${name}-stable`;
  const canary = `${name}-canary`;
  const flags = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: flagMap(name), namespace },
  };
  const object = rollout(name, {
    traffic: {
      stable: { service: stable, port: 80 },
      canary: { service: canary, port: 80 },
      routes: [{ kind: 'HTTPRoute', name }],
      featureFlag: { configMap: flagMap(name), key: flagKey, format: 'Percent' },
    },
    ...spec,
  });
  return [
    ...arm(stable),
    ...arm(canary),
    { ...flags, data: { [flagKey]: '0' } },
    route(name),
    object,
  ];
}

export const flagKey = 'new-checkout';

function flagMap(name: string): string {
  return `${name}-flags`;
}

/** As a person writes it: without the fields that the API server fills in. */
function route(name: string): KubeObject {
  const backend = (service: string, weight: number) => ({ name: service, port: 80, weight });
  const backendRefs = [backend(`${name}-stable`, 100), backend(`${name}-canary`, 0)];
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name, namespace },
    spec: { parentRefs: [stubGateway(namespace)], rules: [{ backendRefs }] },
  };
}
