/** The image whose one process holds a pod's namespaces open while its containers come and go: this machine's own `sleep`, since nothing can be pulled. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { run } from '#scripts/testbed/command.ts';
import { writeRootfs } from '#scripts/testbed/rootfs.ts';

export const pauseImage = 'localhost/genesis-testbed-pause:1';

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** @returns an archive as `docker save` writes them */
export async function makePauseArchive(folder: string): Promise<string> {
  const work = join(folder, 'pause');
  const root = join(work, 'root');
  await mkdir(root, { recursive: true });
  await writeRootfs(root, { '/pause': '/bin/sleep' }, ['/bin/sleep']);
  const layer = join(work, 'layer.tar');
  await run('tar', [
    '--create',
    `--file=${layer}`,
    '--owner=0',
    '--group=0',
    `--directory=${root}`,
    '.',
  ]);
  const digest = createHash('sha256')
    .update(await readFile(layer))
    .digest('hex');
  const config = {
    architecture: architectures[process.arch] ?? process.arch,
    os: 'linux',
    config: { Entrypoint: ['/pause', 'infinity'], User: '65535:65535' },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
  };
  const manifest = [{ Config: 'config.json', RepoTags: [pauseImage], Layers: ['layer.tar'] }];
  await writeFile(join(work, 'config.json'), JSON.stringify(config));
  await writeFile(join(work, 'manifest.json'), JSON.stringify(manifest));
  const archive = join(folder, 'pause.tar');
  const files = ['manifest.json', 'config.json', 'layer.tar'];
  await run('tar', ['--create', `--file=${archive}`, `--directory=${work}`, ...files]);
  return archive;
}
