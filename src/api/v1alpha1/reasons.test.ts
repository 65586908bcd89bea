import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { reasons } from './reasons.ts';

const source = join(import.meta.dirname, '../../');

/** `reason: 'Held'`, `const reason = 'Held'`, `reason: x ? 'Held' : 'Paused'`; in the routers' table any value. */
const given = /\breason(?::| =)\s+(?:[^\n;{}]*\? )?'([A-Z]\w+)'(?: : '([A-Z]\w+)')?/g;
const listed = /: '([A-Z]\w+)'/g;

test('every reason that the code gives is declared, and so stands in the reference', async () => {
  const files = (await readdir(source, { recursive: true })).filter((it) =>
    /(?<!\.test)\.ts$/.test(it),
  );
  const undeclared: string[] = [];
  let count = 0;
  for (const file of files.filter((it) => it !== join('api', 'v1alpha1', 'reasons.ts'))) {
    const text = await readFile(join(source, file), 'utf8');
    const pattern = file === join('routers', 'reasons.ts') ? listed : given;
    for (const [, ...found] of text.matchAll(pattern)) {
      for (const reason of found.filter((it) => it !== undefined)) {
        count += 1;
        if (!Object.hasOwn(reasons, reason)) undeclared.push(`${file}: ${reason}`);
      }
    }
  }
  assert.deepEqual(undeclared, []);
  assert.ok(count > 50, `only ${count} reasons found: the patterns no longer fit the code`);
});
