/** The images of the end-to-end tests, as archives in dist/images: the operator's from the Dockerfile, for two architectures, and the sample service. */
import { createHash } from 'node:crypto';
import { globSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { bundleService } from '#scripts/demo/service-bundle.ts';
import { run } from '#scripts/testbed/command.ts';
import { ensurePackages } from '#scripts/testbed/packages.ts';
import { createRunFolder } from '#scripts/testbed/run-folder.ts';

import { platforms } from './architectures.ts';
import {
  baseImage,
  buildImage,
  makeBase,
  makeBuildBase,
  npmCache,
  npmCacheInside,
} from './bases.ts';
import { type Builder, createBuilder } from './buildah.ts';

export interface BuiltImage {
  readonly tag: string;
  /** In the form of `docker save`: for this machine's architecture. */
  readonly archive: string;
}

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'dist/images');

export const images = {
  operator: {
    ...image('genesis-rollout'),
    /** As a registry would hold it: an OCI layout with both architectures. */
    index: join(folder, 'genesis-rollout.oci.tar'),
  },
  checkout: image('checkout'),
} as const;

export interface ImagesOptions {
  readonly say: (sentence: string) => void;
  readonly signal?: AbortSignal;
}

/** Builds them if what they are made of has changed since the last time. */
export async function buildImages(options: ImagesOptions): Promise<void> {
  const inputs = await inputsDigest();
  const mark = join(folder, 'inputs.sha256');
  if ((await readFile(mark, 'utf8').catch(() => '')) === inputs) return;
  await ensurePackages(['buildah', 'runc'], options);
  const startedAt = performance.now();
  options.say('building the images, from source and on bases made of this machine’s Node');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const temporary = await createRunFolder();
  try {
    await buildAll(createBuilder(temporary.path, options.signal), temporary.path, options);
  } finally {
    await temporary.remove();
  }
  await writeFile(mark, inputs);
  options.say(`built the images in ${Math.round((performance.now() - startedAt) / 1000)} s`);
}

async function buildAll(
  builder: Builder,
  temporary: string,
  options: ImagesOptions,
): Promise<void> {
  await makeBase(builder, temporary, options);
  await makeBuildBase(builder, temporary);
  await builder.build({
    tag: images.operator.tag,
    context: root,
    args: {
      BASE_IMAGE: baseImage,
      // By its name buildah 1.28 would look for one of the platform that is built for.
      BUILD_IMAGE: await builder.idOf(buildImage),
      REVISION: (
        await run('git', ['rev-parse', 'HEAD'], { cwd: root }).catch(() => 'unknown')
      ).trim(),
    },
    volumes: [`${await npmCache()}:${npmCacheInside}`],
    platforms,
  });
  await buildCheckout(builder, join(temporary, 'checkout'));
  for (const { tag, archive } of Object.values(images)) {
    await builder.save(tag, `${archive}.partial`);
    await rename(`${archive}.partial`, archive);
  }
  const { tag, index } = images.operator;
  await builder.saveIndex(tag, `${index}.partial`);
  await rename(`${index}.partial`, index);
}

async function buildCheckout(builder: Builder, context: string): Promise<void> {
  await mkdir(context);
  await writeFile(join(context, 'service.mjs'), await bundleService());
  await writeFile(
    join(context, 'Dockerfile'),
    `FROM ${baseImage}\nCOPY service.mjs /app/\nENTRYPOINT ["/nodejs/bin/node", "/app/service.mjs"]\n`,
  );
  await builder.build({ tag: images.checkout.tag, context });
}

/** Of everything that may change what is in an image. */
async function inputsDigest(): Promise<string> {
  const patterns = [
    'Dockerfile',
    '.dockerignore',
    'package*.json',
    'tsconfig.json',
    'scripts/*.ts',
    'scripts/{images,demo}/*.ts',
    'scripts/testbed/rootfs.ts',
    'src/**/*.ts',
  ];
  const files = patterns.flatMap((pattern) => globSync(pattern, { cwd: root })).toSorted();
  const hash = createHash('sha256').update(process.version);
  for (const file of files) hash.update(`\n${file}\n`).update(await readFile(join(root, file)));
  return hash.digest('hex');
}

function image(name: string): BuiltImage {
  return { tag: `localhost/${name}:local`, archive: join(folder, `${name}.tar`) };
}
