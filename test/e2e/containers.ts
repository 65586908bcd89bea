/** podman for tests: a store of its own, runc, and the limits that a machine without CAP_SYS_RESOURCE allows. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface Podman {
  /** Standard output. */
  run(...args: readonly string[]): Promise<string>;
  /** A container that goes on running, under this name. */
  start(name: string, args: readonly string[]): RunningContainer;
}

export interface RunningContainer {
  /** What it has written so far, to both of its streams. */
  readonly output: () => string;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
}

const callWithinMs = 120_000;

/** As restricted as a cluster runs it: nothing may be written, no right is left. */
export const restricted = [
  '--network=host',
  '--read-only',
  '--cap-drop=all',
  '--security-opt=no-new-privileges',
  '--ulimit=nofile=1024:1024',
  '--ulimit=nproc=1000:1000',
] as const;

/** @param folder where images and containers are kept */
export function createPodman(folder: string): Podman {
  const own = [
    `--root=${join(folder, 'storage')}`,
    `--runroot=${join(folder, 'run')}`,
    `--tmpdir=${join(folder, 'tmp')}`,
    '--storage-driver=vfs',
    '--runtime=runc',
    // No systemd is needed.
    '--cgroup-manager=cgroupfs',
    '--events-backend=none',
  ];
  return {
    run: async (...args) => {
      const options = { timeout: callWithinMs, maxBuffer: 2 ** 26 };
      return (await promisify(execFile)('podman', [...own, ...args], options)).stdout;
    },
    start: (name, args) => {
      const child = spawn('podman', [...own, 'run', `--name=${name}`, ...args], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const texts: string[] = [];
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => texts.push(text));
      }
      const ended = once(child, 'close').then(([code]) => code as number | null);
      return { output: () => texts.join(''), ended };
    },
  };
}
