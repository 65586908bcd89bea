/**
 * The fenced blocks of this repository's pages. A block of commands says in a comment above itself who runs it:
 *
 *     <!-- run: operator -->          one of the runners below
 *     <!-- run: operator
 *     kubectl apply -f …             and what must have been done before, which readers do not see
 *     -->
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Who runs the commands of a page, from its first block to its last. */
export const runners = {
  ci: 'continuous integration, as they stand',
  clone: 'test/cluster/docs.test.ts, in a clone of the repository',
  unreachable:
    'test/cluster/docs.test.ts, against an address where nobody answers: the command line must read each line of it',
  cluster: 'test/cluster/docs.test.ts, with a cluster that has nothing but Gateway API',
  operator: 'test/cluster/docs.test.ts, with a cluster where the operator runs in namespace shop',
  node: 'test/e2e/docs.test.ts, on a whole node with images, pods, a gateway and a Prometheus',
  outside: 'test/e2e/outside/docs.test.ts, as root, in a clone of the repository',
} as const;

export type Runner = keyof typeof runners;

export interface Block {
  readonly page: string;
  /** Of its first line, counted from 1. */
  readonly line: number;
  readonly language: string;
  readonly text: string;
  /** As written; undefined if nothing is. */
  readonly runner: string | undefined;
  readonly setup: string;
}

export const root = join(import.meta.dirname, '..', '..');

/** The pages under version control, but for those that quote others' commands. */
export function pages(): readonly string[] {
  const listed = execFileSync(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );
  return listed.split('\n').filter((page) => page !== '' && page !== 'CHANGELOG.md');
}

export function blocksOf(page: string): readonly Block[] {
  return blocksIn(page, readFileSync(join(root, page), 'utf8'));
}

const FENCE = /^( *)(`{3,}|~{3,})([^\s`]*)/;

export function blocksIn(page: string, text: string): readonly Block[] {
  const lines = text.split('\n');
  const blocks: Block[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const [, indent = '', fence, language = ''] = FENCE.exec(lines[index] ?? '') ?? [];
    if (fence === undefined) continue;
    const ending = lines.findIndex((line, at) => at > index && line.trim() === fence);
    if (ending === -1) throw new Error(`${page}:${index + 1}: this block never ends`);
    const inside = lines.slice(index + 1, ending).map((line) => line.slice(indent.length));
    const { runner, setup } = commentAbove(lines.slice(0, index).join('\n'));
    blocks.push({ page, line: index + 2, language, text: inside.join('\n'), runner, setup });
    index = ending;
  }
  return blocks;
}

function commentAbove(before: string): Pick<Block, 'runner' | 'setup'> {
  const comment = /<!-- run: *([^\s]*)((?:(?!-->)[\s\S])*)-->\s*$/.exec(before);
  return { runner: comment?.[1], setup: (comment?.[2] ?? '').trim() };
}
