/** Kubernetes objects for the tests of the testbed, and what they look at in them. */
import { ApiClient, type ControlPlane, type KubeObject } from '#scripts/testbed/index.ts';

export function object(
  apiVersion: string,
  kind: string,
  name: string,
  namespace?: string,
): KubeObject {
  return { apiVersion, kind, metadata: namespace === undefined ? { name } : { name, namespace } };
}

/** Objects of the kinds that the product and its charts use, in the namespace `shop`. */
export function oneOfEachKind(): readonly KubeObject[] {
  const template = podTemplate('each', {});
  const selector = { matchLabels: { app: 'each' } };
  return [
    { ...object('v1', 'ConfigMap', 'each', 'shop'), data: { flag: 'on' } },
    { ...object('v1', 'Secret', 'each', 'shop'), stringData: { token: 'x' } },
    object('v1', 'ServiceAccount', 'each', 'shop'),
    {
      ...object('v1', 'Service', 'each', 'shop'),
      spec: { selector: { app: 'each' }, ports: [{ port: 80 }] },
    },
    { ...object('v1', 'Pod', 'each', 'shop'), spec: template.spec },
    { ...object('apps/v1', 'Deployment', 'each', 'shop'), spec: { selector, template } },
    {
      ...object('apps/v1', 'StatefulSet', 'each', 'shop'),
      spec: { selector, template, serviceName: 'each' },
    },
    { ...object('apps/v1', 'DaemonSet', 'each', 'shop'), spec: { selector, template } },
    {
      ...object('batch/v1', 'Job', 'each', 'shop'),
      spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } },
    },
    {
      ...object('autoscaling/v2', 'HorizontalPodAutoscaler', 'each', 'shop'),
      spec: {
        maxReplicas: 3,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'each' },
      },
    },
    {
      ...object('policy/v1', 'PodDisruptionBudget', 'each', 'shop'),
      spec: { selector, maxUnavailable: 1 },
    },
    {
      ...object('networking.k8s.io/v1', 'NetworkPolicy', 'each', 'shop'),
      spec: { podSelector: selector },
    },
    {
      ...object('networking.k8s.io/v1', 'Ingress', 'each', 'shop'),
      spec: { defaultBackend: { service: { name: 'each', port: { number: 80 } } } },
    },
    { ...object('coordination.k8s.io/v1', 'Lease', 'each', 'shop'), spec: { holderIdentity: 'x' } },
    { ...object('rbac.authorization.k8s.io/v1', 'Role', 'each', 'shop'), rules: [] },
  ];
}

interface DeploymentOptions {
  readonly replicas: number;
  readonly labels?: Readonly<Record<string, string>>;
}

export function deployment(name: string, { replicas, labels = {} }: DeploymentOptions): KubeObject {
  return {
    ...object('apps/v1', 'Deployment', name, 'shop'),
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: podTemplate(name, labels),
    },
  };
}

export function deploymentRef(name: string) {
  return { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name };
}

export function service(name: string): KubeObject {
  return {
    ...object('v1', 'Service', name, 'shop'),
    spec: { selector: { app: name }, ports: [{ port: 80 }] },
  };
}

function podTemplate(app: string, labels: Readonly<Record<string, string>>) {
  return {
    metadata: { labels: { app, ...labels } },
    spec: { containers: [{ name: 'main', image: 'shop:1' }] },
  };
}

export const widgetDefinition: KubeObject = {
  ...object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'widgets.testbed.example'),
  spec: {
    group: 'testbed.example',
    scope: 'Namespaced',
    names: { kind: 'Widget', plural: 'widgets', singular: 'widget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { size: { type: 'integer', minimum: 0 } } },
            },
          },
        },
      },
    ],
  },
};

export function statusOf(found: KubeObject): Readonly<Record<string, unknown>> {
  return (found['status'] ?? {}) as Record<string, unknown>;
}

export async function podsOf(client: ApiClient, app: string): Promise<readonly KubeObject[]> {
  const pods = await client.list('v1', 'Pod', 'shop');
  return pods.filter(
    ({ metadata }) => (metadata['labels'] as { app?: string } | undefined)?.app === app,
  );
}

/** Every state that an app's pods go through in the next seconds. */
export async function watchPods(
  client: ApiClient,
  app: string,
  seconds: number,
): Promise<readonly KubeObject[]> {
  const query = `watch=true&timeoutSeconds=${seconds}&labelSelector=app%3D${app}`;
  const { body } = await client.send('GET', `/api/v1/namespaces/shop/pods?${query}`);
  const lines = String(body).split('\n').filter(Boolean);
  return lines.map((line) => (JSON.parse(line) as { object: KubeObject }).object);
}

export function nodeOf(pod: KubeObject | undefined): string | undefined {
  return (pod?.['spec'] as { nodeName?: string } | undefined)?.nodeName;
}

export function waitingReason(pod: KubeObject | undefined): string | undefined {
  const { containerStatuses = [] } = (pod === undefined ? {} : statusOf(pod)) as {
    containerStatuses?: { state: { waiting?: { reason: string } } }[];
  };
  return containerStatuses[0]?.state.waiting?.reason;
}

interface Endpoint {
  readonly addresses: readonly string[];
  readonly conditions: { readonly ready?: boolean };
}

export async function readyEndpoints(
  client: ApiClient,
  name: string,
): Promise<readonly Endpoint[]> {
  const slices = await client.list('discovery.k8s.io/v1', 'EndpointSlice', 'shop');
  return slices
    .filter(
      ({ metadata }) =>
        (metadata['labels'] as Record<string, string> | undefined)?.[
          'kubernetes.io/service-name'
        ] === name,
    )
    .flatMap((slice) => (slice['endpoints'] ?? []) as Endpoint[])
    .filter(({ conditions }) => conditions.ready === true);
}

/** The status code that a user gets, by token. A POST tries to create a ConfigMap. */
export async function statusAs(
  plane: ControlPlane,
  token: string | undefined,
  method: 'GET' | 'POST',
  path: string,
): Promise<number> {
  const client = new ApiClient({
    ...plane.client.address,
    ...(token === undefined ? {} : { token }),
  });
  const body = { ...object('v1', 'ConfigMap', 'tried'), data: {} };
  try {
    return (await client.send(method, path, method === 'POST' ? { body } : {})).status;
  } finally {
    await client.close();
  }
}
