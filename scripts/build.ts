/**
 * `npm run build`: the controller and the command line as one file each, dist/controller.mjs and dist/kubectl-genesis.mjs, which
 * need Node 24 and nothing else. The same sources give the same bytes. Fails when a file grows over the limit.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { slim } from './slim.ts';

const BYTES_MAX = 5 * 2 ** 20;
const root = join(import.meta.dirname, '..');

/** Dependencies written for CommonJS ask for `require`, which an ES module does not have. */
const banner = `#!/usr/bin/env node
import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);`;

const programs = [
  { name: 'controller', entry: 'src/main.ts', isShort: false },
  // It starts at every command, and half of that time is reading itself.
  { name: 'kubectl-genesis', entry: 'src/cli/main.ts', isShort: true },
] as const;

const version = await packageVersion();
await mkdir(join(root, 'dist'), { recursive: true });
for (const program of programs) await bundle(program);

async function bundle({ name, entry, isShort }: (typeof programs)[number]): Promise<void> {
  const outfile = `dist/${name}.mjs`;
  const result = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    minifySyntax: true,
    minifyWhitespace: true,
    // Names of classes and functions stand in logs and stack traces. Where those are read they stay as they are written:
    // `keepNames` would set them anew each time a function is made.
    minifyIdentifiers: isShort,
    plugins: [slim],
    legalComments: 'none',
    banner: { js: banner },
    define: { GENESIS_VERSION: JSON.stringify(version) },
    metafile: true,
    write: false,
    logLevel: 'warning',
  });
  const [made] = result.outputFiles;
  if (made === undefined) throw new Error('esbuild has made no file');
  // Written beside and renamed: whoever starts the bundle at this moment finds the old one or the new one, whole.
  const path = join(root, outfile);
  await writeFile(`${path}.${process.pid}`, made.contents, { mode: 0o755 });
  await rename(`${path}.${process.pid}`, path);
  const digest = createHash('sha256').update(made.contents).digest('hex');
  console.log(`${outfile} ${version}: ${megabytes(made.contents.length)}, sha256 ${digest}`);
  for (const [part, bytes] of largest(result.metafile)) {
    console.log(`  ${megabytes(bytes)}  ${part}`);
  }
  if (made.contents.some((byte) => byte > 127)) {
    console.error(
      `build: ${outfile} is not all ASCII, so V8 would keep two bytes for each character of it`,
    );
    process.exitCode = 1;
  }
  if (made.contents.length > BYTES_MAX) {
    console.error(`build: ${outfile} is larger than ${megabytes(BYTES_MAX)}`);
    process.exitCode = 1;
  }
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
