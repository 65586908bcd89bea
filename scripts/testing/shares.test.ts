import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runShares, sharesOf } from './shares.ts';
import type { Stage } from './stage.ts';

const stage: Stage = {
  name: 'unit',
  files: ['a', 'b', 'c', 'd', 'e'],
  isolation: 'none',
  filesAtOnce: 1,
  testMaxMs: 20_000,
};

test('every file is in exactly one share', () => {
  const shares = sharesOf(stage, 2);
  assert.deepEqual(
    shares.map(({ name, files }) => [name, files]),
    [
      ['unit 1/2', ['a', 'c', 'e']],
      ['unit 2/2', ['b', 'd']],
    ],
  );
  assert.deepEqual(sharesOf(stage, 1), [stage]);
  assert.equal(sharesOf(stage, 9).length, 5);
});

test('every share is run, reported whole, and counts', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'genesis-shares-'));
  try {
    const files: string[] = [];
    for (const [index, body] of ['', '', 'throw new Error("red")'].entries()) {
      const file = join(folder, `${index}.test.mjs`);
      await writeFile(
        file,
        `import { test } from 'node:test';\ntest('number ${index}', () => { ${body} });\n`,
      );
      files.push(file);
    }
    const lines: string[] = [];
    const results = await runShares({ ...stage, files }, 2, (line) => lines.push(line));
    const passed = results.map(({ totals }) => totals?.counts.passed);
    assert.deepEqual(passed, [1, 1]);
    assert.deepEqual(
      results.map(({ success }) => success),
      [false, true],
    );
    const order = lines.flatMap((line) => /[✔✖] (number \d)/.exec(line)?.[1] ?? []);
    assert.deepEqual([...new Set(order)], ['number 0', 'number 2', 'number 1']);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
