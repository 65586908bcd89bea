/** A root file system put together from programs of this machine and the libraries they need: a base image where none can be pulled. */
import { cp, mkdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { run } from './command.ts';

/** From a path inside the image to what of this machine stands there: a file or a folder. */
export type Layout = Readonly<Record<string, string>>;

const passwd = `root:x:0:0:root:/root:/sbin/nologin
nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin
`;

/** Where Debian and Fedora have the certificate authorities that this machine trusts. */
export const authorities = '/etc/ssl/certs/ca-certificates.crt';

/** @param programs files of the layout that are programs: their libraries come along */
export async function writeRootfs(
  folder: string,
  layout: Layout,
  programs: readonly string[],
): Promise<void> {
  const libraries = (await Promise.all(programs.map(librariesOf))).flat();
  const files = { ...layout, ...Object.fromEntries(libraries.map((file) => [file, file])) };
  for (const [inside, outside] of Object.entries(files)) {
    const target = join(folder, inside);
    await mkdir(dirname(target), { recursive: true });
    await cp(await realpath(outside), target, { recursive: true, verbatimSymlinks: true });
  }
  await mkdir(join(folder, 'tmp'), { mode: 0o1777, recursive: true });
  await mkdir(join(folder, 'etc'), { recursive: true });
  await writeFile(join(folder, 'etc/passwd'), passwd);
}

export async function link(folder: string, inside: string, target: string): Promise<void> {
  await mkdir(dirname(join(folder, inside)), { recursive: true });
  await symlink(target, join(folder, inside));
}

/** The loader too. A program without any is static. */
async function librariesOf(program: string): Promise<readonly string[]> {
  const text = await run('ldd', [program]).catch((error: unknown) => {
    if (error instanceof Error && error.message.includes('not a dynamic executable')) return '';
    throw error;
  });
  return [...text.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].map(([, file = '']) => file);
}
