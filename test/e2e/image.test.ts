/** The operator's image, built from the Dockerfile, run as a cluster runs it: as a user without rights, on a root that cannot be written. */
import assert from 'node:assert/strict';
import { chmod, copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { images } from '#scripts/images/images.ts';
import { type ControlPlane, freePorts, startControlPlane } from '#scripts/testbed/index.ts';
import { pollUntil } from '#test/cluster/testbed-polling.ts';

import { createPodman, type Podman, restricted } from './containers.ts';

const imageBytesMax = 200 * 2 ** 20;
const bundleBytesMax = 5 * 2 ** 20;
const { tag, archive } = images.operator;

describe('the image', { timeout: 300_000 }, () => {
  let folder = '';
  let podman: Podman;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'genesis-image-'));
    podman = createPodman(folder);
    await podman.run('load', '--quiet', `--input=${archive}`);
  });
  after(async () => {
    await podman.run('rm', '--all', '--force', '--time=1');
    await rm(folder, { recursive: true, force: true });
  });

  test('is small, belongs to a user without rights, and says what it is', async () => {
    assert.ok((await stat(archive)).size < imageBytesMax);
    const [found] = JSON.parse(await podman.run('image', 'inspect', tag));
    assert.equal(found.Config.User, '65532:65532');
    assert.deepEqual(found.Config.Entrypoint, ['/nodejs/bin/node', '/app/controller.mjs']);
    for (const [label, wanted] of [
      ['title', /^genesis-rollout$/],
      ['description', /operator/],
      ['licenses', /^Apache-2\.0$/],
      ['version', /^\d+\.\d+\.\d+$/],
      ['revision', /^(?:[0-9a-f]{40}|unknown)$/],
    ] as const) {
      assert.match(found.Labels[`org.opencontainers.image.${label}`] ?? '', wanted, label);
    }
  });

  test('holds the two bundles and the licence, and nothing else of the build', async () => {
    const list = `
      const fs = require('node:fs');
      const files = (folder) => fs.readdirSync(folder).map((name) => [name, fs.statSync(folder + '/' + name).size]);
      console.log(JSON.stringify({ root: fs.readdirSync('/'), app: files('/app'), uid: process.getuid() }));`;
    const entry = '--entrypoint=/nodejs/bin/node';
    const found = JSON.parse(
      await podman.run('run', '--rm', ...restricted, entry, tag, '-e', list),
    );
    assert.equal(found.uid, 65_532);
    assert.deepEqual(found.app.map(([name]: [string]) => name).toSorted(), [
      'controller.mjs',
      'kubectl-genesis.mjs',
    ]);
    for (const [name, bytes] of found.app) assert.ok(bytes > 0 && bytes < bundleBytesMax, name);
    for (const name of ['src', 'root', 'node_modules']) assert.ok(!found.root.includes(name), name);
  });

  test('explains its flags, and refuses a wrong one with a sentence', async () => {
    const help = await podman.run('run', '--rm', ...restricted, tag, '--help');
    assert.match(help, /--prometheus-url URL/);
    const wrong = podman.start('wrong', [...restricted, tag, '--concurency=3']);
    assert.equal(await wrong.ended, 2);
    assert.match(wrong.output(), /error: .*--concurrency/);
  });

  test('runs the command line too', async () => {
    const entry = '--entrypoint=/nodejs/bin/node';
    const program = '/app/kubectl-genesis.mjs';
    const help = await podman.run('run', '--rm', ...restricted, entry, tag, program, '--help');
    assert.match(help, /simulate/);
  });

  test('answers on /healthz and /readyz, and ends in order when it is asked to', async () => {
    const plane = await startControlPlane({ controllerManager: false, crds: ['crds'] });
    try {
      await runOperator(plane);
    } finally {
      await plane.stop();
    }
  });

  async function runOperator(plane: ControlPlane): Promise<void> {
    const [health = 0] = await freePorts(1);
    const kubeconfig = join(folder, 'kubeconfig');
    await copyFile(plane.kubeconfigPath, kubeconfig);
    // The user inside is nobody here.
    await chmod(folder, 0o755);
    await chmod(kubeconfig, 0o644);
    const container = podman.start('operator', [
      ...restricted,
      `--volume=${kubeconfig}:/etc/genesis/kubeconfig:ro`,
      tag,
      '--kubeconfig=/etc/genesis/kubeconfig',
      `--health-address=127.0.0.1:${health}`,
      '--metrics-address=off',
    ]);
    const ask = async (path: string) =>
      await fetch(`http://127.0.0.1:${health}${path}`, { signal: AbortSignal.timeout(5_000) }).then(
        ({ status }) => status,
        () => 0,
      );
    const ready = await pollUntil(
      async () => await ask('/readyz'),
      (status) => status === 200,
      60_000,
    );
    assert.equal(ready, 200, container.output());
    assert.equal(await ask('/healthz'), 200);
    const startedAt = performance.now();
    await podman.run('kill', '--signal=TERM', 'operator');
    assert.equal(await container.ended, 0, container.output());
    assert.ok(performance.now() - startedAt < 20_000, 'it ends well within a pod’s grace period');
    const lease = await plane.client.get({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      namespace: 'default',
      name: 'genesis-rollout',
    });
    const { holderIdentity = '' } = (lease?.['spec'] ?? {}) as { holderIdentity?: string };
    assert.equal(
      holderIdentity,
      '',
      'the lease is given back, so that the next one starts at once',
    );
  }
});
