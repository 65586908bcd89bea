/** The temporary folder of one testbed: logs, keys and data. It goes when its process goes; what a killed one left is swept by the next. */
import { rmSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { outerPid } from './namespace.ts';
import { isAlive } from './process-table.ts';

const prefix = 'genesis-testbed-';
/** A killed run's logs may still be wanted; its 128 MiB of etcd log are not for ever. */
const sweepAfterMs = 60 * 60 * 1000;

export interface RunFolder {
  readonly path: string;
  /** Keeps the folder for reading after a failure. */
  keep(): void;
  remove(): Promise<void>;
}

export async function createRunFolder(): Promise<RunFolder> {
  const outer = outerPid();
  // From inside, the owners of other folders cannot be seen, alive or not.
  if (outer === undefined) await sweep();
  const path = await mkdtemp(join(tmpdir(), prefix));
  await writeFile(join(path, 'owner.pid'), String(outer ?? process.pid));
  let kept = false;
  const atExit = () => {
    if (!kept) rmSync(path, { recursive: true, force: true });
  };
  process.once('exit', atExit);
  return {
    path,
    keep: () => {
      kept = true;
    },
    remove: async () => {
      process.off('exit', atExit);
      if (!kept) await rm(path, { recursive: true, force: true });
    },
  };
}

/** After a start that failed its logs are wanted; after one that was interrupted nobody will read them. */
export async function keepOrRemove(
  folder: RunFolder,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (signal?.aborted === true) await folder.remove();
  else folder.keep();
}

async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(prefix)) continue;
    const path = join(tmpdir(), name);
    // Another process may sweep at the same time, or the folder may be another user's: then leave it.
    await sweepOne(path).catch(() => undefined);
  }
}

async function sweepOne(path: string): Promise<void> {
  const marker = join(path, 'owner.pid');
  const [owner, { mtimeMs }] = await Promise.all([readFile(marker, 'utf8'), stat(marker)]);
  if (performance.timeOrigin + performance.now() - mtimeMs < sweepAfterMs) return;
  if (!(await isAlive(Number(owner)))) await rm(path, { recursive: true, force: true });
}
