/** The operator's image as a registry would hold it: one index, an image for each architecture, the same bundle in both; and the one for the other architecture, run. */
import assert from 'node:assert/strict';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import {
  architectures,
  otherArchitecture,
  ownArchitecture,
  platforms,
} from '#scripts/images/architectures.ts';
import { images } from '#scripts/images/images.ts';
import { emulatorPath } from '#scripts/images/other-node.ts';

import { createPodman, type Podman, restricted } from './containers.ts';
import { type IndexedImage, readArchive, readIndex } from './image-archives.ts';

const { index, archive, tag } = images.operator;
/** Where an ELF header has `e_machine`. */
const elfMachineAt = 18;

describe('the image for two architectures', { timeout: 300_000 }, () => {
  let folder = '';
  let found: ReadonlyMap<string, IndexedImage>;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'genesis-index-'));
    found = await readIndex(index, join(folder, 'layout'));
  });
  after(async () => await rm(folder, { recursive: true, force: true }));

  test('is one index, which names both', () => {
    const named = [...found.values()].map(({ platform }) => platform);
    assert.deepEqual(named.toSorted(), [...platforms].toSorted());
  });

  test('each says the same of itself, but for its architecture', () => {
    for (const { name } of architectures) {
      assert.equal(found.get(name)?.config.architecture, name);
      assert.equal(found.get(name)?.config.os, 'linux');
      assert.equal(found.get(name)?.config.config.User, '65532:65532');
      assert.deepEqual(found.get(name)?.config.config.Entrypoint, [
        '/nodejs/bin/node',
        '/app/controller.mjs',
      ]);
    }
    const [one, two] = architectures.map(({ name }) => found.get(name)?.config.config);
    assert.deepEqual(one, two);
  });

  test('the one for this machine is what the other tests run', async () => {
    const { architecture, rootfs } = await readArchive(archive);
    assert.equal(architecture, ownArchitecture.name);
    assert.deepEqual(rootfs, found.get(ownArchitecture.name)?.config.rootfs);
  });

  test('the bundles are the same bytes, and Node is a program for its machine', async () => {
    for (const { name } of architectures) await found.get(name)?.unpack(join(folder, name));
    const [one, two] = architectures.map(({ name }) => join(folder, name));
    assert.ok(one !== undefined && two !== undefined);
    for (const file of ['app/controller.mjs', 'app/kubectl-genesis.mjs', 'licenses/LICENSE']) {
      const [ours, theirs] = [await readFile(join(one, file)), await readFile(join(two, file))];
      assert.ok(ours.length > 0 && ours.equals(theirs), file);
    }
    for (const { name, elfMachine } of architectures) {
      assert.equal(await machineOf(join(folder, name, 'nodejs/bin/node')), elfMachine, name);
    }
  });

  describe(`for ${otherArchitecture.name}, under an emulator`, () => {
    let podman: Podman;
    let emulated: readonly string[];
    before(async () => {
      podman = createPodman(join(folder, 'podman'));
      await podman.run(
        'pull',
        '--quiet',
        `--platform=linux/${otherArchitecture.name}`,
        `oci-archive:${index}`,
      );
      const [image] = JSON.parse(await podman.run('image', 'inspect', tag));
      assert.equal(image.Architecture, otherArchitecture.name);
      // Nothing else of this machine is inside: the loader and the libraries are the image's.
      const emulator = `--volume=${await emulatorPath()}:/emulator:ro`;
      emulated = [...restricted, emulator, '--entrypoint=/emulator', tag, '/nodejs/bin/node'];
    });
    after(async () => await podman.run('rm', '--all', '--force', '--time=1'));

    test('Node starts, as a user without rights', async () => {
      const script = 'console.log(process.arch, process.version, process.getuid())';
      const said = await podman.run('run', '--rm', ...emulated, '-e', script);
      assert.equal(said.trim(), `${otherArchitecture.node} ${process.version} 65532`);
    });

    test('the controller explains its flags', async () => {
      const help = await podman.run('run', '--rm', ...emulated, '/app/controller.mjs', '--help');
      assert.match(help, /--prometheus-url URL/);
    });
  });
});

async function machineOf(program: string): Promise<number> {
  const file = await open(program);
  try {
    const header = Buffer.alloc(20);
    await file.read(header, 0, header.length, 0);
    assert.deepEqual(header.subarray(0, 4), Buffer.from('\x7fELF'));
    return header.readUInt16LE(elfMachineAt);
  } finally {
    await file.close();
  }
}
