/** Puts a release together, from the tree as it stands. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { toolPath } from '../testbed/index.ts';
import { billOfMaterials } from './bill-of-materials.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');

/** What a person can mend. */
export class ReleaseError extends Error {}

export interface ReleaseFile {
  readonly name: string;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly bytes: number;
}

export interface Release {
  readonly version: string;
  readonly files: readonly ReleaseFile[];
}

const checksums = 'SHA256SUMS';

/** @param isSnapshot to try it: changes and a missing section of the change log are no errors */
export async function makeRelease(folder: string, isSnapshot: boolean): Promise<Release> {
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  if (!isSnapshot) await mustBeReleasable(version);
  const out = resolve(folder);
  await mkdir(out, { recursive: true });
  if ((await readdir(out)).length > 0) {
    throw new ReleaseError(`${folder} is not empty; name another folder with --out, or remove it`);
  }
  try {
    await fill(out, version);
    const files = await Promise.all(
      (await readdir(out)).toSorted().map((name) => describe(out, name)),
    );
    const lines = files.map(({ name, sha256 }) => `${sha256}  ${name}\n`);
    await writeFile(join(out, checksums), lines.join(''));
    return { version, files };
  } catch (error) {
    await rm(out, { recursive: true, force: true });
    throw error;
  }
}

async function mustBeReleasable(version: string): Promise<void> {
  const { stdout } = await run('git', ['status', '--porcelain'], { cwd: root });
  if (stdout !== '') {
    throw new ReleaseError(
      `these are not committed; commit them or use --snapshot:\n${stdout.trimEnd()}`,
    );
  }
  const log = await readFile(join(root, 'CHANGELOG.md'), 'utf8');
  if (!log.includes(`\n## ${version} `)) {
    throw new ReleaseError(
      `CHANGELOG.md has no section "## ${version} - DATE"; rename its section Unreleased, or use --snapshot`,
    );
  }
}

async function fill(out: string, version: string): Promise<void> {
  await run(process.execPath, ['scripts/build.ts'], { cwd: root });
  for (const name of ['controller.mjs', 'kubectl-genesis.mjs']) {
    await copyFile(join(root, 'dist', name), join(out, name));
  }
  const crds = (await readdir(join(root, 'crds'))).toSorted();
  const texts = await Promise.all(crds.map((name) => readFile(join(root, 'crds', name), 'utf8')));
  await writeFile(join(out, 'crds.yaml'), texts.join('---\n'));
  await copyFile(join(root, 'deploy/install.yaml'), join(out, 'install.yaml'));
  await run(await toolPath('helm'), ['package', 'charts/genesis-rollout', '--destination', out], {
    cwd: root,
  });
  const bill = await billOfMaterials(root, version);
  await writeFile(join(out, 'sbom.cdx.json'), `${JSON.stringify(bill, undefined, 2)}\n`);
}

async function describe(folder: string, name: string): Promise<ReleaseFile> {
  const content = await readFile(join(folder, name));
  const sha256 = createHash('sha256').update(content).digest('hex');
  return { name, sha256, bytes: content.length };
}
