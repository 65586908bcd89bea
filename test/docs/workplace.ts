/** Where the commands of a page run: a folder that looks like a clone, and the tools that readers have. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheFolder } from '#scripts/testbed/environment.ts';
import { toolPath } from '#scripts/testbed/index.ts';
import { type Block, root } from './blocks.ts';

export interface Workplace {
  /** Carries out what comes before a block, then the block; resolves with all that was printed. */
  run(block: Block): Promise<Ran>;
  remove(): Promise<void>;
}

export interface Ran {
  readonly code: number | null;
  readonly text: string;
}

const BLOCK_MAX_MS = 150_000;
const OUTPUT_MAX_MS = 500;

export async function createWorkplace(
  variables: Readonly<Record<string, string>>,
): Promise<Workplace> {
  const folder = await mkdtemp(join(tmpdir(), 'genesis-docs-'));
  const clone = join(folder, 'genesis-rollout');
  const programs = join(folder, 'bin');
  await Promise.all([mkdir(clone), mkdir(programs)]);
  // Links, so that what a page writes lands here and not in the tree.
  for (const entry of await readdir(root)) await symlink(join(root, entry), join(clone, entry));
  const tools = {
    kubectl: await toolPath('kubectl'),
    helm: await toolPath('helm'),
    promtool: await toolPath('promtool'),
    'kubectl-genesis': join(root, 'dist/kubectl-genesis.mjs'),
  };
  for (const [name, path] of Object.entries(tools)) await symlink(path, join(programs, name));
  const path = [programs, dirname(process.execPath), process.env['PATH'] ?? ''].join(':');
  const cache = dirname(cacheFolder());
  const env = { ...process.env, HOME: folder, XDG_CACHE_HOME: cache, ...variables, PATH: path };
  const started: ChildProcess[] = [];
  return {
    run: async ({ setup, text }) => {
      const script = ['set -euo pipefail', setup, 'set -x', text].join('\n');
      const child = spawn('bash', ['-c', script], {
        cwd: clone,
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
        // A process group of its own, to be ended with all that it has started.
        detached: true,
      });
      started.push(child);
      return await outcomeOf(child);
    },
    remove: async () => {
      for (const child of started) end(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function outcomeOf(child: ChildProcess): Promise<Ran> {
  const limit = setTimeout(() => end(child), BLOCK_MAX_MS);
  const parts: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (part: string) => parts.push(part));
  }
  const closed = once(child, 'close');
  const [code] = (await once(child, 'exit')) as [number | null];
  clearTimeout(limit);
  // What a block has left running keeps the output open; the rest of what the block itself said comes at once.
  await Promise.race([closed, sleep(OUTPUT_MAX_MS)]);
  return { code, text: parts.join('') };
}

function end(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}
