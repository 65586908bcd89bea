/** The Kubernetes objects of the demo: one route over two Services, and the rollout that moves it. */
import type { KubeObject, ObjectReference } from '#scripts/testbed/index.ts';
import { type DemoPlan, durationText } from './plan.ts';

/**
 * Blue and green change roles from one revision to the next, as rollouts without a `workload` do: what has
 * succeeded stays where it is and is stable for the next one.
 */
export const colours = ['blue', 'green'] as const;
export type Colour = (typeof colours)[number];

export const app = 'checkout';
export const hostname = 'checkout.example';
export const servicePort = 80;

export function serviceOf(colour: Colour): string {
  return `${app}-${colour}`;
}

export interface Roles {
  readonly stable: Colour;
  readonly canary: Colour;
}

export const routeReference = (namespace: string): ObjectReference => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  namespace,
  name: app,
});

export const rolloutReference = (namespace: string): ObjectReference => ({
  apiVersion: 'genesis.dev/v1alpha1',
  kind: 'GenesisRollout',
  namespace,
  name: app,
});

export interface RouteOptions {
  readonly namespace: string;
  readonly gateway: { readonly namespace: string; readonly name: string };
  /** Who has all of the traffic to begin with. */
  readonly serving: Colour;
}

export function routeObject({ namespace, gateway, serving }: RouteOptions): KubeObject {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: app, namespace },
    spec: {
      parentRefs: [gateway],
      hostnames: [hostname],
      rules: [
        {
          backendRefs: colours.map((colour) => ({
            name: serviceOf(colour),
            port: servicePort,
            weight: colour === serving ? 100 : 0,
          })),
        },
      ],
    },
  };
}

export interface RolloutOptions {
  readonly namespace: string;
  readonly revision: string;
  readonly roles: Roles;
  readonly plan: DemoPlan;
}

/** examples/checkout.yaml, with days become seconds. */
export function rolloutObject({ namespace, revision, roles, plan }: RolloutOptions): KubeObject {
  const arm = 'namespace="$(namespace)",service="$(arm.service)"';
  const window = durationText(plan.windowMs);
  return {
    apiVersion: 'genesis.dev/v1alpha1',
    kind: 'GenesisRollout',
    metadata: { name: app, namespace },
    spec: {
      revision,
      traffic: {
        stable: { service: serviceOf(roles.stable), port: servicePort },
        canary: { service: serviceOf(roles.canary), port: servicePort },
        routes: [{ kind: 'HTTPRoute', name: app }],
      },
      schedule: {
        steps: plan.steps.map(({ name, atMs, weight }) => ({
          name,
          at: durationText(atMs),
          weight,
        })),
        end: durationText(plan.endMs),
      },
      // A demo lasts minutes: one scrape that was missed would hold it for an hour.
      preflight: { policy: 'Advise' },
      analysis: {
        interval: durationText(plan.intervalMs),
        metrics: [
          {
            name: 'error-rate',
            ratio: {
              bad: `sum(rate(http_requests_total{${arm},code=~"5.."}[${window}]))`,
              total: `sum(rate(http_requests_total{${arm}}[${window}]))`,
            },
          },
          {
            name: 'latency-p95',
            query: `histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{${arm}}[${window}])))`,
          },
        ],
      },
      triggers: [
        {
          name: 'error-rate',
          severity: 'Critical',
          metric: 'error-rate',
          condition: '> 0.5%',
          for: durationText(plan.holdMs),
        },
        {
          name: 'latency',
          severity: 'Critical',
          metric: 'latency-p95',
          condition: '> 500ms',
          for: durationText(2 * plan.holdMs),
        },
      ],
    },
  };
}
