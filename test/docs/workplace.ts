/** Where the commands of a page run: a folder that looks like a clone, and the tools that readers have. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
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
  return {
    run: (block) =>
      runIn(
        clone,
        {
          ...process.env,
          HOME: folder,
          XDG_CACHE_HOME: dirname(cacheFolder()),
          ...variables,
          PATH: path,
        },
        block,
      ),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function runIn(folder: string, env: NodeJS.ProcessEnv, { setup, text }: Block): Promise<Ran> {
  const script = ['set -euo pipefail', setup, 'set -x', text].join('\n');
  const child = spawn('bash', ['-c', script], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  // With everything that it has started, which would otherwise keep its output open.
  const limit = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), BLOCK_MAX_MS);
  const parts: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => parts.push(part));
  }
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(limit);
  return { code, text: parts.join('') };
}
