/** The whole node itself: containers run, Services lead to them, logs and exec work, and nothing is left. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { images } from '#scripts/images/images.ts';
import {
  type ControlPlane,
  startControlPlane,
  startNode,
  toolPath,
  type WholeNode,
} from '#scripts/testbed/index.ts';
import { pollUntil } from '#test/cluster/testbed-polling.ts';

const labels = { app: 'checkout' };

describe('a whole node', { timeout: 300_000 }, () => {
  let plane: ControlPlane;
  let node: WholeNode;
  before(async () => {
    plane = await startControlPlane({ node: true });
    node = await startNode({ plane, images: [images.checkout.archive] });
  });
  after(async () => {
    await node?.stop();
    await plane?.stop();
  });

  const kubectl = async (...args: readonly string[]) => {
    const command = ['--kubeconfig', plane.kubeconfigPath, ...args];
    return (await promisify(execFile)(await toolPath('kubectl'), command, { timeout: 60_000 }))
      .stdout;
  };

  test('runs the pods of a Deployment until they are Ready', async () => {
    await plane.client.apply(deployment);
    await plane.client.apply(service);
    const reference = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      namespace: 'default',
      name: 'checkout',
    };
    await plane.client.waitFor(
      reference,
      ({ status }) => (status as { readyReplicas?: number }).readyReplicas === 2,
      90_000,
    );
  });

  test('leads from a Service’s own address to both pods, and by its name from inside', async () => {
    const found = await plane.client.get({
      apiVersion: 'v1',
      kind: 'Service',
      namespace: 'default',
      name: 'checkout',
    });
    const { clusterIP } = (found?.['spec'] ?? {}) as { clusterIP?: string };
    const answer = await pollUntil(
      async () =>
        await fetch(`http://${clusterIP}/`, { signal: AbortSignal.timeout(5_000) }).then(
          async (response) => await response.text(),
          String,
        ),
      (text) => text.includes('"ok":true'),
      30_000,
    );
    assert.deepEqual(JSON.parse(answer), { version: 'v1', ok: true });
    const program = `fetch('http://checkout.default/').then((response) => response.text()).then(console.log)`;
    const inside = await kubectl(
      'exec',
      'deployment/checkout',
      '--',
      '/nodejs/bin/node',
      '-e',
      program,
    );
    assert.deepEqual(JSON.parse(inside), { version: 'v1', ok: true });
  });

  test('shows logs, and pods reach the API server', async () => {
    assert.match(
      await kubectl('logs', 'deployment/checkout'),
      /checkout v1 listens on 0\.0\.0\.0:8080/,
    );
    const program = `fetch('https://' + process.env.KUBERNETES_SERVICE_HOST + '/version').then((r) => r.json()).then((v) => console.log(v.gitVersion))`;
    const authority = 'NODE_EXTRA_CA_CERTS=/var/run/secrets/kubernetes.io/serviceaccount/ca.crt';
    const command = `process.env.${authority.replace('=', "='")}'; require('node:child_process').spawnSync(process.execPath, ['-e', ${JSON.stringify(program)}], { stdio: 'inherit' })`;
    const version = await kubectl(
      'exec',
      'deployment/checkout',
      '--',
      '/nodejs/bin/node',
      '-e',
      command,
    );
    assert.match(version, /^v1\.\d+\.\d+$/m);
  });

  test('is gone when it is stopped: no container, no mount, no network of a pod', async () => {
    await node.stop();
    const mounts = await readFile('/proc/self/mounts', 'utf8');
    assert.deepEqual(
      mounts.split('\n').filter((line) => /overlay|netns|kubelet/.test(line)),
      [],
    );
    const { stdout } = await promisify(execFile)('ip', ['-brief', 'link']);
    assert.deepEqual(stdout.match(/^veth\S+/gm) ?? [], []);
    const { stdout: processes } = await promisify(execFile)('ps', ['-eo', 'comm']);
    assert.doesNotMatch(processes, /containerd|kubelet|kube-proxy/);
  });
});

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'checkout', namespace: 'default' },
  spec: {
    replicas: 2,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        containers: [
          {
            name: 'checkout',
            image: images.checkout.tag,
            imagePullPolicy: 'Never',
            args: ['--version=v1', '--namespace=default', '--service=checkout'],
            readinessProbe: { httpGet: { path: '/metrics', port: 9090 }, periodSeconds: 1 },
          },
        ],
      },
    },
  },
};

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'checkout', namespace: 'default' },
  spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
};
