/** Control groups of one node's containers, apart from those of anybody else on this machine, and gone with it. */
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { isAlive } from '#scripts/testbed/process-table.ts';

const prefix = 'genesis-testbed-';

/** As the kubelet wants it in `cgroupRoot`. What nodes that were killed have left goes first. */
export async function makeCgroup(owner: number): Promise<string> {
  const name = `${prefix}${owner}`;
  for (const root of await hierarchies()) {
    const folder = join(root, name);
    await mkdir(folder, { recursive: true });
    await inheritCpus(root, folder);
  }
  return `/${name}`;
}

export async function removeCgroup(cgroup: string): Promise<void> {
  for (const root of await hierarchies()) await removeTree(join(root, basename(cgroup)));
}

/** Only from outside the node's namespace: inside, owners cannot be seen. */
export async function sweepCgroups(): Promise<void> {
  for (const root of await hierarchies()) {
    for (const name of await readdir(root)) {
      if (!name.startsWith(prefix) || (await isAlive(Number(name.slice(prefix.length))))) continue;
      await removeTree(join(root, name));
    }
  }
}

/** The mounted trees: many in version 1, one in version 2. */
async function hierarchies(): Promise<readonly string[]> {
  const mounts = await readFile('/proc/self/mounts', 'utf8');
  return mounts.split('\n').flatMap((line) => {
    const [, folder = '', type = ''] = line.split(' ');
    return type === 'cgroup' || type === 'cgroup2' ? [folder] : [];
  });
}

/** In version 1 a new group has no processors, and nothing can run in it. */
async function inheritCpus(parent: string, folder: string): Promise<void> {
  for (const name of ['cpuset.cpus', 'cpuset.mems']) {
    const value = await readFile(join(parent, name), 'utf8').catch(() => undefined);
    if (value !== undefined) await writeFile(join(folder, name), value).catch(() => undefined);
  }
}

/** Leaves go first. A group in which a process still ends is left for the next sweep. */
async function removeTree(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (entry.isDirectory()) await removeTree(join(folder, entry.name));
  }
  await rmdir(folder).catch(() => undefined);
}
