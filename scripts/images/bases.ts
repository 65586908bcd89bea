/**
 * Stand-ins for the Dockerfile's two base images, for machines that can pull none: made from this machine's own Node and npm,
 * and for the other architecture from packages.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildOptions } from '#scripts/testbed/build.ts';
import { run } from '#scripts/testbed/command.ts';
import { authorities, link, writeRootfs } from '#scripts/testbed/rootfs.ts';
import { otherArchitecture, ownArchitecture, platforms } from './architectures.ts';
import type { Builder } from './buildah.ts';
import { otherNode } from './other-node.ts';

/** As in distroless. */
const nodeInside = '/nodejs/bin/node';

/** Where npm in the build image looks for what was fetched before. */
export const npmCacheInside = '/var/cache/npm';

export const baseImage = 'localhost/node-base:local';
export const buildImage = 'localhost/node-build:local';

/** Like gcr.io/distroless/nodejs24: Node and its libraries, no shell; one name for both architectures. */
export async function makeBase(
  builder: Builder,
  folder: string,
  options: BuildOptions,
): Promise<void> {
  const context = join(folder, 'node-base');
  const own = { [nodeInside]: process.execPath, [authorities]: authorities };
  await writeRootfs(join(context, ownArchitecture.name), own, [process.execPath]);
  const { node, libraries } = await otherNode(options);
  const other = { [nodeInside]: node, [authorities]: authorities, ...libraries };
  await writeRootfs(join(context, otherArchitecture.name), other, []);
  await writeFile(
    join(context, 'Dockerfile'),
    `FROM scratch\nARG TARGETARCH\nCOPY \${TARGETARCH} /\nUSER 65532\nENTRYPOINT ["${nodeInside}"]\n`,
  );
  await builder.build({ tag: baseImage, context, platforms });
}

/** Like docker.io/library/node:24: also npm and the shell that it needs. */
export async function makeBuildBase(builder: Builder, folder: string): Promise<void> {
  const context = join(folder, 'node-build');
  const root = join(context, 'root');
  const npm = await npmFolder();
  const layout = {
    [nodeInside]: process.execPath,
    [authorities]: authorities,
    '/usr/local/lib/node_modules/npm': npm,
    '/bin/sh': '/bin/sh',
    '/usr/bin/env': '/usr/bin/env',
  };
  await writeRootfs(root, layout, [process.execPath, '/bin/sh', '/usr/bin/env']);
  await link(root, '/usr/local/bin/node', nodeInside);
  await link(root, '/usr/local/bin/npm', '../lib/node_modules/npm/bin/npm-cli.js');
  const registry = (await run('npm', ['config', 'get', 'registry'])).trim();
  await writeFile(
    join(context, 'Dockerfile'),
    [
      'FROM scratch',
      'COPY root /',
      // The registry and the authorities are this machine's: it may reach no others.
      `ENV PATH=/usr/local/bin:/usr/bin:/bin NODE_EXTRA_CA_CERTS=${authorities} npm_config_registry=${registry} npm_config_cache=${npmCacheInside}`,
      '',
    ].join('\n'),
  );
  await builder.build({ tag: buildImage, context });
}

/** npm's own cache, so that what `npm ci` has fetched once need not be fetched again. */
export async function npmCache(): Promise<string> {
  return (await run('npm', ['config', 'get', 'cache'])).trim();
}

async function npmFolder(): Promise<string> {
  const globals = (await run('npm', ['root', '--global'])).trim();
  return join(globals, 'npm');
}
