/** What the demo makes in a cluster of one's own: the sample service as a Deployment from whatever image has Node, without a registry of ours. */
import type { KubeObject } from '#scripts/testbed/index.ts';
import { app, type Colour, serviceOf, servicePort } from './objects.ts';
import { bundleService } from './service-bundle.ts';

export const trafficPort = 8080;
export const adminPort = 9090;
/** The Service's name for it, and the pods'. */
export const adminPortName = 'admin';
export const ownerLabel = { 'app.kubernetes.io/managed-by': 'genesis-rollout-demo' };
const programFile = 'service.mjs';
const programName = 'sample-service';
/** `nobody` on most systems: the demo runs where pods must not be root. */
const userId = 65_534;

export function namespaceObject(namespace: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace, labels: ownerLabel },
  };
}

/** The sample service's one file, in a ConfigMap. */
export async function programObject(namespace: string): Promise<KubeObject> {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: programName, namespace, labels: ownerLabel },
    data: { [programFile]: await bundleService() },
  };
}

export function serviceObject(namespace: string, colour: Colour): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: serviceOf(colour), namespace, labels: { ...ownerLabel, app } },
    spec: {
      selector: { app, colour },
      ports: [
        { name: 'http', port: servicePort, targetPort: trafficPort },
        { name: adminPortName, port: adminPort, targetPort: adminPort },
      ],
    },
  };
}

export interface VersionOptions {
  readonly namespace: string;
  readonly colour: Colour;
  readonly version: string;
  readonly image: string;
}

export function deploymentObject({
  namespace,
  colour,
  version,
  image,
}: VersionOptions): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: serviceOf(colour), namespace, labels: { ...ownerLabel, app, colour } },
    spec: {
      replicas: 1,
      // The old version must be gone before the new one counts as there.
      strategy: { type: 'Recreate' },
      selector: { matchLabels: { app, colour } },
      template: {
        metadata: {
          labels: { app, colour, version },
          // Understood by many a Prometheus without its operator.
          annotations: {
            'prometheus.io/scrape': 'true',
            'prometheus.io/port': String(adminPort),
            'prometheus.io/path': '/metrics',
          },
        },
        spec: {
          terminationGracePeriodSeconds: 5,
          automountServiceAccountToken: false,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: userId,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [container({ namespace, colour, version, image })],
          volumes: [{ name: 'program', configMap: { name: programName } }],
        },
      },
    },
  };
}

function container({ namespace, colour, version, image }: VersionOptions): object {
  return {
    name: 'checkout',
    image,
    command: ['node', `/program/${programFile}`],
    args: [
      `--version=${version}`,
      `--namespace=${namespace}`,
      `--service=${serviceOf(colour)}`,
      '--address=$(POD_IP)',
      `--port=${trafficPort}`,
      `--admin-port=${adminPort}`,
    ],
    env: [{ name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
    ports: [
      { name: 'http', containerPort: trafficPort },
      { name: adminPortName, containerPort: adminPort },
    ],
    readinessProbe: { httpGet: { path: '/metrics', port: adminPort }, periodSeconds: 1 },
    resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '256Mi' } },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    volumeMounts: [{ name: 'program', mountPath: '/program', readOnly: true }],
  };
}

/** For a Prometheus with its operator. Which labels it asks of a ServiceMonitor only its owner knows. */
export function serviceMonitorObject(namespace: string, scrapeIntervalMs: number): KubeObject {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'ServiceMonitor',
    metadata: { name: app, namespace, labels: { ...ownerLabel, app } },
    spec: {
      selector: { matchLabels: { app } },
      endpoints: [{ port: adminPortName, interval: `${scrapeIntervalMs / 1_000}s` }],
    },
  };
}
