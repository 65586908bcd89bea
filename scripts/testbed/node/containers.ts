/** The end of all containers: they and their shims go on when containerd and the kubelet have ended. */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { run } from '#scripts/testbed/command.ts';
import { childrenOf, isAlive } from '#scripts/testbed/process-table.ts';

const endedWithinMs = 10_000;
const pollEveryMs = 20;

/** Only inside the node's namespace, in which all shims are its own. */
export async function endContainers(): Promise<void> {
  const shims = await shimPids();
  const containers = (await Promise.all(shims.map(childrenOf))).flat();
  const all = [...containers, ...shims];
  for (const pid of all) kill(pid);
  const deadline = performance.now() + endedWithinMs;
  while ((await Promise.all(all.map(isAlive))).includes(true)) {
    if (performance.now() > deadline) throw new Error(`containers do not end: ${all.join(', ')}`);
    await sleep(pollEveryMs);
  }
}

/** Root file systems, volumes and networks of pods, whoever may still hold them. */
export async function unmountBelow(...folders: readonly string[]): Promise<void> {
  const mounts = await readFile('/proc/self/mounts', 'utf8');
  const targets = mounts.split('\n').map((line) => line.split(' ')[1] ?? '');
  const below = targets.filter((target) =>
    folders.some((folder) => target.startsWith(`${folder}/`)),
  );
  // The last one mounted may lie on an earlier one.
  for (const target of below.toReversed()) {
    await run('umount', ['--lazy', target.replaceAll('\\040', ' ')]).catch(() => undefined);
  }
}

async function shimPids(): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const names = await Promise.all(
    pids.map(async (pid) => await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')),
  );
  return pids.filter((_, index) => names[index]?.startsWith('containerd-shim') === true);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
