/**
 * The world of operator.test.ts: a real API server with pods that become Ready, the real operator in this process, and a
 * stub for Prometheus whose answers a test sets. Routes have no parents, so no gateway has to accept them.
 */

import { readFileSync } from 'node:fs';
import type { RolloutStatus } from '#api/status.ts';
import { toNotifications } from '#config/channels.ts';
import { notificationsSchema } from '#config/notifications.ts';
import { silentLogger } from '#ports/logger.ts';
import { systemClock } from '#runtime/clock.ts';
import {
  type ControlPlane,
  type ControlPlaneOptions,
  gatewayApiCrds,
  type KubeObject,
  type ObjectReference,
  startControlPlane,
} from '#scripts/testbed/index.ts';
import { createTelemetry } from '#telemetry/metrics.ts';
import { armObjects } from '#test/arm.ts';
import { type Operator, startOperator } from '../../src/operator.ts';
import { startMetricsStub } from './metrics-stub.ts';

export const namespace = 'shop';

export interface OperatorWorld {
  readonly plane: ControlPlane;
  /** What every query answers; undefined is no series. */
  value: number | undefined;
  stop(): Promise<void>;
}

export async function startOperatorWorld({
  notifications = {},
  prometheusUrl,
  ...options
}: Pick<ControlPlaneOptions, 'users'> & {
  /** In place of the stub. */
  readonly prometheusUrl?: string;
  /** As in the operator's file. */
  readonly notifications?: object;
} = {}): Promise<OperatorWorld> {
  const plane = await startControlPlane({
    ...options,
    kwok: true,
    auditPolicy: 'Metadata',
    crds: ['crds', ...(await gatewayApiCrds())],
  });
  await plane.client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const world: OperatorWorld = {
    plane,
    value: 0,
    stop: async () => {
      await operator.stop();
      await plane.stop();
      stub.stop();
    },
  };
  const stub = await startMetricsStub(() => world.value);
  const operator: Operator = await startOperator({
    version: 'test',
    source: { type: 'file', path: plane.kubeconfigPath },
    namespaces: [namespace],
    concurrency: 8,
    allowLoopbackUrls: true,
    prometheus: () => ({ url: prometheusUrl ?? stub.url, headers: {}, tls: {} }),
    query: { timeoutMs: 3_000, concurrencyMax: 8, responseBytesMax: 1_000_000 },
    lease: undefined,
    evidenceDirectory: undefined,
    manifests: undefined,
    notifications: toNotifications(notificationsSchema.parse(notifications)),
    ownNamespace: namespace,
    readText: (path) => readFileSync(path, 'utf8'),
    client: { requestsPerSecond: 200, burst: 400 },
    clock: systemClock,
    logger: silentLogger,
    telemetry: createTelemetry({ version: 'test', clock: systemClock }),
  });
  return world;
}

export function rollout(name: string, spec: object): KubeObject {
  return {
    apiVersion: 'genesis.dev/v1alpha1',
    kind: 'GenesisRollout',
    metadata: { name, namespace },
    spec: {
      revision: 'v2',
      analysis: { interval: '1s' },
      traffic: {
        stable: { service: 'stable', port: 80 },
        canary: { service: 'canary', port: 80 },
        routes: [{ kind: 'HTTPRoute', name }],
      },
      schedule: {
        steps: [
          { name: 'dark', at: '0s', weight: 0 },
          { name: 'half', at: '1s', weight: 50 },
          { name: 'full', at: '100h', weight: 100 },
        ],
        end: '101h',
      },
      triggers: [
        {
          name: 'errors',
          severity: 'Critical',
          query: 'errors{service="$(arm.service)"}',
          condition: '> 1',
          for: '3s',
        },
      ],
      ...spec,
    },
  };
}

export function route(name: string): KubeObject {
  const backend = (service: string, weight: number) => ({ name: service, port: 80, weight });
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name, namespace },
    spec: { rules: [{ backendRefs: [backend('stable', 100), backend('canary', 0)] }] },
  };
}

export function arm(name: string): KubeObject[] {
  return armObjects(namespace, name);
}

export function referenceTo(kind: string, name: string): ObjectReference {
  const apiVersions: Record<string, string> = {
    GenesisRollout: 'genesis.dev/v1alpha1',
    HTTPRoute: 'gateway.networking.k8s.io/v1',
    ConfigMap: 'v1',
  };
  return { apiVersion: apiVersions[kind] ?? 'v1', kind, namespace, name };
}

export function statusOf(object: KubeObject | undefined): RolloutStatus {
  return object?.['status'] ?? {};
}

export function canaryWeight(
  object: KubeObject | undefined,
  canary = 'canary',
): number | undefined {
  const spec = object?.['spec'] as
    | { rules: { backendRefs: { name: string; weight: number }[] }[] }
    | undefined;
  return spec?.rules[0]?.backendRefs.find((one) => one.name === canary)?.weight;
}
