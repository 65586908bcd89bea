/** What the Helm chart renders from which values, and which values it refuses with which words. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { routeResources } from '#routers/index.ts';
import { render } from '#scripts/gen/chart/render.ts';
import type { KubeObject } from '#scripts/testbed/index.ts';
import { field, only, refusal, titleOf } from './chart.ts';

const pod = 'spec.template.spec';
const controller = `${pod}.containers.0`;

describe('the chart', () => {
  it('renders these objects of its own accord, each labelled as Helm wants it', async () => {
    const objects = await render();
    assert.deepEqual(objects.map(titleOf).toSorted(), [
      'ClusterRole genesis-rollout',
      'ClusterRole genesis-rollout-approve',
      'ClusterRole genesis-rollout-author',
      'ClusterRole genesis-rollout-edit',
      'ClusterRole genesis-rollout-view',
      'ClusterRoleBinding genesis-rollout',
      'ConfigMap genesis-system/genesis-rollout',
      'CustomResourceDefinition genesisdecisions.genesis.dev',
      'CustomResourceDefinition genesisrollouts.genesis.dev',
      'Deployment genesis-system/genesis-rollout',
      'Pod genesis-system/genesis-rollout-test',
      'PodDisruptionBudget genesis-system/genesis-rollout',
      'Role genesis-system/genesis-rollout-leader',
      'RoleBinding genesis-system/genesis-rollout-leader',
      'Service genesis-system/genesis-rollout-metrics',
      'ServiceAccount genesis-system/genesis-rollout',
      'ValidatingAdmissionPolicy authors.genesis.dev',
      'ValidatingAdmissionPolicy decisions.genesis.dev',
      'ValidatingAdmissionPolicyBinding authors.genesis.dev',
      'ValidatingAdmissionPolicyBinding decisions.genesis.dev',
    ]);
    for (const object of objects) {
      const { labels = {} } = object.metadata as { labels?: Record<string, string> };
      assert.equal(labels['app.kubernetes.io/instance'], 'genesis-rollout', titleOf(object));
      assert.equal(labels['app.kubernetes.io/managed-by'], 'Helm', titleOf(object));
    }
  });

  it('lets no two pods run side by side where nobody elects a leader', async () => {
    const strategyOf = async (values: object): Promise<unknown> =>
      field(only(await render(values), 'Deployment'), 'spec.strategy.type');
    assert.equal(await strategyOf({}), 'RollingUpdate');
    assert.equal(await strategyOf({ replicas: 1, leaderElection: { enabled: false } }), 'Recreate');
  });

  it('runs under the pod security standard restricted', async () => {
    const objects = await render();
    const deployment = only(objects, 'Deployment');
    assert.deepEqual(field(deployment, `${pod}.securityContext`), {
      runAsNonRoot: true,
      runAsUser: 65_532,
      runAsGroup: 65_532,
      fsGroup: 65_532,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    const container = {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    };
    assert.deepEqual(field(deployment, `${controller}.securityContext`), container);
    const test = only(objects, 'Pod');
    assert.deepEqual(field(test, 'spec.containers.0.securityContext'), container);
    assert.equal(field(only(objects, 'ServiceAccount'), 'automountServiceAccountToken'), false);
  });

  it('keeps the CRDs on uninstall, and knows the version of their schema', async () => {
    for (const name of ['genesisrollouts.genesis.dev', 'genesisdecisions.genesis.dev']) {
      const crd = only(await render(), 'CustomResourceDefinition', name);
      const annotations = field(crd, 'metadata.annotations') as Record<string, string>;
      assert.equal(annotations['helm.sh/resource-policy'], 'keep');
      assert.equal(annotations['genesis.dev/schema-version'], '1');
    }
  });

  it('names a second release by its own name', async () => {
    const objects = await render({ crds: { install: false } }, { release: 'blue' });
    assert.equal(only(objects, 'Deployment').metadata.name, 'blue-genesis-rollout');
    assert.deepEqual(
      objects.filter(({ kind }) => kind === 'CustomResourceDefinition'),
      [],
    );
  });
});

describe('watchNamespaces', () => {
  it('gives a Role in each namespace, and cluster-wide only three reads by name', async () => {
    const objects = await render({ watchNamespaces: ['shop', 'search'] });
    const roles = objects.filter(({ kind }) => kind === 'Role').map(titleOf);
    assert.deepEqual(roles.toSorted(), [
      'Role genesis-system/genesis-rollout-leader',
      'Role search/genesis-rollout',
      'Role shop/genesis-rollout',
    ]);
    const rules = field(only(objects, 'ClusterRole', 'genesis-rollout'), 'rules') as object[];
    for (const rule of rules) {
      assert.deepEqual(field(rule, 'verbs'), ['get']);
      assert.notEqual(field(rule, 'resourceNames'), undefined);
    }
    assert.deepEqual(configOf(objects)['namespace'], ['search', 'shop']);
  });

  it('gives the same rights there as cluster-wide', async () => {
    const inOne = await render({ watchNamespaces: ['shop'] });
    const everywhere = await render();
    const role = inOne.find(
      ({ kind, metadata }) => kind === 'Role' && metadata.namespace === 'shop',
    );
    const few = field(only(inOne, 'ClusterRole', 'genesis-rollout'), 'rules') as object[];
    const rules = field(role, 'rules') as object[];
    assert.deepEqual(
      [...rules, ...few],
      field(only(everywhere, 'ClusterRole', 'genesis-rollout'), 'rules'),
    );
  });

  it('gives nothing cluster-wide where clusterReads is off', async () => {
    const values = {
      watchNamespaces: ['shop'],
      rbac: { clusterReads: false, aggregateRoles: false },
    };
    const objects = await render(values);
    assert.deepEqual(
      objects.filter(({ kind }) => kind.startsWith('ClusterRole')),
      [],
    );
  });
});

describe('the configuration', () => {
  it('says what the chart decides, and what the values say', async () => {
    const config = configOf(
      await render({
        config: { prometheusUrl: 'http://prometheus:9090', lease: { duration: '30s' } },
        ports: { metrics: 9100 },
      }),
    );
    assert.deepEqual(config, {
      healthAddress: ':8081',
      leaderElect: true,
      lease: { duration: '30s', name: 'genesis-rollout' },
      metricsAddress: ':9100',
      prometheusUrl: 'http://prometheus:9090',
    });
  });

  it('starts the pods anew when it changes', async () => {
    const sums = await Promise.all(
      [{}, { config: { logLevel: 'debug' } }].map(async (values) =>
        field(
          only(await render(values), 'Deployment'),
          'spec.template.metadata.annotations.checksum/config',
        ),
      ),
    );
    assert.notEqual(sums[0], sums[1]);
  });
});

interface Case {
  readonly says: string;
  readonly values: object;
  readonly kind: string;
  readonly path: string;
  readonly is: unknown;
}

const cases: readonly Case[] = [
  {
    says: 'image.digest wins over the tag',
    values: { image: { tag: 'v9', digest: `sha256:${'0'.repeat(64)}` } },
    kind: 'Deployment',
    path: `${controller}.image`,
    is: `ghcr.io/genesis-rollout/genesis-rollout@sha256:${'0'.repeat(64)}`,
  },
  {
    says: 'global.imageRegistry takes the place of image.registry',
    values: { global: { imageRegistry: 'registry.example' }, image: { tag: 'v9' } },
    kind: 'Deployment',
    path: `${controller}.image`,
    is: 'registry.example/genesis-rollout/genesis-rollout:v9',
  },
  {
    says: 'no registry at all is possible',
    values: { image: { registry: '', repository: 'localhost/genesis', tag: 'dev' } },
    kind: 'Deployment',
    path: `${controller}.image`,
    is: 'localhost/genesis:dev',
  },
  {
    says: 'pull secrets may be names or objects',
    values: { global: { imagePullSecrets: ['a'] }, imagePullSecrets: [{ name: 'b' }] },
    kind: 'Deployment',
    path: `${pod}.imagePullSecrets`,
    is: [{ name: 'a' }, { name: 'b' }],
  },
  {
    says: 'more flags come after the file',
    values: { extraArgs: ['--log-level=debug'] },
    kind: 'Deployment',
    path: `${controller}.args`,
    is: ['--config=/etc/genesis/config/config.yaml', '--log-level=debug'],
  },
  {
    says: 'a priority class is set',
    values: { priorityClassName: 'system-cluster-critical' },
    kind: 'Deployment',
    path: `${pod}.priorityClassName`,
    is: 'system-cluster-critical',
  },
  {
    says: 'a ServiceAccount of somebody else is used',
    values: { serviceAccount: { create: false, name: 'theirs' } },
    kind: 'Deployment',
    path: `${pod}.serviceAccountName`,
    is: 'theirs',
  },
  {
    says: 'a drain may take one pod at a time',
    values: {},
    kind: 'PodDisruptionBudget',
    path: 'spec.maxUnavailable',
    is: 1,
  },
  {
    says: 'or as many as leave a percentage',
    values: { podDisruptionBudget: { minAvailable: '50%' } },
    kind: 'PodDisruptionBudget',
    path: 'spec.minAvailable',
    is: '50%',
  },
  {
    says: 'minAvailable 0 is a number too',
    values: { podDisruptionBudget: { minAvailable: 0 } },
    kind: 'PodDisruptionBudget',
    path: 'spec.minAvailable',
    is: 0,
  },
  {
    says: 'a ServiceMonitor keeps the namespace of the rollout',
    values: { metrics: { serviceMonitor: { enabled: true } } },
    kind: 'ServiceMonitor',
    path: 'spec.endpoints.0.honorLabels',
    is: true,
  },
  {
    says: 'a ServiceMonitor bears the label that Prometheus selects by',
    values: {
      metrics: { serviceMonitor: { enabled: true, additionalLabels: { release: 'kps' } } },
    },
    kind: 'ServiceMonitor',
    path: 'metadata.labels.release',
    is: 'kps',
  },
  {
    says: 'the network policy opens the port of config.prometheusUrl',
    values: {
      networkPolicy: { enabled: true },
      config: { prometheusUrl: 'http://p.monitoring:9090/x' },
    },
    kind: 'NetworkPolicy',
    path: 'spec.egress.2.ports.0.port',
    is: 9090,
  },
  {
    says: 'which is 443 where the URL names none and is https',
    values: {
      networkPolicy: { enabled: true },
      config: { prometheusUrl: 'https://thanos.example' },
    },
    kind: 'NetworkPolicy',
    path: 'spec.egress.2.ports.0.port',
    is: 443,
  },
  {
    says: 'and to Alertmanager and Grafana, where they are named',
    values: {
      networkPolicy: { enabled: true },
      config: { alertmanagerUrl: 'http://am.monitoring:9093', grafanaUrl: 'http://grafana' },
    },
    kind: 'NetworkPolicy',
    path: 'spec.egress.3.ports.0.port',
    is: 80,
  },
  {
    says: 'the dashboard bears the label of the sidecar',
    values: { metrics: { dashboards: { enabled: true, label: 'board', labelValue: 'yes' } } },
    kind: 'ConfigMap genesis-rollout-dashboard',
    path: 'metadata.labels.board',
    is: 'yes',
  },
  {
    says: 'extra objects are templates, as maps',
    values: {
      extraObjects: [
        { apiVersion: 'v1', kind: 'Secret', metadata: { name: '{{ .Release.Name }}-x' } },
      ],
    },
    kind: 'Secret',
    path: 'metadata.name',
    is: 'genesis-rollout-x',
  },
  {
    says: 'extra objects are templates, as text',
    values: {
      extraObjects: ['apiVersion: v1\nkind: Secret\nmetadata: {name: "{{ .Release.Name }}-y"}'],
    },
    kind: 'Secret',
    path: 'metadata.name',
    is: 'genesis-rollout-y',
  },
];

describe('values', () => {
  for (const { says, values, kind, path, is } of cases) {
    it(says, async () => {
      const [type = '', name] = kind.split(' ');
      assert.deepEqual(field(only(await render(values), type, name), path), is);
    });
  }

  it('pods are spread over nodes by their own labels', async () => {
    const deployment = only(await render(), 'Deployment');
    const [spread] = field(deployment, `${pod}.topologySpreadConstraints`) as object[];
    assert.equal(field(spread, 'topologyKey'), 'kubernetes.io/hostname');
    assert.deepEqual(field(spread, 'labelSelector'), field(deployment, 'spec.selector'));
  });

  it('secretMounts become files', async () => {
    const values = {
      secretMounts: [{ name: 'prometheus', mountPath: '/etc/genesis/prometheus' }],
      notifications: { secretName: 'channels' },
    };
    const deployment = only(await render(values), 'Deployment');
    const mounts = field(deployment, `${controller}.volumeMounts`) as {
      mountPath: string;
      readOnly?: boolean;
    }[];
    for (const path of ['/etc/genesis/prometheus', '/etc/genesis/notifications']) {
      assert.equal(mounts.find(({ mountPath }) => mountPath === path)?.readOnly, true);
    }
    const volumes = field(deployment, `${pod}.volumes`) as object[];
    assert.deepEqual(
      volumes.flatMap((volume) => field(volume, 'secret.secretName') ?? []),
      ['prometheus', 'channels'],
    );
  });

  it('one replica needs no disruption budget', async () => {
    const objects = await render({ replicas: 1 });
    assert.deepEqual(
      objects.filter(({ kind }) => kind === 'PodDisruptionBudget'),
      [],
    );
  });

  it('Secrets of channels may be read by name, where the operator is', async () => {
    const secret = (name: string) => ({ secret: { name, key: 'it' } });
    const channels = [
      { name: 'a', slack: { webhookUrl: secret('slack') }, tls: { ca: secret('ca') } },
      { name: 'b', webhook: { url: 'https://example.com', secret: secret('hook') } },
      { name: 'c', pagerDuty: { routingKey: { file: '/etc/genesis/notifications/key' } } },
    ];
    const objects = await render({ config: { notifications: { channels } } });
    const role = only(objects, 'Role', 'genesis-rollout-channels');
    assert.deepEqual(field(role, 'rules'), [
      {
        apiGroups: [''],
        resources: ['secrets'],
        resourceNames: ['ca', 'hook', 'slack'],
        verbs: ['get'],
      },
    ]);
  });

  it('only the Secrets that are named may be read', async () => {
    const objects = await render({ rbac: { secretNames: ['prometheus-token'] } });
    const rules = field(only(objects, 'ClusterRole', 'genesis-rollout'), 'rules') as object[];
    const rule = rules.find((one) => String(field(one, 'resources.0')) === 'secrets');
    assert.deepEqual(field(rule, 'resourceNames'), ['prometheus-token']);
  });

  it('every kind of route that a router serves may be written', async () => {
    const rules = field(only(await render(), 'ClusterRole', 'genesis-rollout'), 'rules') as {
      apiGroups: string[];
      resources: string[];
      verbs: string[];
    }[];
    for (const { group, plural } of routeResources) {
      const rule = rules.find(
        ({ apiGroups, resources }) => apiGroups.includes(group) && resources.includes(plural),
      );
      assert.ok(rule?.verbs.includes('patch'), `${plural}.${group} may not be patched`);
    }
  });

  it('rights that are not allowed are not given', async () => {
    const objects = await render({
      rbac: { allow: { secrets: false, jobs: false, restarts: false, monitoring: false } },
    });
    const rules = field(only(objects, 'ClusterRole', 'genesis-rollout'), 'rules') as {
      resources: string[];
    }[];
    const resources = rules.flatMap((rule) => rule.resources);
    for (const one of ['secrets', 'jobs', 'pods', 'pods/log', 'deployments', 'prometheusrules'])
      assert.ok(!resources.includes(one), one);
  });

  it('Jobs are allowed without the logs of their pods', async () => {
    for (const podLogs of [true, false]) {
      const objects = await render({ rbac: { allow: { podLogs } } });
      const rules = field(only(objects, 'ClusterRole', 'genesis-rollout'), 'rules') as {
        resources: string[];
        verbs: string[];
      }[];
      assert.ok(rules.some(({ resources }) => resources.includes('jobs')));
      const verbs = rules.flatMap((rule) =>
        rule.resources.includes('pods/log') ? rule.verbs : [],
      );
      assert.deepEqual(verbs, podLogs ? ['get'] : []);
    }
  });

  it('an alert can be left out, and given labels and a runbook', async () => {
    const prometheusRule = {
      enabled: true,
      disabled: { GenesisTrafficDrift: true },
      alertLabels: { team: 'release' },
      runbookUrl: 'https://runbooks.example/genesis/',
    };
    const rule = only(await render({ metrics: { prometheusRule } }), 'PrometheusRule');
    const rules = field(rule, 'spec.groups.0.rules') as {
      alert: string;
      labels: Record<string, string>;
      annotations: Record<string, string>;
    }[];
    assert.ok(rules.length >= 8);
    assert.ok(!rules.some(({ alert }) => alert === 'GenesisTrafficDrift'));
    for (const { alert, labels, annotations } of rules) {
      assert.equal(labels['team'], 'release');
      assert.match(labels['severity'] ?? '', /^(critical|warning|info)$/);
      assert.equal(
        annotations['runbook_url'],
        `https://runbooks.example/genesis/${alert.toLowerCase()}`,
      );
      assert.notEqual(annotations['description'], undefined);
    }
  });
});

const refused: readonly {
  readonly says: string;
  readonly values: object;
  readonly words: RegExp;
}[] = [
  {
    says: 'a name that is not there',
    values: { replica: 3 },
    words: /additional properties 'replica' not allowed/,
  },
  {
    says: 'a text where a number belongs',
    values: { replicas: 'two' },
    words: /'\/replicas': got string, want integer/,
  },
  {
    says: 'a field that the controller does not know',
    values: { config: { promURL: 'x' } },
    words: /'\/config': additional properties 'promURL' not allowed/,
  },
  {
    says: 'a log level that there is not',
    values: { config: { logLevel: 'loud' } },
    words: /'\/config\/logLevel': value must be one of 'debug', 'info', 'warn', 'error'/,
  },
  {
    says: 'a bad digest',
    values: { image: { digest: 'abc' } },
    words: /'\/image\/digest': 'abc' does not match pattern/,
  },
  {
    says: 'several replicas without a leader',
    values: { leaderElection: { enabled: false } },
    words: /replicas is 2 and leaderElection\.enabled is false: .*set replicas to 1/,
  },
  {
    says: 'one port for two servers',
    values: { ports: { metrics: 8081 } },
    words: /ports\.metrics and ports\.health are both 8081/,
  },
  {
    says: 'two budgets at once',
    values: { podDisruptionBudget: { minAvailable: 1, maxUnavailable: 1 } },
    words: /set at most one of them/,
  },
  {
    says: 'a ServiceMonitor without a Service',
    values: { metrics: { service: { enabled: false }, serviceMonitor: { enabled: true } } },
    words: /a ServiceMonitor needs the Service/,
  },
];

describe('is refused with a sentence:', () => {
  for (const { says, values, words } of refused) {
    it(says, async () => {
      assert.match(await refusal(values), words);
    });
  }
});

function configOf(objects: readonly KubeObject[]): Record<string, unknown> {
  const map = only(objects, 'ConfigMap', 'genesis-rollout');
  const data = map['data'] as Record<string, string>;
  return parse(data['config.yaml'] ?? '') as Record<string, unknown>;
}
