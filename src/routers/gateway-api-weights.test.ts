/** Shares that are set on a Gateway API route: what refuses a rise never hinders a fall to 0. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { limit, rule, setUp, specOf, target, weightOf } from '#test/routers/gateway-route.ts';

describe('a route that must not be raised', () => {
  const rows: readonly { says: string; rules: object[]; reason: string; after: object[] }[] = [
    {
      says: 'with a third backend',
      rules: [rule(['old', 50], ['new', 25], ['other', 25])],
      reason: 'ThirdBackend',
      after: [rule(['old', 100], ['new', 0], ['other', 25])],
    },
    {
      says: 'without weights',
      rules: [rule(['old'], ['new'])],
      reason: 'WeightsNotDeclared',
      after: [rule(['old', 100], ['new', 0])],
    },
    {
      says: 'with a Service named twice',
      rules: [rule(['new', 30], ['old', 50], ['old', 50], ['new', 20])],
      reason: 'DuplicateBackend',
      after: [rule(['new', 0], ['old', 100], ['old', 0], ['new', 0])],
    },
  ];
  for (const { says, rules, reason, after } of rows) {
    test(`${says}, is refused with its reason, and lowered all the same`, async () => {
      const { cluster, router } = setUp({ rules });
      const raised = await router.setWeight(target, 60, limit());
      assert.equal(raised.type === 'refused' && raised.reason, reason);
      assert.equal(cluster.writes.length, 0);
      const lowered = await router.setWeight(target, 0, limit());
      assert.equal(lowered.type === 'written' && weightOf(lowered.reading), 0);
      assert.deepEqual(specOf(cluster).rules, after);
    });
  }

  test('answers errors because all weights are 0: to 0 gives stable everything', async () => {
    const { cluster, router } = setUp({ rules: [rule(['old', 0], ['new', 0])] });
    await router.setWeight(target, 0, limit());
    assert.deepEqual(specOf(cluster).rules, [rule(['old', 100], ['new', 0])]);
  });

  test('names no canary: to 0 is nothing to do, above it is refused', async () => {
    const { cluster, router } = setUp({ rules: [rule(['old', 1])] });
    assert.equal((await router.setWeight(target, 0, limit())).type, 'written');
    const raised = await router.setWeight(target, 5, limit());
    assert.equal(raised.type === 'refused' && raised.reason, 'NoSuchBackends');
    assert.equal(cluster.writes.length, 0);
  });

  test('names canary alone: neither can be done, and it says so', async () => {
    const { cluster, router } = setUp({ rules: [rule(['new', 1])] });
    for (const weight of [0, 50]) {
      const write = await router.setWeight(target, weight, limit());
      assert.equal(write.type === 'refused' && write.reason, 'NoSuchBackends');
    }
    assert.equal((await router.isolate(target, limit().signal)).type, 'refused');
    assert.equal(cluster.writes.length, 0);
  });
});

test('whatever the weights were, a share that is set is read back, and 0 is never read of a canary with weight', async () => {
  const weight = fc.integer({ min: 0, max: 1_000_000 });
  await fc.assert(
    fc.asyncProperty(
      weight,
      weight,
      fc.integer({ min: 0, max: 100 }),
      async (old, canary, asked) => {
        const { router } = setUp({ rules: [rule(['old', old], ['new', canary])] });
        const before = router.read(target);
        assert.equal(weightOf(before) === 0, canary === 0);
        assert.equal(weightOf(before) === 100, canary > 0 && old === 0);
        const write = await router.setWeight(target, asked, limit());
        const isUndeclared = old === 1 && canary === 1 && asked > 0;
        assert.equal(write.type, isUndeclared ? 'refused' : 'written');
        if (write.type === 'written') assert.equal(weightOf(write.reading), asked);
      },
    ),
    { numRuns: 300 },
  );
});
