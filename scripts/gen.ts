/** `npm run gen` writes the generated files; `npm run gen -- --check` fails with a list of those that are stale. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { generatedFiles } from './gen/files.ts';

const root = join(import.meta.dirname, '..');
const check = process.argv.includes('--check');

const stale: string[] = [];
for (const { path, text } of generatedFiles) {
  const file = join(root, path);
  const wanted = await text();
  const found = await readFile(file, 'utf8').catch(() => '');
  if (found === wanted) continue;
  stale.push(`${path}: ${firstDifference(found, wanted)}`);
  if (!check) {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, wanted);
  }
}

if (check && stale.length > 0) {
  process.stderr.write(
    `stale generated files, run \`npm run gen\`:\n${stale.map((line) => `  ${line}\n`).join('')}`,
  );
  process.exitCode = 1;
} else {
  const done =
    stale.length === 0
      ? 'all generated files are current'
      : `wrote ${stale.length} of ${generatedFiles.length} files`;
  process.stdout.write(`${done}\n`);
}

function firstDifference(found: string, wanted: string): string {
  if (found === '') return 'missing';
  const have = found.split('\n');
  const want = wanted.split('\n');
  const line = want.findIndex((text, index) => text !== have[index]);
  const at = line === -1 ? want.length : line;
  return `line ${at + 1} is ${JSON.stringify(have[at] ?? '')}, should be ${JSON.stringify(want[at] ?? '')}`;
}
