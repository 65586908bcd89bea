/** What a Gateway API route says after it has been let go: its owner's own numbers. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KubeObject } from '#ports/cluster.ts';
import type { FakeCluster } from '#test/fakes/cluster.ts';
import {
  annotationsOf,
  key,
  limit,
  resource,
  rule,
  setUp,
  specOf,
  target,
} from '#test/routers/gateway-route.ts';

function rewrite(cluster: FakeCluster, rules: object[]): void {
  const patch: Partial<KubeObject> = { spec: { rules } };
  cluster.server.mergePatch(resource, key, patch, { fieldManager: 'gitops' });
}

describe('a route that is let go', () => {
  const rows: readonly { says: string; rules: object[] }[] = [
    { says: '1 and 0', rules: [rule(['old', 1], ['new', 0])] },
    { says: '100 and 0', rules: [rule(['old', 100], ['new', 0])] },
    {
      says: 'each rule in numbers of its own',
      rules: [rule(['old', 1], ['new', 0]), rule(['new', 0], ['old', 7])],
    },
  ];
  for (const { says, rules } of rows) {
    test(`says again what its owner wrote: ${says}`, async () => {
      const { cluster, router } = setUp({ rules });
      await router.setWeight(target, 50, limit());
      await router.setWeight(target, 100, limit());
      await router.setWeight(target, 0, { ...limit(), rollbackOf: 'run-1' });
      assert.deepEqual(specOf(cluster).rules, rules.map(inPercent));
      const released = await router.release(target, 0, limit().signal);
      assert.equal(released.type, 'written');
      assert.deepEqual(specOf(cluster).rules, rules);
      assert.deepEqual(annotationsOf(cluster), {});
    });
  }

  test('says what its owner wrote last', async () => {
    const { cluster, router } = setUp({ rules: [rule(['old', 1], ['new', 0])] });
    await router.setWeight(target, 50, limit());
    rewrite(cluster, [rule(['old', 100], ['new', 0])]);
    await router.setWeight(target, 50, limit());
    await router.setWeight(target, 0, limit());
    await router.release(target, 0, limit().signal);
    assert.deepEqual(specOf(cluster).rules, [rule(['old', 100], ['new', 0])]);
  });

  test('says the share where the numbers kept say another', async () => {
    const { cluster, router } = setUp({ rules: [rule(['old', 9], ['new', 1])] });
    await router.setWeight(target, 50, limit());
    await router.release(target, 0, limit().signal);
    assert.deepEqual(specOf(cluster).rules, [rule(['old', 100], ['new', 0])]);
  });
});

test('what stands on the route is not lowered any later for what is kept on it', async () => {
  const { cluster, router } = setUp({ rules: [rule(['old', 3], ['new', 1])] });
  const lowered = await router.setWeight(target, 0, { ...limit(), rollbackOf: 'run-1' });
  assert.equal(lowered.type, 'written');
  assert.deepEqual(Object.keys(annotationsOf(cluster)), ['genesis.dev/rolled-back']);
});

test('numbers that somebody has broken are no numbers', async () => {
  const annotations = { 'genesis.dev/declared': '[{"rule":0,"canary":"new","weights":["1",0]}]' };
  const { cluster, router } = setUp({ rules: [rule(['old', 50], ['new', 50])], annotations });
  await router.release(target, 0, limit().signal);
  assert.deepEqual(specOf(cluster).rules, [rule(['old', 100], ['new', 0])]);
});

function inPercent(one: object): object {
  const { backendRefs } = one as { readonly backendRefs: readonly { readonly name: string }[] };
  return {
    backendRefs: backendRefs.map((ref) => ({ ...ref, weight: ref.name === 'old' ? 100 : 0 })),
  };
}
