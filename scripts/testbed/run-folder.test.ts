/** What is swept of earlier runs, and what stays. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';

import { createRunFolder } from './run-folder.ts';

const longAgo = new Date(Date.now() - 2 * 60 * 60 * 1000);
const temporary = process.env['TMPDIR'];

before(async () => {
  process.env['TMPDIR'] = await mkdtemp(join(tmpdir(), 'testbed-sweep-'));
});
after(async () => {
  await rm(tmpdir(), { recursive: true });
  if (temporary === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = temporary;
});

test('a new run removes what killed runs left more than an hour ago, and nothing else', async () => {
  const dead = spawnSync('true').pid;
  await folder('genesis-testbed-dead-old', dead, longAgo);
  await folder('genesis-testbed-dead-young', dead, new Date());
  await folder('genesis-testbed-alive-old', process.pid, longAgo);
  await folder('somebody-elses', dead, longAgo);
  await mkdir(join(tmpdir(), 'genesis-testbed-without-owner'));
  const run = await createRunFolder();
  assert.deepEqual(
    (await readdir(tmpdir())).sort(),
    [
      'genesis-testbed-alive-old',
      'genesis-testbed-dead-young',
      'genesis-testbed-without-owner',
      basename(run.path),
      'somebody-elses',
    ].sort(),
  );
  await run.remove();
});

test('a folder goes with its run unless it is kept for reading', async () => {
  const gone = await createRunFolder();
  const kept = await createRunFolder();
  kept.keep();
  await gone.remove();
  await kept.remove();
  await assert.rejects(access(gone.path), { code: 'ENOENT' });
  await access(kept.path);
});

async function folder(name: string, owner: number, modifiedAt: Date): Promise<void> {
  const path = join(tmpdir(), name);
  await mkdir(path);
  const marker = join(path, 'owner.pid');
  await writeFile(marker, String(owner));
  await utimes(marker, modifiedAt, modifiedAt);
}
