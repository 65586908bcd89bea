/** Which binary is taken, what the generated go.mod says, and that only one process builds at a time. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { toolPath } from './build.ts';
import { goMod } from './go-build.ts';
import { withLock } from './lock.ts';
import { tools } from './versions.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'testbed-build-'));
});
after(async () => await rm(folder, { recursive: true }));

describe('the go.mod of a tool', () => {
  test("repeats the module's replacements and publishes those of Kubernetes's staging folder", () => {
    const upstream = [
      'module k8s.io/kubernetes',
      'go 1.26.0',
      'godebug default=go1.26',
      'require k8s.io/api v0.0.0',
      'replace (',
      '\tk8s.io/api => ./staging/src/k8s.io/api',
      '\tk8s.io/client-go => ./staging/src/k8s.io/client-go',
      ')',
    ].join('\n');
    assert.deepEqual(goMod(tools['kube-apiserver'].source, upstream).split('\n').filter(Boolean), [
      'module genesis-rollout/testbed',
      'go 1.26.0',
      'require k8s.io/kubernetes v1.36.3',
      'replace k8s.io/api => k8s.io/api v0.36.3',
      'replace k8s.io/client-go => k8s.io/client-go v0.36.3',
    ]);
  });

  test('keeps a replacement of one version by another and drops those inside its own repository', () => {
    const upstream = [
      'go 1.24.0',
      'replace github.com/fsnotify/fsnotify v1.8.0 => github.com/fsnotify/fsnotify v1.7.0',
      'replace (',
      '\tgo.etcd.io/etcd/api/v3 => ../api',
      ')',
    ].join('\n');
    const lines = goMod(tools.etcd.source, upstream).split('\n');
    assert.deepEqual(
      lines.filter((line) => line.startsWith('replace')),
      ['replace github.com/fsnotify/fsnotify v1.8.0 => github.com/fsnotify/fsnotify v1.7.0'],
    );
  });
});

test('a binary in KUBEBUILDER_ASSETS is taken instead of a build', async () => {
  const given = join(folder, 'kube-apiserver');
  await writeFile(given, '#!/bin/sh\n');
  await chmod(given, 0o755);
  const before = process.env['KUBEBUILDER_ASSETS'];
  process.env['KUBEBUILDER_ASSETS'] = folder;
  try {
    assert.equal(await toolPath('kube-apiserver'), given);
  } finally {
    if (before === undefined) delete process.env['KUBEBUILDER_ASSETS'];
    else process.env['KUBEBUILDER_ASSETS'] = before;
  }
});

describe('a lock among processes', () => {
  test('lets no two hold it at once', async () => {
    const file = join(folder, 'lock');
    let holders = 0;
    let holdersMost = 0;
    const work = async () => {
      holders += 1;
      holdersMost = Math.max(holdersMost, holders);
      await new Promise(setImmediate);
      holders -= 1;
    };
    await Promise.all(Array.from({ length: 5 }, async () => await withLock(file, work)));
    assert.equal(holdersMost, 1);
  });

  test('is free again when its holder was killed', async () => {
    const file = join(folder, 'killed');
    const program = `
      import { withLock } from ${JSON.stringify(join(import.meta.dirname, 'lock.ts'))};
      await withLock(${JSON.stringify(file)}, async () => {
        console.log('held');
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      });`;
    const holder = spawn(process.execPath, ['--input-type=module-typescript', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(holder.stdout, 'data');
    let waited = false;
    const taken = withLock(
      file,
      async () => await Promise.resolve('taken'),
      () => {
        waited = true;
        holder.kill('SIGKILL');
      },
    );
    assert.equal(await taken, 'taken');
    assert.ok(waited);
  });

  test('is released when the work fails', async () => {
    const file = join(folder, 'failed');
    await assert.rejects(
      withLock(file, async () => await Promise.reject(new Error('no'))),
      /no/,
    );
    assert.equal(await withLock(file, async () => await Promise.resolve(1)), 1);
  });
});
