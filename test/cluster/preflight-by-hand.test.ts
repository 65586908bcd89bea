/**
 * `kubectl genesis preflight` against a real API server, a real Prometheus and a real Alertmanager: straight, and where the
 * machine has an address that the API server takes, through the API server's proxy.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { stringify } from 'yaml';
import type { Terminal } from '#cli/command.ts';
import type { ChainFinding, ChainReport } from '#core/chain.ts';
import { openKubectlClient } from '#kube/kubectl-client.ts';
import { systemClock as clock } from '#runtime/clock.ts';
import {
  type Alertmanager,
  type ControlPlane,
  createRunFolder,
  type KubeObject,
  type Prometheus,
  type RunFolder,
  startAlertmanager,
  startControlPlane,
  startPrometheus,
} from '#scripts/testbed/index.ts';
import { type Printed, runCli } from '#test/cli/terminal.ts';
import { type LocalServer, listenLocally } from '#test/local-server.ts';
import { roleFor } from './people.ts';
import { pollUntil } from './testbed-polling.ts';

const NAMESPACE = 'shop';
const WITHIN_MS = 60_000;
/** The API server leads to no loopback address. */
const ownAddress = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

const METRICS = `# TYPE errors gauge
errors{service="old"} 0
errors{service="new"} 0
`;
/** `alice` may go through the API server, `bob` may only read. */
const users = ['alice', 'bob'].map((name) => ({ name }));

let folder: RunFolder;
let exporter: LocalServer;
let alertmanager: Alertmanager;
let prometheus: Prometheus;
let plane: ControlPlane;
let portOfPrometheus: string;

before(async () => {
  folder = await createRunFolder();
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(METRICS);
  });
  [exporter, alertmanager, plane] = await Promise.all([
    listenLocally(server),
    startAlertmanager({ webhookUrl: 'http://127.0.0.1:9/' }),
    startControlPlane({ crds: ['crds'], controllerManager: false, users }),
  ]);
  prometheus = await startPrometheus({
    address: ownAddress ?? '127.0.0.1',
    config: await prometheusConfig(),
  });
  portOfPrometheus = new URL(prometheus.url).port;
  await prometheus.untilScraped();
  for (const object of objects()) await plane.client.apply(object);
  if (ownAddress !== undefined) await makePod(ownAddress);
});
after(async () => {
  await Promise.all([prometheus.stop(), alertmanager.stop(), plane.stop()]);
  exporter.stop();
  await folder.remove();
});

async function prometheusConfig(): Promise<object> {
  const rules = join(folder.path, 'rules.yaml');
  const rule = { alert: 'CheckoutErrors', expr: 'errors > 1', labels: { severity: 'critical' } };
  await writeFile(rules, stringify({ groups: [{ name: 'checkout', rules: [rule] }] }));
  const targetsOf = (url: string) => [{ targets: [new URL(url).host] }];
  return {
    // Long enough that a machine which is busy for a moment misses no scrape: one in an hour is too many.
    global: { scrape_interval: '5s', scrape_timeout: '5s', evaluation_interval: '5s' },
    rule_files: [rules],
    scrape_configs: [{ job_name: 'checkout', static_configs: targetsOf(exporter.url) }],
    alerting: { alertmanagers: [{ static_configs: targetsOf(alertmanager.url) }] },
  };
}

function rollout(name: string, query: string, url = prometheus.url): KubeObject {
  return {
    apiVersion: 'genesis.dev/v1alpha1',
    kind: 'GenesisRollout',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      revision: 'v2',
      analysis: { interval: '1s', prometheus: { url } },
      traffic: {
        stable: { service: 'old', port: 80 },
        canary: { service: 'new', port: 80 },
        routes: [{ kind: 'HTTPRoute', name: 'web' }],
      },
      preflight: { alertRules: ['CheckoutErrors'] },
      triggers: [{ name: 'errors', severity: 'Critical', query, condition: '> 1', for: '1m' }],
    },
  };
}

const QUERY = 'max(errors{service="$(arm.service)"})';

function objects(): KubeObject[] {
  const namespaces = [NAMESPACE, 'monitoring'].map((name) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name },
  }));
  const port = Number(portOfPrometheus);
  const service = (name: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'monitoring' },
    spec: { ports: [{ port: 9090 }] },
  });
  const targetRef = { kind: 'Pod', namespace: 'monitoring', name: 'prometheus-0' };
  const endpoints = (name: string, subsets: readonly object[]): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name, namespace: 'monitoring' },
    subsets,
  });
  const addresses = ownAddress === undefined ? [] : [{ ip: ownAddress, targetRef }];
  const proxied = (name: string, of: string) =>
    rollout(name, QUERY, `http://${of}.monitoring.svc:9090`);
  const reading = [
    { apiGroups: ['genesis.dev'], resources: ['genesisrollouts'], verbs: ['get', 'list'] },
    { apiGroups: [''], resources: ['services'], verbs: ['get'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list'] },
  ];
  const leading = [{ apiGroups: [''], resources: ['services/proxy'], verbs: ['get', 'create'] }];
  return [
    ...namespaces,
    service('prometheus'),
    service('empty'),
    endpoints('prometheus', addresses.length === 0 ? [] : [{ addresses, ports: [{ port }] }]),
    endpoints('empty', []),
    ...roleFor(NAMESPACE, 'reads', reading, ['alice', 'bob']),
    ...roleFor('monitoring', 'leads', leading, ['alice']),
    rollout('checkout', QUERY),
    rollout('misspelt', 'max(eror{service="$(arm.service)"})'),
    proxied('inside', 'prometheus'),
    proxied('idle', 'empty'),
  ];
}

/** The API server leads to no address that is not a pod's. */
async function makePod(ip: string): Promise<void> {
  const metadata = { name: 'prometheus-0', namespace: 'monitoring' };
  const { client } = plane;
  const account = { apiVersion: 'v1', kind: 'ServiceAccount' };
  await client.apply({ ...account, metadata: { name: 'default', namespace: 'monitoring' } });
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata };
  await client.apply({ ...pod, spec: { containers: [{ name: 'prometheus', image: 'none' }] } });
  const status = { phase: 'Running', podIP: ip, podIPs: [{ ip }] };
  await client.patch({ ...pod, ...metadata }, { status }, 'status');
}

/** In the name of a user, with kubectl's flags in place of a kubeconfig. */
function as(user: string, ...argv: readonly string[]): Promise<Printed> {
  const { url, caFile, tokens } = plane;
  const connect: Terminal['connect'] = (options) =>
    Promise.resolve().then(() =>
      openKubectlClient({ ...options, env: {}, clock, version: 'test' }),
    );
  const who = ['--server', url, '--certificate-authority', caFile, '--token', tokens[user] ?? ''];
  return runCli(['preflight', ...argv, '-n', NAMESPACE, ...who], { connect });
}

/** Rules are evaluated, and Alertmanagers discovered, some time after the start. */
async function untilFine(user: string, ...argv: readonly string[]): Promise<Printed> {
  const printed = await pollUntil(
    () => as(user, ...argv),
    ({ code }) => code === 0,
    WITHIN_MS,
  );
  assert.equal(printed.code, 0, printed.out + printed.err);
  return printed;
}

function findingsOf({ out }: Printed): readonly ChainFinding[] {
  const report: ChainReport = JSON.parse(out);
  return report.findings;
}

describe('preflight by hand', () => {
  test('a chain that is whole ends with 0', async () => {
    const { out, err } = await untilFine('bob', 'checkout');
    assert.equal(err, '');
    assert.match(out, /^shop\/checkout/);
    assert.match(out, /✔ alertmanager +up, found by Prometheus/);
    assert.match(
      out,
      /alert rule CheckoutErrors\n(.*\n)* +✔ receiver +alert CheckoutErrors is received by people/,
    );
    assert.match(out, /canary +there is no Service new/);
  });

  test('a name that no metric has ends with 5 and is named, with the one that is meant', async () => {
    const { code, out } = await as('bob', 'misspelt');
    assert.equal(code, 5, out);
    assert.match(out, /✖ metric +metric eror/);
    assert.match(out, /cause: it has never existed/);
    assert.match(out, /mend: .*errors/);
    assert.match(out, /Preflight fails: .*metric of trigger errors/);
  });

  test('a test alert reaches the real Alertmanager, which names its receiver, and is resolved', async () => {
    await untilFine('bob', 'checkout');
    const printed = await as('bob', 'checkout', '--fire-alert', '-o', 'json');
    const fired = findingsOf(printed).filter(({ of }) => of === 'the test alert');
    assert.deepEqual(
      fired.map(({ link, verdict }) => [link, verdict]),
      [['receiver', 'fine']],
    );
    assert.match(fired[0]?.message ?? '', /knew it after \d+\.\d s; receiver: people$/);
    const url = `${alertmanager.url}/metrics`;
    const metrics = await pollUntil(
      async () => await (await fetch(url)).text(),
      (text) => /alerts_received_total\{status="resolved"[^}]*\} 1/.test(text),
      WITHIN_MS,
    );
    assert.match(metrics, /alerts_received_total\{status="firing"[^}]*\} 1/);
    assert.match(metrics, /alerts_received_total\{status="resolved"[^}]*\} 1/);
    const filter = encodeURIComponent('genesis_test="true"');
    const left = await pollUntil(
      async () => await (await fetch(`${alertmanager.url}/api/v2/alerts?filter=${filter}`)).json(),
      (alerts) => Array.isArray(alerts) && alerts.length === 0,
      WITHIN_MS,
    );
    assert.deepEqual(left, []);
  });
});

describe('a Prometheus inside the cluster', () => {
  test("is asked through the API server's proxy", async (context) => {
    if (ownAddress === undefined) {
      context.diagnostic('this machine has no address to which the API server would lead');
      return;
    }
    const { out, err } = await untilFine('alice', 'inside');
    assert.equal(err, '');
    assert.match(
      out,
      /prometheus +up, http:\/\/prometheus\.monitoring\.svc:9090 \(through the API/,
    );
    assert.doesNotMatch(out, /127\.0\.0\.1:\d+\/[0-9a-f]{32}/);
  });

  test('is not asked by whoever may not go through the API server', async () => {
    const { code, out, err } = await as('bob', 'inside');
    assert.equal(code, 4, out + err);
    assert.match(err, /User "bob" cannot create resource "services\/proxy"/);
    assert.match(err, /verbs get and create on services\/proxy in namespace monitoring/);
  });

  test("that has no endpoint is a broken link, in the API server's words", async () => {
    const { code, out } = await as('alice', 'idle');
    assert.equal(code, 5, out);
    assert.match(out.replaceAll(/\s+/g, ' '), /no endpoints available for service "empty/);
  });
});
