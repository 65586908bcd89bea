/** Programs of the system that only some parts of the testbed need: found if they are there, installed if this is Debian and we are root, else asked for in one sentence. */
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';

import type { BuildOptions } from './build.ts';
import { run } from './command.ts';
import { cacheFolder, searchPath } from './environment.ts';
import { withLock } from './lock.ts';

/** What shows that a package is there: a program on PATH, or a file in one of some folders. */
interface SystemPackage {
  readonly file: string;
  readonly folders?: readonly string[];
}

/** Where distributions put the plugins of the container network interface. */
const cniFolders = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni', '/usr/lib64/cni'];

/** By the names that Debian and Ubuntu give them. */
const systemPackages = {
  buildah: { file: 'buildah' },
  podman: { file: 'podman' },
  runc: { file: 'runc' },
  containerd: { file: 'containerd' },
  'containernetworking-plugins': { file: 'ptp', folders: cniFolders },
  nftables: { file: 'nft' },
  conntrack: { file: 'conntrack' },
  iproute2: { file: 'ip' },
} as const satisfies Record<string, SystemPackage>;

export type PackageName = keyof typeof systemPackages;

/** Where Debian puts programs for root, which is not on everybody's PATH. */
const rootFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Where the programs of the container network interface are. */
export async function cniFolder(): Promise<string> {
  const plugin = await packageFile('containernetworking-plugins');
  if (plugin === undefined) throw new Error('containernetworking-plugins is not installed');
  return join(plugin, '..');
}

/** Resolves when all of them are there. */
export async function ensurePackages(
  names: readonly PackageName[],
  options: BuildOptions = {},
): Promise<void> {
  const isRoot = process.getuid?.() === 0;
  if ((await missingOf(names)).length === 0) return;
  await withLock(join(cacheFolder(), 'lock', 'packages'), async () => {
    const missing = await missingOf(names);
    if (missing.length === 0) return;
    const command = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
    if (!isRoot || !(await isOnPath('apt-get'))) {
      throw new Error(
        `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not installed; on Debian and Ubuntu: \`sudo ${command}\``,
      );
    }
    options.say?.(`installing ${missing.join(', ')}, with \`${command}\``);
    await install(missing, options);
    const still = await missingOf(missing);
    if (still.length > 0) {
      throw new Error(
        `${still.join(', ')}: installed, but the programs are not where they should be`,
      );
    }
  });
}

async function install(names: readonly PackageName[], { signal }: BuildOptions): Promise<void> {
  const options = {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    ...(signal === undefined ? {} : { signal }),
  };
  // Somebody else's apt-get may be at work.
  const apt = async (...args: readonly string[]) =>
    await run('apt-get', ['-o', 'DPkg::Lock::Timeout=300', '-q', ...args], options);
  const wanted = ['install', '-y', '--no-install-recommends', ...names];
  // The lists may be missing or too old; then they are fetched, which takes longest.
  await apt(...wanted).catch(async () => {
    await apt('update');
    await apt(...wanted);
  });
}

async function missingOf(names: readonly PackageName[]): Promise<readonly PackageName[]> {
  const files = await Promise.all(names.map(packageFile));
  return names.filter((_, index) => files[index] === undefined);
}

async function packageFile(name: PackageName): Promise<string | undefined> {
  const { file, folders = pathFolders() }: SystemPackage = systemPackages[name];
  for (const folder of folders) {
    if (await isExecutable(join(folder, file))) return join(folder, file);
  }
  return undefined;
}

async function isOnPath(program: string): Promise<boolean> {
  const found = await Promise.all(
    pathFolders().map(async (folder) => await isExecutable(join(folder, program))),
  );
  return found.includes(true);
}

function pathFolders(): readonly string[] {
  return [...searchPath().split(':').filter(Boolean), ...rootFolders];
}

async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
