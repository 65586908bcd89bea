/** Evidence in ConfigMaps of a real API server: the contract of the store, and who owns what. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { configMapResource } from '#api/names.ts';
import { createConfigMapStore } from '#evidence/config-map-store.ts';
import { createCluster, type KubeCluster } from '#kube/cluster-client.ts';
import { silentLogger } from '#ports/logger.ts';
import { systemClock } from '#runtime/clock.ts';
import { type ControlPlane, startControlPlane } from '#scripts/testbed/index.ts';
import {
  eventRecord,
  evidenceStoreContract,
  snapshotRecord,
} from '#test/contracts/evidence-store.contract.ts';

let plane: ControlPlane;
let one: KubeCluster;
let other: KubeCluster;

function connect(): KubeCluster {
  return createCluster({
    source: { type: 'file', path: plane.kubeconfigPath },
    version: 'test',
    leadership: { mayWrite: () => true, lost: new AbortController().signal },
    clock: systemClock,
    logger: silentLogger,
  });
}

before(async () => {
  plane = await startControlPlane({ controllerManager: false });
  one = connect();
  other = connect();
});

after(async () => {
  await Promise.all([one.close(), other.close()]);
  await plane.stop();
});

/** Any object can own another; a ConfigMap needs no CRD. */
async function ownerNamed(name: string) {
  const metadata = { namespace: 'default', name };
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata };
  const made = await one.create(configMapResource, object, { signal: AbortSignal.timeout(20_000) });
  return { ...object, ...metadata, uid: made.metadata.uid ?? '' };
}

evidenceStoreContract('a store of ConfigMaps on the real API server', () =>
  Promise.resolve({
    store: createConfigMapStore({ cluster: one }),
    other: createConfigMapStore({ cluster: other }),
    owner: ownerNamed,
    closes: true,
    close: () => Promise.resolve(),
  }),
);

describe('a store of ConfigMaps on the real API server', () => {
  test('takes a part of the size at which it goes on in the next one', async () => {
    const store = createConfigMapStore({ cluster: one });
    const owner = await ownerNamed('large');
    const signal = AbortSignal.timeout(60_000);
    const noise = (seed: number) =>
      Array.from({ length: 20_000 }, (_, at) =>
        Math.imul(seed * 20_000 + at + 1, 0x9e3779b1).toString(36),
      ).join('');
    for (let index = 1; index <= 6; index += 1) {
      const lines = [snapshotRecord(index), eventRecord(noise(index))];
      const never = await store.append({ owner, runId: 'run', number: 0 }, lines, signal);
      assert.deepEqual(never, []);
    }
    const lines = await store.read(owner, 'run', signal);
    assert.equal(lines.length, 12);
    assert.deepEqual((await store.runs(owner, signal))[0]?.recorded, [[1, 6]]);
  });
});
