/**
 * `npm run release`: what belongs to a release, in one folder: both bundles, the chart, the manifests, a bill of materials
 * and checksums of all of them. It uploads nothing, and refuses a version that is not what the tree says.
 */
import { parseArgs } from 'node:util';
import { makeRelease, ReleaseError } from './release.ts';

const usage = `npm run release -- [--out DIR] [--snapshot]

  --out DIR    where to (default: dist/release); it must not exist yet
  --snapshot   from a tree with changes, and without a section in CHANGELOG.md: to try, never to publish
`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        out: { type: 'string' },
        snapshot: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
    if (values.help === true) {
      process.stdout.write(usage);
      return 0;
    }
    const { version, files } = await makeRelease(
      values.out ?? 'dist/release',
      values.snapshot === true,
    );
    for (const { name, sha256, bytes } of files) {
      console.log(`${sha256}  ${name}  ${(bytes / 1024).toFixed(0)} KiB`);
    }
    console.log(
      `\nThe image: docker buildx build --platform linux/amd64,linux/arm64 --build-arg VERSION=${version} --build-arg REVISION=$(git rev-parse HEAD) -t REGISTRY/genesis-rollout:${version} --push .`,
    );
    return 0;
  } catch (error) {
    if (error instanceof ReleaseError) {
      console.error(`release: ${error.message}`);
      return 1;
    }
    if (error instanceof TypeError) {
      console.error(`release: ${error.message}\n\n${usage}`);
      return 2;
    }
    throw error;
  }
}
