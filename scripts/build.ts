/**
 * `npm run build`: the controller as one file, dist/controller.mjs, which needs Node 24 and nothing else. The
 * same sources give the same bytes. Fails when the file grows over the limit.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Metafile } from 'esbuild';

const BYTES_MAX = 5 * 2 ** 20;
const root = join(import.meta.dirname, '..');

/** Dependencies written for CommonJS ask for `require`, which an ES module does not have. */
const banner = `#!/usr/bin/env node
import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);`;

const version = await packageVersion();
const result = await build({
  absWorkingDir: root,
  entryPoints: ['src/main.ts'],
  outfile: 'dist/controller.mjs',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  minify: true,
  // Names of classes and functions stand in logs and stack traces.
  keepNames: true,
  legalComments: 'none',
  banner: { js: banner },
  define: { GENESIS_VERSION: JSON.stringify(version) },
  metafile: true,
  write: false,
  logLevel: 'warning',
});
const [bundle] = result.outputFiles;
if (bundle === undefined) throw new Error('esbuild has made no file');

await mkdir(join(root, 'dist'), { recursive: true });
// Written beside and renamed: whoever starts the bundle at this moment finds the old one or the new one, whole.
const bundlePath = join(root, 'dist/controller.mjs');
await writeFile(`${bundlePath}.${process.pid}`, bundle.contents, { mode: 0o755 });
await rename(`${bundlePath}.${process.pid}`, bundlePath);

const digest = createHash('sha256').update(bundle.contents).digest('hex');
console.log(
  `dist/controller.mjs ${version}: ${megabytes(bundle.contents.length)}, sha256 ${digest}`,
);
for (const [name, bytes] of largest(result.metafile)) console.log(`  ${megabytes(bytes)}  ${name}`);
if (bundle.contents.length > BYTES_MAX) {
  console.error(`build: the bundle is larger than ${megabytes(BYTES_MAX)}`);
  process.exitCode = 1;
}

async function packageVersion(): Promise<string> {
  const found: unknown = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const said: unknown =
    typeof found === 'object' && found !== null ? Reflect.get(found, 'version') : undefined;
  if (typeof said !== 'string') throw new Error('package.json names no version');
  return said;
}

/** What the bundle is made of, by package. */
function largest(metafile: Metafile): readonly (readonly [string, number])[] {
  const sums = new Map<string, number>();
  for (const output of Object.values(metafile.outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) {
      const name = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? 'src';
      sums.set(name, (sums.get(name) ?? 0) + bytesInOutput);
    }
  }
  return [...sums].sort((a, b) => b[1] - a[1]).slice(0, 6);
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(2)} MiB`;
}
