/** Node for the architecture that this machine is not of, with its libraries, and the emulator that runs it: from packages, fetched once and kept in the cache. */
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import type { BuildOptions } from '#scripts/testbed/build.ts';
import { run } from '#scripts/testbed/command.ts';
import { unpackPackages } from '#scripts/testbed/debian.ts';
import { cacheFolder } from '#scripts/testbed/environment.ts';
import { withLock } from '#scripts/testbed/lock.ts';
import type { Layout } from '#scripts/testbed/rootfs.ts';
import { otherArchitecture } from './architectures.ts';

const { name, node, machine, loader } = otherArchitecture;

interface OtherNode {
  /** The program. */
  readonly node: string;
  /** Where they stand in an image, as in Debian's own. */
  readonly libraries: Layout;
}

/** The same version as this process. */
export async function otherNode(options: BuildOptions): Promise<OtherNode> {
  const { node: version } = process.versions;
  const folder = await once(`node-${name}-${version}`, options, async (partial) => {
    const spec = `node-linux-${node}@${version}`;
    const packed = await run('npm', ['pack', '--silent', `--pack-destination=${partial}`, spec]);
    const archive = join(partial, packed.trim());
    await run('tar', ['-xzf', archive, '-C', partial, '--strip-components=2', 'package/bin/node']);
    await rm(archive);
    const libraries = ['libc6', 'libgcc-s1', 'libstdc++6'].map((one) => `${one}-${name}-cross`);
    const unpacked = join(partial, 'packages');
    await unpackPackages(libraries, unpacked, options);
    await rename(join(unpacked, 'usr', `${machine}-linux-gnu`, 'lib'), join(partial, 'lib'));
    await rm(unpacked, { recursive: true });
  });
  const lib = join(folder, 'lib');
  return {
    node: join(folder, 'node'),
    libraries: { [`/lib/${machine}-linux-gnu`]: lib, [loader]: join(lib, basename(loader)) },
  };
}

/** A static program: it runs inside an image of the other architecture too. */
export async function emulatorPath(options: BuildOptions = {}): Promise<string> {
  const file = `qemu-${machine}-static`;
  const folder = await once(file, options, async (partial) => {
    const unpacked = join(partial, 'packages');
    await unpackPackages(['qemu-user-static'], unpacked, options);
    await rename(join(unpacked, 'usr/bin', file), join(partial, file));
    // It comes with emulators of thirty other machines.
    await rm(unpacked, { recursive: true });
  });
  return join(folder, file);
}

/** The folder of this name in the cache, made now if it is not there. */
async function once(
  title: string,
  { say = () => undefined }: BuildOptions,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(cacheFolder(), 'images', title);
  if (await isThere(folder)) return folder;
  await withLock(join(cacheFolder(), 'lock', 'images'), async () => {
    if (await isThere(folder)) return;
    say(`fetching ${title} (once; kept in ${dirname(folder)})`);
    const partial = `${folder}.partial`;
    // What a killed process left is of no use.
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true });
    await make(partial);
    await rename(partial, folder);
  });
  return folder;
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
