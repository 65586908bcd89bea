/** Builds images with buildah in a store of its own, without a daemon and without any privilege but root's. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { run } from '#scripts/testbed/command.ts';

export interface ImageBuild {
  readonly tag: string;
  /** The folder with what the file copies. */
  readonly context: string;
  /** Default: `Dockerfile` in the context. */
  readonly file?: string;
  readonly args?: Readonly<Record<string, string>>;
  /** `FROM:TO`, seen by RUN only. */
  readonly volumes?: readonly string[];
  /** Such as `linux/arm64`: then the tag names an index of images, one for each. Default: one image, for this machine. */
  readonly platforms?: readonly string[];
}

export interface Builder {
  build(image: ImageBuild): Promise<void>;
  /** What a tag names, as a reference that is found whatever its platform. */
  idOf(tag: string): Promise<string>;
  /** Writes an image as an archive that docker, podman and `ctr images import` read: of an index, this machine's. */
  save(tag: string, archive: string): Promise<void>;
  /** Writes an index and all its images, as an archive of an OCI layout. */
  saveIndex(tag: string, archive: string): Promise<void>;
}

/** @param folder where images are kept; may be thrown away when all are saved */
export function createBuilder(folder: string, signal?: AbortSignal): Builder {
  // No overlay mounts and no namespaces: this works inside containers too.
  const store = [
    `--root=${join(folder, 'storage')}`,
    `--runroot=${join(folder, 'run')}`,
    '--storage-driver=vfs',
  ];
  const buildah = async (...args: readonly string[]) =>
    await run('buildah', [...store, ...args], {
      // What buildah and its children put aside.
      env: { TMPDIR: await temporary(folder) },
      ...(signal === undefined ? {} : { signal }),
    });
  return {
    build: async ({
      tag,
      context,
      file = join(context, 'Dockerfile'),
      args = {},
      volumes = [],
      platforms = [],
    }) => {
      // No `--layers`: with vfs each is a copy of all below it, which takes longer than a stage that is built once more.
      await buildah(
        'bud',
        '--isolation=chroot',
        '--quiet',
        ...(platforms.length === 0
          ? [`--tag=${tag}`]
          : [`--manifest=${tag}`, `--platform=${platforms.join(',')}`]),
        `--file=${file}`,
        ...Object.entries(args).map(([name, value]) => `--build-arg=${name}=${value}`),
        ...volumes.map((volume) => `--volume=${volume}`),
        context,
      );
    },
    idOf: async (tag) => {
      const id = await buildah('images', '--quiet', '--no-trunc', tag);
      return id.trim().replace(/^sha256:/, '');
    },
    save: async (tag, archive) => {
      await buildah('push', '--quiet', tag, `docker-archive:${archive}:${tag}`);
    },
    saveIndex: async (tag, archive) => {
      await buildah('manifest', 'push', '--quiet', '--all', tag, `oci-archive:${archive}:${tag}`);
    },
  };
}

async function temporary(folder: string): Promise<string> {
  const path = join(folder, 'tmp');
  await mkdir(path, { recursive: true });
  return path;
}
