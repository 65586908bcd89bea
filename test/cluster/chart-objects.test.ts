/** Every object that the chart can render, put to a real API server; and what Helm itself says of the chart. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { chartFolder, chartNamespace, render } from '#scripts/gen/chart/render.ts';
import { run } from '#scripts/testbed/command.ts';
import {
  type ControlPlane,
  type KubeObject,
  prometheusOperatorCrds,
  startControlPlane,
  toolPath,
} from '#scripts/testbed/index.ts';
import { field, only, titleOf } from './chart.ts';
import { messageOf } from './people.ts';

let plane: ControlPlane;

before(async () => {
  plane = await startControlPlane({
    controllerManager: false,
    crds: await prometheusOperatorCrds(),
  });
  for (const name of [chartNamespace, 'shop', 'search', 'monitoring']) {
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await plane.client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  }
});
after(async () => {
  await plane.stop();
});

/** Everything at once that a value can switch on. */
const everything = {
  replicas: 3,
  commonLabels: { team: 'release' },
  commonAnnotations: { 'example.com/owner': 'release' },
  global: { imageRegistry: 'registry.example', imagePullSecrets: ['pull'] },
  image: { digest: `sha256:${'a'.repeat(64)}`, pullPolicy: 'Always' },
  config: {
    prometheusUrl: 'https://thanos.monitoring:10902',
    prometheus: {
      bearerTokenFile: '/etc/genesis/prometheus/token',
      headers: [{ name: 'X-Scope-OrgID', value: 'shop' }],
      tls: { caFile: '/etc/genesis/prometheus/ca.crt' },
    },
    lease: { duration: '30s', namespace: 'shop' },
    limits: { responseBytes: 33_554_432 },
    logLevel: 'debug',
  },
  crds: { annotations: { 'argocd.argoproj.io/sync-wave': '-1' } },
  rbac: {
    secretNames: ['prometheus'],
    extraRules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }],
  },
  serviceAccount: { annotations: { 'example.com/role': 'genesis' } },
  secretMounts: [{ name: 'prometheus', mountPath: '/etc/genesis/prometheus', optional: true }],
  notifications: { secretName: 'channels' },
  priorityClassName: 'system-cluster-critical',
  nodeSelector: { 'kubernetes.io/os': 'linux' },
  tolerations: [{ key: 'infra', operator: 'Exists', effect: 'NoSchedule' }],
  affinity: { nodeAffinity: {} },
  hostAliases: [{ ip: '192.0.2.1', hostnames: ['prometheus'] }],
  podLabels: { tier: 'control' },
  podAnnotations: { 'example.com/scrape': 'no' },
  deploymentAnnotations: { 'example.com/reload': 'yes' },
  extraArgs: ['--concurrency=64'],
  extraEnv: [{ name: 'NO_COLOR', value: '1' }],
  extraEnvFrom: [{ configMapRef: { name: 'more', optional: true } }],
  extraVolumes: [{ name: 'evidence', emptyDir: {} }],
  extraVolumeMounts: [{ name: 'evidence', mountPath: '/var/lib/genesis' }],
  extraContainers: [{ name: 'beside', image: 'beside' }],
  initContainers: [{ name: 'first', image: 'first' }],
  podDisruptionBudget: { minAvailable: '50%' },
  metrics: {
    service: { labels: { a: 'b' }, annotations: { c: 'd' } },
    serviceMonitor: {
      enabled: true,
      additionalLabels: { release: 'kps' },
      scrapeTimeout: '10s',
      relabelings: [{ action: 'labeldrop', regex: 'pod' }],
      metricRelabelings: [{ action: 'drop', sourceLabels: ['__name__'], regex: 'nodejs_.*' }],
    },
    prometheusRule: {
      enabled: true,
      additionalLabels: { release: 'kps' },
      alertLabels: { team: 'release' },
      runbookUrl: 'https://runbooks.example',
      extraRules: [{ alert: 'Mine', expr: 'vector(1)' }],
    },
    dashboards: {
      enabled: true,
      annotations: { grafana_folder: 'Genesis' },
      namespace: 'monitoring',
    },
  },
  networkPolicy: {
    enabled: true,
    metricsFrom: [{ namespaceSelector: { matchLabels: { name: 'monitoring' } } }],
    extraEgress: [{ ports: [{ port: 443, protocol: 'TCP' }] }],
  },
  extraObjects: [{ apiVersion: 'v1', kind: 'Secret', metadata: { name: '{{ .Release.Name }}-x' } }],
};

const sets: readonly (readonly [string, object])[] = [
  ['by default', {}],
  ['with everything on', everything],
  [
    'for two namespaces, with everything on',
    { ...everything, watchNamespaces: ['shop', 'search'] },
  ],
  ['with one replica and no leader', { replicas: 1, leaderElection: { enabled: false } }],
];

describe('the API server takes every object', () => {
  for (const [name, values] of sets) {
    test(name, async () => {
      const refused: string[] = [];
      for (const object of await render(values)) {
        const answer = await dryRun(object);
        if (answer !== undefined) refused.push(`${titleOf(object)}: ${answer}`);
      }
      assert.deepEqual(refused, []);
    });
  }
});

test('its pods are let into a namespace that enforces the pod security standard restricted', async () => {
  const objects = await render();
  const { metadata, spec } = field(only(objects, 'Deployment'), 'spec.template') as {
    metadata: object;
    spec: object;
  };
  const place = { name: 'controller', namespace: chartNamespace };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, ...place }, spec };
  assert.equal(await dryRun(pod), undefined);
  assert.equal(await dryRun(only(objects, 'Pod')), undefined);
  const root = { ...pod, spec: { ...spec, securityContext: {} } };
  assert.match((await dryRun(root)) ?? '', /violates PodSecurity "restricted/);
});

describe('both versions of Helm', () => {
  test('lint it, strictly', async () => {
    for (const name of ['helm', 'helm4'] as const) {
      const helm = await toolPath(name);
      await run(helm, ['lint', '--strict', chartFolder]);
    }
  });

  test('render the same of it', async () => {
    const [three, four] = await Promise.all(
      (['helm', 'helm4'] as const).map(async (helm) => await render(everything, { helm })),
    );
    const byTitle = (objects: readonly KubeObject[] = []) =>
      Object.fromEntries(objects.map((object) => [titleOf(object), object]));
    assert.deepEqual(byTitle(four), byTitle(three));
  });
});

/** Resolves with what the server says against it; unknown fields are refused too. */
async function dryRun(object: KubeObject): Promise<string | undefined> {
  const { namespace } = object.metadata;
  const { apiVersion, kind, metadata } = object;
  const reference = {
    apiVersion,
    kind,
    name: metadata.name,
    namespace: namespace ?? chartNamespace,
  };
  const path = await plane.client.pathOf(reference);
  const query = 'dryRun=All&fieldValidation=Strict&fieldManager=chart&force=true';
  const { status, body } = await plane.client.send('PATCH', `${path}?${query}`, {
    contentType: 'application/apply-patch+yaml',
    body: object,
  });
  return status < 300 ? undefined : messageOf(body);
}
