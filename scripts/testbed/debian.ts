/** Programs from a Debian system's own package archive, unpacked into the cache: nothing is installed and no service starts. */
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
  const partial = `${target}-packages`;
  const archives = join(partial, 'archives');
  const unpacked = join(partial, rootName);
  try {
    await mkdir(join(archives, 'partial'), { recursive: true });
    await fetchPackages(source, archives, options);
    for (const name of await readdir(archives)) {
      if (name.endsWith('.deb')) await run('dpkg-deb', ['-x', join(archives, name), unpacked]);
    }
    const root = join(dirname(target), rootName);
    await rm(root, { recursive: true, force: true });
    await rename(unpacked, root);
    await writeFile(target, launcher(source));
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function fetchPackages(
  source: DebianSource,
  archives: string,
  options: BuildOptions,
): Promise<void> {
  const names = source.packages.join(' and ');
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
        ...source.packages,
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
