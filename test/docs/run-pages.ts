/** Runs the blocks of pages as tests: page by page, and each page from top to bottom. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Block, blocksOf, pages, type Runner } from './blocks.ts';
import { createWorkplace, type Workplace } from './workplace.ts';

export interface World {
  /** For the environment of the commands. */
  readonly variables: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** One world for all pages that have blocks for this runner; none is started where there are none. */
export function runPages(runner: Runner, start: () => Promise<World>): void {
  const byPage = pages()
    .map((page) => ({ page, blocks: blocksOf(page).filter((block) => block.runner === runner) }))
    .filter(({ blocks }) => blocks.length > 0);
  if (byPage.length === 0) return;

  describe(`pages with commands for ${runner}`, { timeout: 900_000 }, () => {
    let world: World;
    before(async () => {
      world = await start();
    });
    after(async () => {
      await world.stop();
    });

    for (const { page, blocks } of byPage)
      describe(page, () => runAll(blocks, () => world.variables));
  });
}

function runAll(blocks: readonly Block[], variables: () => World['variables']): void {
  let place: Workplace;
  before(async () => {
    place = await createWorkplace(variables());
  });
  after(async () => {
    await place.remove();
  });

  for (const block of blocks) {
    for (const { part, wanted } of partsOf(block)) {
      test(`line ${block.line}: ${part.text.split('\n')[0]}`, async () => {
        const { code, text } = await place.run(part);
        assert.equal(code, wanted, text);
      });
    }
  }
}

/** A word for something that the reader has. */
const PLACEHOLDER = / [A-Z]+( |$)/;

/** Where nobody answers, each command for itself must come as far as saying so, with exit code 1 and not 2. */
function partsOf(block: Block): readonly { readonly part: Block; readonly wanted: number }[] {
  if (block.runner !== 'unreachable') return [{ part: block, wanted: 0 }];
  const lines = block.text
    .split('\n')
    .filter((line) => line.startsWith('kubectl ') && !PLACEHOLDER.test(line));
  return lines.map((text) => ({ part: { ...block, text }, wanted: 1 }));
}
