/** Reading archives of images: of an index as a registry would hold it, which images it names, what each says of itself, and its files. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

import { run } from '#scripts/testbed/command.ts';

const descriptor = z.object({ digest: z.string().regex(/^sha256:[0-9a-f]{64}$/) });
const layoutSchema = z.object({ manifests: z.array(descriptor).length(1) });
const indexSchema = z.object({
  mediaType: z.literal('application/vnd.oci.image.index.v1+json'),
  manifests: z.array(
    descriptor.extend({ platform: z.object({ architecture: z.string(), os: z.string() }) }),
  ),
});
const manifestSchema = z.object({ config: descriptor, layers: z.array(descriptor) });
const configSchema = z.object({
  architecture: z.string(),
  os: z.string(),
  config: z.object({
    User: z.string(),
    Entrypoint: z.array(z.string()),
    Labels: z.record(z.string(), z.string()),
  }),
  /** What is in its layers. */
  rootfs: z.object({ diff_ids: z.array(z.string()).min(1) }),
});

const archiveSchema = z.tuple([z.object({ Config: z.string() })]);

export interface IndexedImage {
  /** As the index says. */
  readonly platform: string;
  /** As the image itself says. */
  readonly config: z.infer<typeof configSchema>;
  /** Writes its files into a folder. */
  unpack(folder: string): Promise<void>;
}

/** What an archive in the form of `docker save` says of its one image. */
export async function readArchive(archive: string): Promise<IndexedImage['config']> {
  const json = async (name: string): Promise<unknown> =>
    JSON.parse(await run('tar', ['-xOf', archive, name]));
  const [{ Config: name }] = archiveSchema.parse(await json('manifest.json'));
  return configSchema.parse(await json(name));
}

/** @param folder for what is in the archive */
export async function readIndex(
  archive: string,
  folder: string,
): Promise<ReadonlyMap<string, IndexedImage>> {
  await mkdir(folder, { recursive: true });
  await run('tar', ['-xf', archive, '-C', folder]);
  const blob = ({ digest }: { readonly digest: string }) =>
    join(folder, 'blobs', digest.replace(':', '/'));
  const json = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'));

  const layout = layoutSchema.parse(await json(join(folder, 'index.json')));
  const [top = { digest: '' }] = layout.manifests;
  const index = indexSchema.parse(await json(blob(top)));
  const images = index.manifests.map(async (entry): Promise<[string, IndexedImage]> => {
    const manifest = manifestSchema.parse(await json(blob(entry)));
    const config = configSchema.parse(await json(blob(manifest.config)));
    const unpack = async (target: string) => {
      await mkdir(target, { recursive: true });
      // No layer of ours takes a file of a lower one away.
      for (const layer of manifest.layers) await run('tar', ['-xf', blob(layer), '-C', target]);
    };
    const { os, architecture } = entry.platform;
    return [architecture, { platform: `${os}/${architecture}`, config, unpack }];
  });
  return new Map(await Promise.all(images));
}
