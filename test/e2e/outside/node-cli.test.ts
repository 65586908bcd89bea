/** `npm run testbed -- up --node` as a person uses it, and that nothing of it is left, however it ends. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { childrenOf, prepareNode, toolPath } from '#scripts/testbed/index.ts';
import { living, pollUntil } from '#test/cluster/testbed-polling.ts';

const run = promisify(execFile);
const script = join(import.meta.dirname, '../../../scripts/testbed/main.ts');
const withinMs = 180_000;

describe('a whole node on the shell', { timeout: 400_000 }, () => {
  let state = '';
  const testbed = async (...args: readonly string[]) =>
    await run(process.execPath, [script, ...args], {
      timeout: withinMs,
      env: { ...process.env, XDG_STATE_HOME: state },
    });
  before(async () => {
    state = await mkdtemp(join(tmpdir(), 'genesis-state-'));
  });
  after(async () => {
    await testbed('down');
    await rm(state, { recursive: true });
  });

  test('is reached through doors, and `down` leaves nothing', async () => {
    const before = await traces();
    const { stdout } = await testbed('up', '--node', '--no-prometheus', '--detach');
    const [, kubeconfig = ''] = /^export KUBECONFIG=(.*)$/m.exec(stdout) ?? [];
    const kubectl = await toolPath('kubectl');
    const nodes = await run(kubectl, ['--kubeconfig', kubeconfig, 'get', 'nodes'], {
      timeout: 60_000,
    });
    assert.match(nodes.stdout, /^node +Ready/m);
    const pids = await descendantsOf(await upPid(state));
    assert.ok(pids.length >= 8, `all parts are below it: ${pids.join(', ')}`);

    await testbed('down');
    assert.deepEqual(await pollUntil(async () => await living(pids), isEmpty), []);
    assert.deepEqual(await traces(), before);
  });

  test('leaves no process and no mount after kill -9, and the next one clears the rest', async () => {
    const before = await traces();
    await testbed('up', '--node', '--no-prometheus', '--detach');
    const pid = await upPid(state);
    const pids = await descendantsOf(pid);
    process.kill(pid, 'SIGKILL');
    assert.deepEqual(await pollUntil(async () => await living(pids), isEmpty), []);
    await prepareNode();
    assert.deepEqual(await traces(), before);
  });

  test('`exec` ends as its command did', async () => {
    const command = ['exec', '--node', '--no-prometheus', 'sh', '-c', 'kubectl get nodes; exit 7'];
    await assert.rejects(testbed(...command), (error: { code: number; stdout: string }) => {
      assert.equal(error.code, 7);
      assert.match(error.stdout, /^node +Ready/m);
      return true;
    });
  });
});

/** What a node leaves on a machine if nobody cleans up: mounts and control groups. */
async function traces(): Promise<readonly string[]> {
  const mounts = await readFile('/proc/self/mounts', 'utf8');
  return [
    ...mounts.split('\n').filter((line) => /genesis-testbed|containerd|netns/.test(line)),
    ...globSync('/sys/fs/cgroup/{,*/}genesis-testbed-*'),
  ];
}

async function upPid(state: string): Promise<number> {
  const text = await readFile(join(state, 'genesis-rollout/up.json'), 'utf8');
  return (JSON.parse(text) as { pid: number }).pid;
}

async function descendantsOf(pid: number): Promise<readonly number[]> {
  const children = await childrenOf(pid);
  const deeper = await Promise.all(children.map(descendantsOf));
  return [...children, ...deeper.flat()];
}

function isEmpty(list: readonly number[]): boolean {
  return list.length === 0;
}
