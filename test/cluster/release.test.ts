/** `npm run release`: whole, verifiable, and the same for the same tree. It needs Helm, which the testbed builds. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { makeRelease, type Release, ReleaseError } from '#scripts/release/release.ts';
import { toolPath } from '#scripts/testbed/index.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

describe('a release', () => {
  let folder: string;
  let release: Release;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'genesis-release-'));
    release = await makeRelease(join(folder, 'one'), true);
  });
  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  test('has the bundles, the chart, the manifests and a bill of materials', () => {
    assert.deepEqual(
      release.files.map(({ name }) => name),
      [
        'controller.mjs',
        'crds.yaml',
        `genesis-rollout-${release.version}.tgz`,
        'install.yaml',
        'kubectl-genesis.mjs',
        'sbom.cdx.json',
      ],
    );
  });

  test('has checksums that sha256sum agrees with, and that a changed file breaks', async () => {
    const cwd = join(folder, 'one');
    await run('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd });
    const second = await makeRelease(join(folder, 'two'), true);
    await writeFile(join(folder, 'two', 'crds.yaml'), 'changed');
    await assert.rejects(run('sha256sum', ['--check', 'SHA256SUMS'], { cwd: join(folder, 'two') }));
    // Helm packs with the time of day.
    const comparable = ({ files }: Release) => files.filter(({ name }) => !name.endsWith('.tgz'));
    assert.deepEqual(comparable(second), comparable(release));
  });

  test('names every package that it is made from, and its version', async () => {
    const bill = JSON.parse(await readFile(join(folder, 'one', 'sbom.cdx.json'), 'utf8'));
    const named = new Map<string, string>(
      bill.components.map(({ name, version }: { name: string; version: string }) => [
        name,
        version,
      ]),
    );
    const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
    assert.ok(Object.keys(dependencies).length > 5);
    for (const name of Object.keys(dependencies)) {
      assert.equal(named.get(name), lock.packages[`node_modules/${name}`].version, name);
    }
  });

  test('has a chart that Helm reads', async () => {
    const chart = join(folder, 'one', `genesis-rollout-${release.version}.tgz`);
    const { stdout } = await run(await toolPath('helm'), ['show', 'chart', chart]);
    assert.match(stdout, new RegExp(`^version: ${release.version}$`, 'm'));
  });

  test('has a command line that says its version', async () => {
    const program = join(folder, 'one', 'kubectl-genesis.mjs');
    const { stdout } = await run(process.execPath, [program, '--help']);
    assert.match(stdout, /simulate/);
  });

  test('is not written over another', async () => {
    await assert.rejects(makeRelease(join(folder, 'one'), true), (error) => {
      assert.ok(error instanceof ReleaseError);
      assert.match(error.message, /is not empty; name another folder with --out/);
      return true;
    });
    assert.equal((await readdir(join(folder, 'one'))).length, 7);
  });
});
