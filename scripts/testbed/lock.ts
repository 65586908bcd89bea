/** A lock among processes. The kernel holds it (flock), so a killed holder never leaves a stale one behind. */
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Runs `work` while no other process runs work under the same file. `onWait` is called if another holds it. */
export async function withLock<T>(
  file: string,
  work: () => Promise<T>,
  onWait: () => void = () => undefined,
): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  // `cat` ends with its standard input, which closes when this process ends in whatever way.
  const holder = spawn('flock', ['--exclusive', file, 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const held = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  holder.stdout.once('data', () => held.resolve());
  holder.on('error', (error) =>
    held.reject(new Error('cannot take a lock: install `flock` (util-linux)', { cause: error })),
  );
  holder.on('close', () => {
    held.reject(new Error(`the lock on ${file} could not be taken`));
    ended.resolve();
  });
  const patience = setTimeout(onWait, 500);
  try {
    await held.promise;
    clearTimeout(patience);
    return await work();
  } finally {
    clearTimeout(patience);
    holder.stdin.end();
    await ended.promise;
  }
}
