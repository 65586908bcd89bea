/** Both stores against the contract, and what is particular to each. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { configMapResource } from '#api/names.ts';
import { ClusterError } from '#ports/cluster.ts';
import type { EvidenceOwner } from '#ports/evidence-store.ts';
import {
  eventRecord,
  evidenceStoreContract,
  snapshotRecord,
} from '#test/contracts/evidence-store.contract.ts';
import { FakeApiServer, FakeCluster } from '#test/fakes/cluster.ts';
import { LINES_KEY } from './config-map.ts';
import { createConfigMapStore } from './config-map-store.ts';
import { createDirectoryStore } from './directory-store.ts';
import { gzipCodec } from './lines.ts';

const ownerOf = (name: string): EvidenceOwner => ({
  apiVersion: 'genesis.dev/v1alpha1',
  kind: 'GenesisRollout',
  namespace: 'shop',
  name,
  uid: `uid-of-${name}`,
});
const owner = ownerOf('checkout');
const signal = new AbortController().signal;
const segment = { owner, runId: 'run-1', number: 0 };

evidenceStoreContract('a store of ConfigMaps', async () => {
  const server = new FakeApiServer();
  return {
    store: createConfigMapStore({ cluster: new FakeCluster({ server }) }),
    other: createConfigMapStore({ cluster: new FakeCluster({ server }) }),
    owner: (name) => Promise.resolve(ownerOf(name)),
    closes: true,
    close: () => Promise.resolve(),
  };
});

evidenceStoreContract('a directory', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'evidence-'));
  return {
    store: createDirectoryStore(directory),
    other: createDirectoryStore(directory),
    owner: (name) => Promise.resolve(ownerOf(name)),
    closes: false,
    close: () => rm(directory, { recursive: true }),
  };
});

/** As a version to come would write it. */
const foreign = JSON.stringify({ type: 'trace', at: '2026-11-22T12:00:00Z', spans: 3 });

describe('what another version wrote', () => {
  const page = { lines: [snapshotRecord(1)], unread: [foreign, 'no JSON'] };

  test('is left as it is in a ConfigMap when something is added', async () => {
    const cluster = new FakeCluster();
    const store = createConfigMapStore({ cluster });
    await store.append(segment, [snapshotRecord(1)], signal);
    const key = { namespace: 'shop', name: 'checkout-run-1-s0000' };
    const kept = (bytes: Buffer) => ({
      binaryData: { [LINES_KEY]: bytes.toString('base64') },
    });
    const patch = kept(await gzipCodec.encode(page));
    cluster.server.mergePatch(configMapResource, key, patch, { fieldManager: 'newer' });
    await store.append(segment, [snapshotRecord(2)], signal);
    const data = cluster.server.get(configMapResource, key)?.['binaryData'];
    const text = String(Reflect.get(Object(data), LINES_KEY));
    const after = await gzipCodec.decode(Buffer.from(text, 'base64'));
    assert.deepEqual(after.unread, page.unread);
    assert.equal(after.lines.length, 2);
  });

  test('is left as it is in a file when something is added', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'evidence-'));
    const store = createDirectoryStore(directory);
    await store.append(segment, [snapshotRecord(1)], signal);
    const path = join(directory, 'shop/checkout/run-1/s0000.jsonl.gz');
    await writeFile(path, await gzipCodec.encode(page));
    await store.append(segment, [snapshotRecord(2)], signal);
    const after = await gzipCodec.decode(await readFile(path));
    assert.deepEqual(after.unread, page.unread);
    assert.equal(after.lines.length, 2);
    await rm(directory, { recursive: true });
  });
});

describe('a store of ConfigMaps', () => {
  test('makes objects that the rollout owns and that anybody can find and read', async () => {
    const cluster = new FakeCluster();
    const store = createConfigMapStore({ cluster });
    await store.append(segment, [snapshotRecord(1), snapshotRecord(2)], signal);
    const key = { namespace: 'shop', name: 'checkout-run-1-s0000' };
    const object = cluster.server.get(configMapResource, key);
    assert.deepEqual(object?.metadata.labels, {
      'genesis.dev/rollout': 'checkout',
      'genesis.dev/run': 'run-1',
      'genesis.dev/purpose': 'snapshots',
      'app.kubernetes.io/managed-by': 'genesis-rollout',
    });
    assert.equal(object.metadata.ownerReferences?.[0]?.uid, owner.uid);
    assert.equal(object.metadata.annotations?.['genesis.dev/recorded'], '1-2');
    await store.close(segment, signal);
    assert.equal(cluster.server.get(configMapResource, key)?.['immutable'], true);
  });

  test('goes on in a further part where one has grown too large, and still keeps a snapshot once', async () => {
    const cluster = new FakeCluster();
    const store = createConfigMapStore({ cluster, partBytesMax: 600 });
    for (let index = 1; index <= 40; index += 1) {
      const step = `step-${Math.imul(index, 0x9e3779b1).toString(36)}`;
      const lines = [snapshotRecord(index, { step }), eventRecord(`event ${index} ${step}`)];
      assert.deepEqual(await store.append(segment, lines, signal), []);
    }
    const names = cluster.server.list(configMapResource).map(({ metadata }) => metadata.name);
    assert.ok(names.length > 2, names.join());
    assert.ok(names.includes('checkout-run-1-s0000-1'));
    await store.append(segment, [snapshotRecord(1), eventRecord('event 1 step-z')], signal);
    const lines = await store.read(owner, 'run-1', signal);
    const indices = lines.flatMap((line) => (line.type === 'snapshot' ? [line.index] : []));
    assert.deepEqual(
      indices,
      Array.from({ length: 40 }, (_, at) => at + 1),
    );
    assert.deepEqual((await store.runs(owner, signal))[0]?.recorded, [[1, 40]]);
    await store.close(segment, signal);
    assert.ok(cluster.server.list(configMapResource).every((one) => one['immutable'] === true));
  });

  test('keeps a day of records with 64 metrics and 64 triggers far below the limit of an object', async () => {
    const cluster = new FakeCluster();
    const store = createConfigMapStore({ cluster });
    const large = (index: number) =>
      snapshotRecord(index, {
        metrics: Object.fromEntries(
          Array.from({ length: 64 }, (_, at) => [`metric-${at}`, { value: Math.sin(index * at) }]),
        ),
        triggers: Array.from({ length: 64 }, (_, at) => ({
          name: `trigger-${at}`,
          severity: 'Critical',
          state: 'Inactive',
          reading: { value: Math.cos(index * at) },
        })),
      });
    const lines = Array.from({ length: 72 }, (_, at) => large(at + 1));
    await store.append(segment, lines, signal);
    const [object] = cluster.server.list(configMapResource);
    const bytes = JSON.stringify(object?.['binaryData']).length;
    assert.ok(bytes < 256 * 1024, `${bytes} bytes`);
  });

  test('refuses what no object can hold, and keeps the rest', async () => {
    const store = createConfigMapStore({ cluster: new FakeCluster() });
    const noise = Array.from({ length: 300_000 }, (_, at) =>
      Math.imul(at + 1, 0x9e3779b1).toString(36),
    ).join('');
    const huge = eventRecord(noise);
    assert.deepEqual(await store.append(segment, [huge], signal), [huge]);
    assert.deepEqual(await store.append(segment, [snapshotRecord(1)], signal), []);
    assert.deepEqual(await store.read(owner, 'run-1', signal), [snapshotRecord(1)]);
  });

  test('leaves alone what somebody has spoilt, and goes on beside it', async () => {
    const cluster = new FakeCluster();
    const store = createConfigMapStore({ cluster });
    await store.append(segment, [snapshotRecord(1)], signal);
    const key = { namespace: 'shop', name: 'checkout-run-1-s0000' };
    const patch = { binaryData: { 'records.jsonl.gz': 'bm8gZ3ppcA==' } };
    cluster.server.mergePatch(configMapResource, key, patch, {});
    assert.deepEqual(await store.append(segment, [snapshotRecord(2)], signal), []);
    assert.deepEqual(await store.read(owner, 'run-1', signal), [snapshotRecord(2)]);
  });

  test('does not take for its own what a rollout of the same name has left', async () => {
    const cluster = new FakeCluster();
    const store = createConfigMapStore({ cluster });
    await store.append(segment, [snapshotRecord(1)], signal);
    assert.deepEqual(await store.runs({ ...owner, uid: 'another' }, signal), []);
  });

  test('is repeated without harm when the answer to a write is lost', async () => {
    const cluster = new FakeCluster();
    const store = createConfigMapStore({ cluster });
    let losses = 2;
    cluster.after = ({ verb }) => {
      if (verb === 'get' || losses === 0) return;
      losses -= 1;
      throw new ClusterError('timeout', 'the answer was lost');
    };
    await assert.rejects(store.append(segment, [snapshotRecord(1)], signal), /lost/);
    await store.append(segment, [snapshotRecord(1)], signal);
    await assert.rejects(store.append(segment, [snapshotRecord(2)], signal), /lost/);
    await store.append(segment, [snapshotRecord(1), snapshotRecord(2)], signal);
    const lines = await store.read(owner, 'run-1', signal);
    assert.deepEqual(lines, [snapshotRecord(1), snapshotRecord(2)]);
  });
});

describe('a directory', () => {
  test('puts aside what somebody has spoilt, and never leaves its root', async () => {
    const root = await mkdtemp(join(tmpdir(), 'evidence-'));
    const store = createDirectoryStore(root);
    await store.append(segment, [snapshotRecord(1)], signal);
    const path = join(root, 'shop', 'checkout', 'run-1');
    await writeFile(join(path, 's0000.jsonl.gz'), 'no gzip');
    await store.append(segment, [snapshotRecord(2)], signal);
    assert.deepEqual(await store.read(owner, 'run-1', signal), [snapshotRecord(2)]);
    assert.deepEqual((await readdir(path)).toSorted(), ['s0000.jsonl.gz', 's0000.jsonl.gz.spoilt']);
    const outside = { ...segment, runId: '../../elsewhere' };
    await assert.rejects(store.append(outside, [snapshotRecord(1)], signal), /cannot be the name/);
    await rm(root, { recursive: true });
  });
});
