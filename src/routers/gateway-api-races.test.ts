/** Another writer changes a Gateway API route while it is lowered or isolated. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { silentLogger } from '#ports/logger.ts';
import { FakeCluster } from '#test/fakes/cluster.ts';
import {
  beforeNextWrite,
  key,
  limit,
  overwrite,
  resource,
  routeOf,
  rule,
  setUp,
  specOf,
  target,
  weightOf,
} from '#test/routers/gateway-route.ts';
import { createRouters } from './index.ts';

describe('a race with another writer', () => {
  const split = [rule(['old', 50], ['new', 50])];

  test('that moves the rules to other places: lowering finds them again', async () => {
    const { cluster, router } = setUp({ rules: split });
    beforeNextWrite(cluster, () =>
      overwrite(cluster, { rules: [rule(['legacy', 1]), rule(['new', 50], ['old', 50])] }),
    );
    await router.setWeight(target, 0, limit());
    assert.deepEqual(specOf(cluster).rules, [rule(['legacy', 1]), rule(['new', 0], ['old', 100])]);
  });

  test('that adds a rule which the cache has not seen: lowering reaches it too', async () => {
    const { cluster, router } = setUp({ rules: split });
    cluster.pauseWatch();
    overwrite(cluster, { rules: [...split, rule(['old', 20], ['new', 80])] });
    const lowered = await router.setWeight(target, 0, limit());
    assert.equal(lowered.type === 'written' && weightOf(lowered.reading), 0);
    assert.deepEqual(specOf(cluster).rules, [
      rule(['old', 100], ['new', 0]),
      rule(['old', 100], ['new', 0]),
    ]);
  });

  test('that puts canary into a route which the cache knows without it: lowering looks before it refuses', async () => {
    const { cluster, router } = setUp({ rules: [rule(['new', 1])] });
    cluster.pauseWatch();
    overwrite(cluster, { rules: split });
    const lowered = await router.setWeight(target, 0, limit());
    assert.equal(lowered.type === 'written' && weightOf(lowered.reading), 0);
    assert.deepEqual(specOf(cluster).rules, [rule(['old', 100], ['new', 0])]);
  });

  test('that makes the object between two looks: lowering looks before it says missing', async () => {
    const cluster = new FakeCluster();
    cluster.pauseWatch();
    cluster.server.seed(resource, routeOf({ rules: split }));
    const router = createRouters(cluster, silentLogger)('HTTPRoute')!;
    assert.equal((await router.setWeight(target, 0, limit())).type, 'written');
    assert.deepEqual(specOf(cluster).rules, [rule(['old', 100], ['new', 0])]);
  });

  test('that deletes the object: lowering says so', async () => {
    const { cluster, router } = setUp({ rules: split });
    beforeNextWrite(cluster, () => cluster.server.delete(resource, key));
    const lowered = await router.setWeight(target, 0, limit());
    assert.equal(lowered.type === 'refused' && lowered.reason, 'RouteNotFound');
  });

  test('that never ends: lowering gives back a conflict after some tries, for the next wake', async () => {
    const { cluster, router } = setUp({ rules: split });
    let round = 0;
    cluster.before = ({ verb }) => {
      round += 1;
      const swapped = [rule(['new', 50], ['old', 50])];
      if (verb === 'jsonPatch') overwrite(cluster, { rules: round % 4 === 1 ? swapped : split });
    };
    assert.equal((await router.setWeight(target, 0, limit())).type, 'conflict');
    assert.ok(cluster.writes.length <= 5, `${cluster.writes.length} writes`);
  });

  test('that writes annotations where there were none: isolation does not wipe them', async () => {
    const { cluster, router } = setUp({ rules: split });
    beforeNextWrite(cluster, () =>
      overwrite(cluster, { rules: split, annotations: { note: 'keep me' } }),
    );
    await router.isolate(target, limit().signal);
    const live = cluster.server.get(resource, key)!;
    assert.equal(live.metadata.annotations?.['note'], 'keep me');
    assert.deepEqual(specOf(cluster).rules, [rule(['old', 100])]);
  });
});
