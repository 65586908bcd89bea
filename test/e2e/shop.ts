/** The service that is rolled out end to end: two Deployments behind one route, and the rollout that moves it, as a user would write them. */
import { stringify } from 'yaml';

import { images } from '#scripts/images/images.ts';
import type { KubeObject } from '#scripts/testbed/index.ts';

export const shop = 'shop';
export const hostname = 'checkout.example';
export const colours = ['blue', 'green'] as const;
export type Colour = (typeof colours)[number];

export const adminPort = 9090;

export function serviceOf(colour: Colour): string {
  return `checkout-${colour}`;
}

/** For `kubectl apply -f -`. */
export function yamlOf(...objects: readonly KubeObject[]): string {
  return objects.map((object) => stringify(object)).join('---\n');
}

export const namespaceObject: KubeObject = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: shop },
};

export function serviceObject(colour: Colour): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: serviceOf(colour), namespace: shop },
    spec: {
      selector: { app: 'checkout', colour },
      ports: [
        { name: 'http', port: 80, targetPort: 8080 },
        { name: 'admin', port: adminPort },
      ],
    },
  };
}

export function deploymentObject(colour: Colour, version: string): KubeObject {
  const labels = { app: 'checkout', colour };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: serviceOf(colour), namespace: shop },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: {
          labels,
          annotations: {
            'prometheus.io/scrape': 'true',
            'prometheus.io/port': String(adminPort),
          },
        },
        spec: {
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 2,
          containers: [
            {
              name: 'checkout',
              image: images.checkout.tag,
              imagePullPolicy: 'Never',
              args: [
                `--version=${version}`,
                `--namespace=${shop}`,
                `--service=${serviceOf(colour)}`,
              ],
              ports: [{ containerPort: 8080 }, { containerPort: adminPort }],
              readinessProbe: { httpGet: { path: '/metrics', port: adminPort }, periodSeconds: 1 },
            },
          ],
        },
      },
    },
  };
}

export function routeObject(
  parentRef: { readonly namespace: string; readonly name: string },
  serving: Colour,
): KubeObject {
  const weightOf = (colour: Colour) => (colour === serving ? 100 : 0);
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'checkout', namespace: shop },
    spec: {
      parentRefs: [parentRef],
      hostnames: [hostname],
      rules: [
        {
          backendRefs: colours.map((colour) => ({
            name: serviceOf(colour),
            port: 80,
            weight: weightOf(colour),
          })),
        },
      ],
    },
  };
}

export interface RolloutOptions {
  readonly revision: string;
  readonly stable: Colour;
  readonly canary: Colour;
  readonly steps: readonly {
    readonly name: string;
    readonly at: string;
    readonly weight: number;
  }[];
  readonly end: string;
  /** For how long too many errors must last. */
  readonly holdFor: string;
  /** A health suite, of which all tests must have passed at the end. */
  readonly suite?: { readonly name: string };
}

export function rolloutObject(options: RolloutOptions): KubeObject {
  const arm = 'namespace="$(namespace)",service="$(arm.service)"';
  const rate = (more: string) => `sum(rate(http_requests_total{${arm}${more}}[6s]))`;
  const { revision, stable, canary, steps, end, holdFor, suite } = options;
  const criterion = { name: 'tests', suite: suite?.name, condition: '== 100%', for: '0s' };
  return {
    apiVersion: 'genesis.dev/v1alpha1',
    kind: 'GenesisRollout',
    metadata: { name: 'checkout', namespace: shop },
    spec: {
      revision,
      traffic: {
        stable: { service: serviceOf(stable), port: 80 },
        canary: { service: serviceOf(canary), port: 80 },
        routes: [{ kind: 'HTTPRoute', name: 'checkout' }],
      },
      schedule: { steps, end },
      // Scraped every second, some of them late: a scrape that was missed shall not hold a run.
      preflight: { policy: 'Advise' },
      analysis: {
        interval: '1s',
        metrics: [{ name: 'error-rate', ratio: { bad: rate(',code=~"5.."'), total: rate('') } }],
      },
      triggers: [
        {
          name: 'error-rate',
          severity: 'Critical',
          metric: 'error-rate',
          condition: '> 1%',
          for: holdFor,
        },
      ],
      ...(suite === undefined
        ? {}
        : { healthSuites: [suite], success: { criteria: [criterion], onFailure: 'Hold' } }),
    },
  };
}
