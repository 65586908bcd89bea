/** A Gateway API route for tests of its router: one in a fake cluster, what is read of it, and another who writes it. */
import assert from 'node:assert/strict';
import type { KubeObject } from '#ports/cluster.ts';
import { silentLogger } from '#ports/logger.ts';
import type { RouteReading, RouteTarget, TrafficRouter } from '#ports/traffic-router.ts';
import { createRouters, routeResources } from '#routers/index.ts';
import { FakeCluster } from '#test/fakes/cluster.ts';

export const key = { namespace: 'shop', name: 'checkout' };
export const target: RouteTarget = {
  ...key,
  kind: 'HTTPRoute',
  apiVersion: 'gateway.networking.k8s.io/v1',
  stable: { service: 'old', port: 80 },
  canary: { service: 'new', port: 80 },
  flag: undefined,
};
export const resource = routeResources[0]!;

export interface Setting {
  readonly rules?: unknown;
  readonly parentRefs?: readonly object[];
  readonly parents?: readonly object[];
  readonly generation?: number;
  readonly annotations?: Record<string, string>;
}

export function routeOf({
  rules,
  parentRefs,
  parents,
  generation = 1,
  annotations,
}: Setting): KubeObject {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { ...key, generation, ...(annotations === undefined ? {} : { annotations }) },
    spec: { ...(parentRefs === undefined ? {} : { parentRefs }), rules },
    ...(parents === undefined ? {} : { status: { parents } }),
  };
}

export function setUp(setting: Setting): { cluster: FakeCluster; router: TrafficRouter } {
  const cluster = new FakeCluster();
  cluster.server.seed(resource, routeOf(setting), 'gitops');
  const router = createRouters(cluster, silentLogger)('HTTPRoute');
  assert.ok(router);
  return { cluster, router };
}

export function readingOf(setting: Setting): RouteReading {
  return setUp(setting).router.read(target);
}

/** `['old', 100]`, or a whole reference. */
export type Ref = readonly [name: string, weight?: number, more?: object];

export function rule(...refs: readonly Ref[]): { backendRefs: object[] } {
  return {
    backendRefs: refs.map(([name, weight, more]) => ({
      name,
      port: 80,
      ...(weight === undefined ? {} : { weight }),
      ...more,
    })),
  };
}

export function weightOf(reading: RouteReading): number | string {
  return reading.type === 'read' ? reading.weight : reading.type;
}

export function problemsOf(reading: RouteReading): string[] {
  if (reading.type === 'refused') return [reading.reason];
  if (reading.type === 'missing') return [];
  return reading.problems
    .filter((problem) => problem.reason !== 'NoParents')
    .map(({ reason, blocking }) => (blocking ? `${reason}!` : reason));
}

export const limit = () => ({ signal: AbortSignal.timeout(5_000) });

export function specOf(cluster: FakeCluster): { rules: unknown } {
  const spec: unknown = cluster.server.get(resource, key)?.['spec'];
  assert.ok(typeof spec === 'object' && spec !== null && 'rules' in spec);
  return spec;
}

export function annotationsOf(cluster: FakeCluster): Record<string, string> {
  return { ...cluster.server.get(resource, key)?.metadata.annotations };
}

/** Another writer, who overwrites. */
export function overwrite(cluster: FakeCluster, setting: Setting): void {
  const { resourceVersion } = cluster.server.get(resource, key)!.metadata;
  const object = routeOf(setting);
  const metadata = {
    ...object.metadata,
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  cluster.server.replace(resource, { ...object, metadata }, { fieldManager: 'kubectl' });
}

/** Before the next write of ours and no other. */
export function beforeNextWrite(cluster: FakeCluster, act: () => unknown): void {
  cluster.before = ({ verb }) => {
    if (verb !== 'jsonPatch') return;
    cluster.before = undefined;
    act();
  };
}
