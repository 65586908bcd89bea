/** `npm run testbed` as a person runs it, and the gateway in its namespace. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { childrenOf, prepareGateway, toolPath } from '#scripts/testbed/index.ts';

import { living, pollUntil } from './testbed-polling.ts';

const buildsColdWithinMs = 40 * 60_000;
const script = join(import.meta.dirname, '../../scripts/testbed/main.ts');

/** Run folders and the state of `up` go here, so that what is left can be seen and nobody's own `up` is touched. */
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'testbed-cli-'));
});
beforeEach(async () => {
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true });
});
after(async () => await rm(folder, { recursive: true }));

const environment = () => ({
  ...process.env,
  TMPDIR: folder,
  XDG_STATE_HOME: join(folder, 'state'),
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function cli(...args: readonly string[]): Promise<Ended> {
  return await promisify(execFile)(process.execPath, [script, ...args], {
    env: environment(),
  }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (failure: Ended) => failure,
  );
}

describe('testbed exec', { timeout: buildsColdWithinMs }, () => {
  test('runs a command with KUBECONFIG and PROMETHEUS_URL and ends as it does', async () => {
    const command = 'kubectl get namespace default -o name && test -n "$PROMETHEUS_URL" && exit 7';
    const { code, stdout } = await cli('exec', 'sh', '-c', command);
    assert.deepEqual({ code, stdout }, { code: 7, stdout: 'namespace/default\n' });
    assert.deepEqual(await readdir(folder), []);
  });

  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    test(`leaves nothing running and no folder after ${signal}`, async () => {
      const { child, pids } = await execSleep();
      child.kill(signal);
      const [code] = (await once(child, 'exit')) as [number | null];
      assert.equal(code, exitCode);
      assert.deepEqual(await living(pids), []);
      assert.deepEqual(await readdir(folder), []);
    });
  }

  test('leaves nothing when it is interrupted while it starts', async () => {
    const child = spawn(process.execPath, [script, 'exec', 'true'], {
      stdio: 'ignore',
      env: environment(),
    });
    const pids = await pollUntil(
      async () => await childrenOf(child.pid ?? 0),
      (found) => found.length > 0,
    );
    child.kill('SIGINT');
    assert.deepEqual(await once(child, 'exit'), [130, null]);
    assert.deepEqual(await living(pids), []);
    assert.deepEqual(await readdir(folder), []);
  });

  test('leaves nothing running after kill -9 of itself', async () => {
    const { child, pids } = await execSleep();
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.deepEqual(
      await pollUntil(
        async () => await living(pids),
        (alive) => alive.length === 0,
      ),
      [],
    );
  });

  for (const [args, sentence] of [
    [['exec'], 'exec needs a command to run'],
    [['exec', '--nope', 'true'], "Unknown option '--nope'; the flags are --kubeconfig, --crds"],
    [
      ['exec', '--kubeconfig', '/no/such/file', 'true'],
      '--kubeconfig /no/such/file: there is no such file',
    ],
    [['up', 'kubectl'], 'up takes only flags, but was given kubectl'],
    [['up', '--image', 'shop.tar'], '--image is for a whole node: add --node'],
    [
      ['exec', '--node', '--kubeconfig', '/etc/hosts', 'true'],
      '--node starts a cluster with a node, and --kubeconfig takes an existing one',
    ],
    [['start'], 'there is no command start; there are up, down, exec, build and help'],
    [['exec', '--scrape', 'shop', 'true'], '--scrape shop is not of the form JOB=HOST:PORT'],
  ] as const) {
    test(`\`${args.join(' ')}\` is refused with a sentence`, async () => {
      const { code, stderr } = await cli(...args);
      assert.equal(code, 2);
      assert.ok(stderr.includes(sentence), stderr);
    });
  }
});

describe('testbed up and down', { timeout: buildsColdWithinMs }, () => {
  test('up --detach leaves a testbed that a second up refuses and down stops', async () => {
    const { stdout } = await cli('up', '--detach', '--no-prometheus');
    const kubeconfig = /KUBECONFIG=(\S+)/.exec(stdout)?.[1] ?? '';
    try {
      await access(kubeconfig);
      const second = await cli('up');
      assert.equal(second.code, 2);
      assert.match(second.stderr, /a testbed is up already \(process \d+\)/);
      const used = await cli(
        'exec',
        '--no-prometheus',
        '--kubeconfig',
        kubeconfig,
        'kubectl',
        'get',
        'nodes',
        '-o',
        'name',
      );
      assert.equal(used.stdout, 'node/kwok\n');
    } finally {
      assert.equal((await cli('down')).stdout, 'Stopped.\n');
    }
    await assert.rejects(access(dirname(kubeconfig)), { code: 'ENOENT' });
    assert.equal((await cli('down')).stdout, 'No testbed is up.\n');
  });

  test('up says it and ends when a part of it ends by itself', async () => {
    const child = spawn(process.execPath, [script, 'up', '--no-prometheus'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: environment(),
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await once(child.stdout, 'data');
    const [etcd = 0] = await childrenOf(child.pid ?? 0);
    process.kill(etcd, 'SIGKILL');
    const [code] = (await once(child, 'close')) as [number | null];
    assert.equal(code, 1);
    assert.match(said, new RegExp(`etcd \\(process ${etcd}\\) has ended by itself`));
  });
});

describe('the gateway', { timeout: buildsColdWithinMs }, () => {
  test('splits 1,000 requests by the weights of a route, and leaves nothing running', async () => {
    for (const name of ['etcd', 'kube-apiserver', 'kube-controller-manager'] as const)
      await toolPath(name);
    await prepareGateway();
    const inside = join(import.meta.dirname, 'testbed-gateway.ts');
    const { stdout } = await promisify(execFile)(process.execPath, [inside], {
      env: environment(),
    });
    const results = JSON.parse(stdout) as {
      canaryWeight: number;
      canary: number;
      stable: number;
      other: number;
    }[];
    assert.deepEqual(
      results.map(({ canaryWeight }) => canaryWeight),
      [20, 100, 0],
    );
    for (const { canaryWeight, canary, stable, other } of results) {
      assert.equal(other, 0);
      assert.equal(canary + stable, 1_000);
      // Five points: four standard deviations of 1,000 draws at 20 %, and 0 and 100 must be exact.
      const tolerance = canaryWeight === 20 ? 50 : 0;
      assert.ok(
        Math.abs(canary - canaryWeight * 10) <= tolerance,
        `${canary} of 1,000 at weight ${canaryWeight}`,
      );
    }
    assert.deepEqual(await readdir(folder), []);
  });
});

/** A running `exec sleep`, with all its processes. */
async function execSleep(): Promise<{ child: ChildProcess; pids: readonly number[] }> {
  const child = spawn(
    process.execPath,
    [script, 'exec', 'sh', '-c', 'echo started; exec sleep 1000'],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: environment(),
    },
  );
  await once(child.stdout, 'data');
  const pids = await childrenOf(child.pid ?? 0);
  // etcd, API server, controller manager, KWOK, Prometheus and the command.
  assert.equal(pids.length, 6);
  return { child, pids };
}
