/**
 * What people see, from end to end: the sample exporter of the Genesis pack and a real operator with its rollout, scraped by the real
 * Prometheus. Every query of every panel must answer something, and every rule must be loaded and healthy.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import type { RolloutStatus } from '#api/status.ts';
import { toNotifications } from '#config/channels.ts';
import { notificationsSchema } from '#config/notifications.ts';
import { type Dashboard, queriesOf } from '#dashboards/grafana.ts';
import { manifestSource } from '#dashboards/source.ts';
import { silentLogger } from '#ports/logger.ts';
import { systemClock } from '#runtime/clock.ts';
import { operatorDashboard } from '#scripts/gen/mixin/dashboard.ts';
import { packGroups } from '#scripts/gen/pack/alerts.ts';
import { packDashboard } from '#scripts/gen/pack/dashboard.ts';
import { CommandError, run } from '#scripts/testbed/command.ts';
import {
  type ControlPlane,
  gatewayApiCrds,
  type KubeObject,
  type Part,
  type Prometheus,
  prometheusOperatorCrds,
  startControlPlane,
  startPart,
  startPrometheus,
  withFreePorts,
} from '#scripts/testbed/index.ts';
import { metricsRoutes } from '#server/routes.ts';
import { startServers } from '#server/server.ts';
import { createTelemetry } from '#telemetry/metrics.ts';
import { armObjects } from '#test/arm.ts';
import { type Operator, startOperator } from '../../src/operator.ts';
import { pollUntil } from './testbed-polling.ts';

const namespace = 'genesis';
const root = join(import.meta.dirname, '../..');
const WITHIN_MS = 60_000;

let plane: ControlPlane;
let exporter: { readonly part: Part; readonly port: number };
let prometheus: Prometheus;
let operator: Operator;
let servers: Awaited<ReturnType<typeof startServers>>;
let requests: NodeJS.Timeout;

before(
  async () => {
    const crds = ['crds', ...(await gatewayApiCrds()), ...(await prometheusOperatorCrds())];
    plane = await startControlPlane({ kwok: true, crds });
    exporter = await startExporter();
    const telemetry = createTelemetry({ version: 'test', clock: systemClock });
    const address = { type: 'listen', host: '127.0.0.1', port: 0 } as const;
    servers = await startServers(
      [{ name: 'metrics', address, routes: metricsRoutes(telemetry) }],
      silentLogger,
    );
    const rules = join(plane.runFolder, 'rules.json');
    await writeFile(rules, JSON.stringify({ groups: packGroups }));
    prometheus = await startPrometheus({
      config: {
        global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
        rule_files: [join(plane.runFolder, 'rules*.json')],
        scrape_configs: [
          scrape('genesis', `127.0.0.1:${exporter.port}`, { service: 'genesis-canary' }),
          {
            ...scrape('genesis-rollout', new URL(servers.url('metrics') ?? '').host, {}),
            honor_labels: true,
          },
        ],
      },
    });
    operator = await startOperator({
      version: 'test',
      source: { type: 'file', path: plane.kubeconfigPath },
      namespaces: [namespace],
      concurrency: 8,
      allowLoopbackUrls: true,
      prometheus: () => ({ url: prometheus.url, headers: {}, tls: {} }),
      query: { timeoutMs: 3_000, concurrencyMax: 8, responseBytesMax: 1_000_000 },
      lease: undefined,
      evidenceDirectory: undefined,
      manifests: manifestSource({
        makes: { prometheusrule: true, servicemonitor: true, dashboard: true },
        labels: { release: 'kps' },
        runbookUrl: 'https://books.example',
      }),
      notifications: toNotifications(notificationsSchema.parse({})),
      ownNamespace: namespace,
      readText: (path) => readFileSync(path, 'utf8'),
      client: { requestsPerSecond: 200, burst: 400 },
      clock: systemClock,
      logger: silentLogger,
      telemetry,
    });
    for (const object of objects()) await plane.client.apply(object);
    // Canary is asked all the time, so that there are rates.
    requests = setInterval(() => {
      fetch(`http://127.0.0.1:${exporter.port}/work`).catch(() => undefined);
    }, 200);
    await plane.client.waitFor(
      reference('genesis.dev/v1alpha1', 'GenesisRollout', 'genesis'),
      (object) => {
        const status: RolloutStatus = object['status'] ?? {};
        return status.weight === 50 && status.stepEnteredAt !== undefined;
      },
      WITHIN_MS,
    );
  },
  { timeout: 170_000 },
);

after(async () => {
  clearInterval(requests);
  await operator?.stop();
  await servers?.close(AbortSignal.timeout(5_000));
  await prometheus?.stop();
  await exporter?.part.stop();
  await plane?.stop();
});

async function startExporter() {
  return await withFreePorts(1, async ([port = 0]) => ({
    port,
    part: await startPart({
      name: 'exporter',
      command: process.execPath,
      args: [join(root, 'deploy/packs/genesis/exporter/main.mjs')],
      env: { HOST: '127.0.0.1', PORT: String(port), INTERVAL_MS: '500' },
      runFolder: plane.runFolder,
      isReady: async (signal) => (await fetch(`http://127.0.0.1:${port}/health`, { signal })).ok,
      hint: 'It needs nothing but Node.',
    }),
  }));
}

function scrape(job: string, target: string, labels: Readonly<Record<string, string>>) {
  return { job_name: job, static_configs: [{ targets: [target], labels }] };
}

function reference(apiVersion: string, kind: string, name: string) {
  return { apiVersion, kind, namespace, name };
}

/** The pack's own rollout, with a plan of seconds and addresses of this test. */
function objects(): readonly KubeObject[] {
  const text = readFileSync(join(root, 'examples/genesis-48h.yaml'), 'utf8');
  const [document] = parseAllDocuments(text);
  const rollout = document?.toJS() as KubeObject & { spec: Record<string, unknown> };
  const { spec } = rollout;
  const at = (path: string) => `http://127.0.0.1:${exporter.port}${path}`;
  const { featureFlag: _, ...traffic } = spec['traffic'] as Record<string, unknown>;
  // No kubelet and no kube-state-metrics are here to say how much CPU and memory the pods use.
  const isHere = ({ metric, name }: Record<string, unknown>) =>
    !/^(cpu|memory)$/.test(String(metric ?? name));
  const triggers = (spec['triggers'] as Record<string, unknown>[]).filter(isHere);
  const analysis = spec['analysis'] as { metrics: Record<string, unknown>[] };
  const health = {
    name: 'production-health',
    interval: '5s',
    timeout: '4s',
    http: { url: at('/run') },
  };
  const changed = {
    ...spec,
    traffic,
    schedule: {
      steps: [
        { name: 'deploy', at: '0s', weight: 0 },
        { name: 'half', at: '2s', weight: 50 },
        { name: 'full', at: '100h', weight: 100 },
      ],
      end: '101h',
    },
    analysis: {
      ...analysis,
      metrics: analysis.metrics.filter(isHere),
      interval: '1s',
      prometheus: { url: prometheus.url },
    },
    // Here is neither an Alertmanager nor a Grafana, and a busy machine misses a scrape.
    preflight: { policy: 'Advise' },
    healthSuites: [health],
    triggers: triggers.map((trigger) =>
      trigger['probe'] === undefined
        ? trigger
        : { ...trigger, probe: { url: at('/health'), expectStatus: 200 } },
    ),
    rollback: { ...(spec['rollback'] as object), health: { url: at('/health') } },
    snapshots: { interval: '1s' },
    // This operator has no channels.
    notify: [],
    monitoring: { serviceMonitor: { port: 'metrics' } },
  };
  const backend = (name: string, weight: number) => ({ name, port: 8080, weight });
  const rules = [{ backendRefs: [backend('genesis-stable', 100), backend('genesis-canary', 0)] }];
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    ...['genesis-stable', 'genesis-canary'].flatMap((name) => armObjects(namespace, name, 8080)),
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'genesis', namespace },
      spec: { rules },
    },
    { ...rollout, spec: changed },
  ];
}

/** What Grafana puts in before it asks. */
function filled(expr: string): string {
  return expr
    .replaceAll('$__rate_interval', '10s')
    .replaceAll(/\$(namespace|rollout)\b/g, '.*')
    .replaceAll(/\[(5|15)m\]/g, '[10s]');
}

async function emptyQueries(queries: readonly { panel: string; expr: string }[]) {
  const empty: string[] = [];
  for (const { panel, expr } of queries) {
    const found = await pollUntil(
      () => prometheus.query(filled(expr)),
      (samples) => samples.length > 0,
      20_000,
    );
    if (found.length === 0) empty.push(`${panel}: ${expr}`);
  }
  return empty;
}

async function objectOf(apiVersion: string, kind: string, name: string): Promise<KubeObject> {
  const wanted = reference(apiVersion, kind, name);
  const found = await pollUntil(
    () => plane.client.get(wanted),
    (object) => object !== undefined,
    WITHIN_MS,
  );
  assert.ok(found !== undefined, `${kind} ${name}`);
  return found;
}

const made = [
  ['monitoring.coreos.com/v1', 'PrometheusRule', 'genesis-genesis'],
  ['monitoring.coreos.com/v1', 'ServiceMonitor', 'genesis-genesis'],
  ['v1', 'ConfigMap', 'genesis-genesis-dashboard'],
] as const;

/** The queries of a dashboard as JSON, as Grafana reads it. */
function targetsOf(json: string) {
  const { panels } = JSON.parse(json) as {
    panels: { title: string; targets?: { expr: string }[] }[];
  };
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ panel: title, expr })),
  );
}

describe('no panel is empty', () => {
  test('of the dashboard that the operator has made', async () => {
    const object = await objectOf('v1', 'ConfigMap', 'genesis-genesis-dashboard');
    const [json = ''] = Object.values(object['data'] as Record<string, string>);
    const queries = targetsOf(json);
    assert.ok(queries.length > 40, String(queries.length));
    assert.deepEqual(await emptyQueries(queries), []);
  });

  for (const [name, dashboard] of [
    ['of the pack', packDashboard],
    ['of the operator', operatorDashboard],
  ] as readonly (readonly [string, Dashboard])[]) {
    test(name, async () => {
      assert.deepEqual(await emptyQueries(queriesOf(dashboard)), []);
    });
  }

  test('and each step is marked on them', async () => {
    for (const annotations of [packDashboard.annotations]) {
      const steps = annotations.map(({ name, expr }) => ({ panel: name, expr }));
      assert.deepEqual(await emptyQueries(steps), []);
    }
  });
});

describe('what the operator makes', () => {
  test('belongs to the rollout, and is taken as it is by the CRDs of the Prometheus Operator', async () => {
    for (const [apiVersion, kind, name] of made) {
      const { metadata } = await objectOf(apiVersion, kind, name);
      const owners = metadata['ownerReferences'] as { kind: string; name: string }[] | undefined;
      assert.deepEqual(
        owners?.map((owner) => [owner.kind, owner.name]),
        [['GenesisRollout', 'genesis']],
      );
      assert.equal((metadata['labels'] as Record<string, string>)['release'], 'kps');
    }
  });

  test('has rules that Prometheus loads and evaluates', async () => {
    const object = await objectOf('monitoring.coreos.com/v1', 'PrometheusRule', 'genesis-genesis');
    await writeFile(join(plane.runFolder, 'rules-rollout.json'), JSON.stringify(object['spec']));
    await fetch(`${prometheus.url}/-/reload`, { method: 'POST' });
    interface Rule {
      readonly name: string;
      readonly health: string;
      readonly state: string;
    }
    const rulesOf = async () => {
      const response = await fetch(`${prometheus.url}/api/v1/rules?type=alert`);
      const { data } = (await response.json()) as { data: { groups: { rules: Rule[] }[] } };
      return data.groups.flatMap(({ rules }) => rules);
    };
    const rules = await pollUntil(
      rulesOf,
      (found) => found.length > 30 && found.every(({ health }) => health === 'ok'),
      WITHIN_MS,
    );
    const sick = rules.filter(({ health }) => health !== 'ok').map(({ name }) => name);
    assert.deepEqual(sick, []);
    assert.ok(rules.some(({ name }) => name === 'GenesisTriggerErrorRate'));
    assert.ok(rules.some(({ name }) => name === 'OSWorldSuccessRateLow'));
  });

  test('is not written again in a steady state, and follows the spec', async () => {
    const versions = async () =>
      await Promise.all(
        made.map(async ([apiVersion, kind, name]) => {
          const { metadata } = await objectOf(apiVersion, kind, name);
          return metadata['resourceVersion'];
        }),
      );
    const earlier = await versions();
    const looks = async () => {
      const [sample] = await prometheus.query(
        'sum(controller_runtime_reconcile_total{controller="genesisrollout"})',
      );
      return sample?.value ?? 0;
    };
    const from = await looks();
    await pollUntil(looks, (count) => count > from + 5, WITHIN_MS);
    assert.deepEqual(await versions(), earlier);
    const rollout = reference('genesis.dev/v1alpha1', 'GenesisRollout', 'genesis');
    await plane.client.patch(rollout, { spec: { canaryDown: { for: '7m' } } });
    const summary = await pollUntil(
      async () => JSON.stringify(await objectOf(...made[0])),
      (text) => text.includes('no Ready endpoint for 7m'),
      WITHIN_MS,
    );
    assert.match(summary, /no Ready endpoint for 7m/);
  });
});

const ruleObject = z.object({
  spec: z.object({ groups: z.array(z.object({ rules: z.array(z.unknown()) })) }),
});

test('what the pack has for a cluster is taken as it is', async () => {
  await plane.client.applyFiles(join(root, 'deploy/packs/genesis/manifests'));
  const apiVersion = 'monitoring.coreos.com/v1';
  const { spec } = ruleObject.parse(await objectOf(apiVersion, 'PrometheusRule', 'genesis-pack'));
  assert.equal(spec.groups[0]?.rules.length, 18);
});

test('promtool has three things to say about the exporter, which the contract names, and no more', async () => {
  const response = await fetch(`http://127.0.0.1:${exporter.port}/metrics`);
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  const words = await run(prometheus.promtool, ['check', 'metrics'], {
    input: await response.text(),
  }).catch((error: unknown) => {
    assert.ok(error instanceof CommandError);
    return error.message;
  });
  const found = words.split('\n').flatMap((line) => /^genesis_\w+/.exec(line)?.[0] ?? []);
  assert.deepEqual(found.toSorted(), [
    'genesis_langmem_memory_usage_mb',
    'genesis_langmem_p95_latency_ms',
    'genesis_osworld_step_count',
  ]);
});

test('promtool has nothing to say about the operator', async () => {
  const response = await fetch(`${servers.url('metrics')}/metrics`);
  await run(prometheus.promtool, ['check', 'metrics'], { input: await response.text() });
});
