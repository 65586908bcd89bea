/** Two and more processes that want to lead, on a real API server: stopped, killed, and asked to go. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { after, before, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { configMapResource } from '#api/names.ts';
import { createCluster, type KubeCluster } from '#kube/cluster-client.ts';
import { createAlwaysLeader } from '#kube/leadership.ts';
import { silentLogger } from '#ports/logger.ts';
import { systemClock } from '#runtime/clock.ts';
import { type ControlPlane, startControlPlane } from '#scripts/testbed/index.ts';

interface Candidate {
  readonly identity: string;
  readonly child: ChildProcess;
  readonly said: string[];
}

const candidates: Candidate[] = [];
/** Who wrote, in the order of the writes, each turn once. */
const turns: string[] = [];
let plane: ControlPlane;
let cluster: KubeCluster;

before(async () => {
  plane = await startControlPlane({ controllerManager: false });
  cluster = createCluster({
    source: { type: 'file', path: plane.kubeconfigPath },
    version: 'test',
    leadership: createAlwaysLeader(),
    clock: systemClock,
    logger: silentLogger,
  });
  const signal = AbortSignal.timeout(10_000);
  const metadata = { name: 'written-by', namespace: 'default' };
  await cluster.create(
    configMapResource,
    { apiVersion: 'v1', kind: 'ConfigMap', metadata },
    { signal },
  );
  await cluster
    .watch(configMapResource, {
      namespaces: ['default'],
      onChange: ({ new: now }) => {
        const by = (now?.['data'] as { readonly by?: string } | undefined)?.by;
        if (by !== undefined && turns.at(-1) !== by) turns.push(by);
      },
    })
    .synced(signal);
});

after(async () => {
  for (const { child } of candidates) child.kill('SIGKILL');
  await cluster.close();
  await plane.stop();
});

async function start(identity: string): Promise<Candidate> {
  const script = new URL('kube-elector.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, plane.kubeconfigPath, identity], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const said: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.push(...text.trim().split('\n'));
  });
  const candidate = { identity, child, said };
  candidates.push(candidate);
  await within(20, `${identity} has started`, () => said.includes('started'));
  return candidate;
}

/** Waits, and says how many seconds it took. */
async function within(limit: number, what: string, isSo: () => boolean): Promise<number> {
  const startedMs = performance.now();
  while (!isSo()) {
    const said = candidates.map(({ identity, said }) => `${identity}: ${said.join(', ')}`);
    const passed = (performance.now() - startedMs) / 1_000;
    if (passed > limit) assert.fail(`not within ${limit} s: ${what}; ${said.join('; ')}`);
    await sleep(20);
  }
  return (performance.now() - startedMs) / 1_000;
}

const leads =
  ({ said }: Candidate) =>
  (): boolean =>
    said.includes('leading');
const hasEnded =
  ({ child }: Candidate) =>
  (): boolean =>
    child.exitCode !== null || child.signalCode !== null;

it('a leader that is stopped, killed or asked to go is followed within 20 s, and never writes again', async (context) => {
  const first = await start('first');
  await within(10, 'first leads', leads(first));
  const second = await start('second');

  // A process that is frozen, and thawed when another leads already.
  first.child.kill('SIGSTOP');
  const afterStop = await within(20, 'second leads', leads(second));
  await within(5, 'second writes', () => turns.at(-1) === 'second');
  const third = await start('third');
  first.child.kill('SIGCONT');
  await within(10, 'first has ended', hasEnded(first));
  assert.ok(
    first.said.some((word) => word.startsWith('ended: the lease')),
    first.said.join(),
  );
  assert.ok(
    first.said.some((word) => word.includes('does not hold the lease')),
    first.said.join(),
  );
  assert.ok(afterStop >= 12, `second led after ${afterStop} s already`);

  second.child.kill('SIGKILL');
  const afterKill = await within(20, 'third leads', leads(third));
  await within(5, 'third writes', () => turns.at(-1) === 'third');
  assert.ok(afterKill >= 12, `third led after ${afterKill} s already`);

  const fourth = await start('fourth');
  third.child.kill('SIGTERM');
  const afterTerm = await within(6, 'fourth leads', leads(fourth));
  await within(5, 'fourth writes', () => turns.at(-1) === 'fourth');
  await within(5, 'third has ended', hasEnded(third));
  assert.equal(third.child.exitCode, 0);

  assert.deepEqual(turns, ['first', 'second', 'third', 'fourth']);
  const rounded = [afterStop, afterKill, afterTerm].map((seconds) => seconds.toFixed(1));
  context.diagnostic(
    `seconds to the next leader: SIGSTOP, kill -9, SIGTERM: ${rounded.join(', ')}`,
  );
});
