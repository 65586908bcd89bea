/** Programs and libraries from a Debian system's own package archive, unpacked into the cache: nothing is installed and no service starts. */
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { BuildOptions } from './build.ts';
import { orMissing, run } from './command.ts';
import type { DebianSource } from './versions.ts';

/** Where the packages lie, beside the command itself. */
const rootName = 'root';

/** Fetches the packages with all that they need and this system lacks, and makes `target` a command that finds it. */
export async function unpackDebian(
  source: DebianSource,
  target: string,
  options: BuildOptions,
): Promise<void> {
  const unpacked = `${target}-packages`;
  try {
    await unpackPackages(source.packages, unpacked, options);
    const root = join(dirname(target), rootName);
    await rm(root, { recursive: true, force: true });
    await rename(unpacked, root);
    await writeFile(target, launcher(source));
  } finally {
    await rm(unpacked, { recursive: true, force: true });
  }
}

/** What is in the packages and in all that they need and this system lacks, into a folder. */
export async function unpackPackages(
  packages: readonly string[],
  folder: string,
  options: BuildOptions,
): Promise<void> {
  const archives = `${folder}-archives`;
  try {
    await mkdir(join(archives, 'partial'), { recursive: true });
    await fetchPackages(packages, archives, options);
    for (const name of await readdir(archives)) {
      if (name.endsWith('.deb')) await run('dpkg-deb', ['-x', join(archives, name), folder]);
    }
  } finally {
    await rm(archives, { recursive: true, force: true });
  }
}

async function fetchPackages(
  packages: readonly string[],
  archives: string,
  options: BuildOptions,
): Promise<void> {
  const names = packages.join(' and ');
  const hint = `${names} come from Debian's packages, and this system has no apt-get: install ${names}`;
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  const fetch = async () =>
    await run(
      'apt-get',
      [
        'install',
        '--yes',
        '--download-only',
        '--reinstall',
        '--no-install-recommends',
        '-o',
        `Dir::Cache::archives=${archives}`,
        // Only system-wide changes need the lock, and who is not root cannot have it.
        '-o',
        'Debug::NoLocking=1',
        ...packages,
      ],
      { env, ...signal },
    );
  await orMissing(fetch(), hint).catch(async (error: unknown) => {
    // Images come without lists of packages, or with lists of last month.
    if (process.getuid?.() !== 0) throw error;
    await run('apt-get', ['update', '--quiet'], { env, ...signal });
    return await fetch();
  });
}

/** The libraries that came along are found before the system's. */
function launcher({ file }: DebianSource): string {
  return [
    '#!/bin/sh',
    `root="$(dirname "$(readlink -f "$0")")/${rootName}"`,
    'for folder in "$root"/lib/* "$root"/usr/lib/*; do',
    '  [ -d "$folder" ] && LD_LIBRARY_PATH="$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"',
    'done',
    'export LD_LIBRARY_PATH',
    `exec "$root/${file}" "$@"`,
    '',
  ].join('\n');
}
