/** Builds commands of Go modules from a `go.mod` of our own. */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { BuildOptions } from './build.ts';
import { orMissing, run } from './command.ts';
import { cacheFolder } from './environment.ts';
import type { GoBase, GoSource, ProgramSource } from './versions.ts';

/** k8s.io/kubernetes v1.36 and KWOK need this Go; an older one may fetch it by itself. */
const goMinorMin = 26;
const root = join(import.meta.dirname, '..', '..');

/**
 * Builds one command of a module from a `go.mod` of our own. `go install module@version` does not do:
 * it refuses modules with `replace`, and most of these have some.
 */
export async function buildGo(
  source: GoSource,
  target: string,
  options: BuildOptions,
): Promise<void> {
  const folder = join(
    cacheFolder(),
    'build',
    `${source.module.replaceAll('/', '_')}-${source.moduleVersion}`,
  );
  await mkdir(folder, { recursive: true });
  const downloaded = await downloadModule(source.module, source.moduleVersion, options);
  const own = goMod(source, await readFile(downloaded.goMod, 'utf8'));
  await writeFile(join(folder, 'go.mod'), own);
  await compile(source, target, options, folder);
}

/** Builds a program of this repository against modules of others, with the replacements of the first of them. */
export async function buildProgram(
  source: ProgramSource,
  target: string,
  options: BuildOptions,
): Promise<void> {
  const folder = join(cacheFolder(), 'build', source.folder.replaceAll('/', '_'));
  // What is no longer part of the program must not be compiled.
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const name of await goFiles(source)) {
    await copyFile(join(root, source.folder, name), join(folder, name));
  }
  const { module, moduleVersion } = source.base;
  const { goMod: file } = await downloadModule(module, moduleVersion, options);
  const required = source.requires.map((requirement) => `require ${requirement}\n`);
  const own = goMod(source.base, await readFile(file, 'utf8')) + required.join('');
  await writeFile(join(folder, 'go.mod'), own);
  await compile({ package: '.' }, target, options, folder);
}

/** Changes with the program's text and with what it is built against. */
export async function fingerprint(source: ProgramSource): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(source));
  for (const name of await goFiles(source)) {
    hash.update(name).update(await readFile(join(root, source.folder, name)));
  }
  return hash.digest('hex').slice(0, 12);
}

async function goFiles({ folder }: ProgramSource): Promise<readonly string[]> {
  const names = await readdir(join(root, folder));
  return names.filter((name) => name.endsWith('.go')).sort();
}

async function compile(
  source: Pick<GoSource, 'package' | 'variables'>,
  target: string,
  options: BuildOptions,
  folder: string,
): Promise<void> {
  const variables = Object.entries(source.variables ?? {}).map(
    ([name, value]) => `-X ${name}=${value}`,
  );
  const flags = ['-mod=mod', '-trimpath', `-ldflags=${['-s', '-w', ...variables].join(' ')}`];
  await go(['build', ...flags, '-o', target, source.package], options, folder);
}

export interface GoModule {
  readonly folder: string;
  readonly goMod: string;
}

/** Fetches a module's source (or finds it in Go's own cache). */
export async function downloadModule(
  module: string,
  version: string,
  options: BuildOptions = {},
): Promise<GoModule> {
  const text = await go(['mod', 'download', '-json', `${module}@${version}`], options);
  const answer = JSON.parse(text) as { Dir?: string; GoMod?: string };
  if (answer.Dir === undefined || answer.GoMod === undefined) {
    throw new Error(`go mod download ${module}@${version} gave no folder: ${text}`);
  }
  return { folder: answer.Dir, goMod: answer.GoMod };
}

/**
 * Only a main module's `replace` lines count, so ours repeats those of the module it builds. Those that point into its own
 * repository become the published version where the module requires none (k8s.io's staging), and are not needed elsewhere.
 */
export function goMod(source: GoBase, upstream: string): string {
  const goLine = /^go (\S+)$/m.exec(upstream)?.[1] ?? '1.24.0';
  const pattern = /^(?:replace)?[ \t]*(\S+)((?: v\S+)?) => (\S+)(?: (v\S+))?/gm;
  const replaces = [...upstream.matchAll(pattern)].flatMap(
    ([, from = '', fromVersion = '', to = '', toVersion = '']) => {
      if (!to.startsWith('.')) return [`replace ${from}${fromVersion} => ${to} ${toVersion}`];
      if (source.stagingVersion === undefined) return [];
      return [`replace ${from}${fromVersion} => ${from} ${source.stagingVersion}`];
    },
  );
  return [
    'module genesis-rollout/testbed',
    '',
    `go ${goLine}`,
    '',
    `require ${source.module} ${source.moduleVersion}`,
    '',
    ...replaces,
    '',
  ].join('\n');
}

async function go(args: readonly string[], options: BuildOptions, cwd = '/'): Promise<string> {
  // Not empty: Go then looks for flags in its own configuration file.
  const base = { GOFLAGS: '-buildvcs=false', GOWORK: 'off', CGO_ENABLED: '0' };
  const hint =
    'the testbed builds its tools with Go: install Go 1.24 or newer and put `go` on PATH';
  const toolchain = await orMissing(goToolchain(base), hint);
  return await orMissing(
    run('go', args, { cwd, env: { ...base, ...toolchain }, ...pass(options) }),
    hint,
  );
}

function pass({ signal }: BuildOptions): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

/** Images and distributions often pin `GOTOOLCHAIN=local`, which keeps a Go that is too old from fetching the one it needs. */
async function goToolchain(
  env: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  const version = await run('go', ['env', 'GOVERSION'], { cwd: '/', env });
  const minor = Number(/^go1\.(\d+)/.exec(version)?.[1] ?? goMinorMin);
  return minor >= goMinorMin ? {} : { GOTOOLCHAIN: 'auto' };
}
