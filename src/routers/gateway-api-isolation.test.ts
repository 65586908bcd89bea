/** Canary is taken out of a Gateway API route, and put back in its place on release. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RouteTarget } from '#ports/traffic-router.ts';
import {
  annotationsOf,
  key,
  limit,
  overwrite,
  problemsOf,
  type Ref,
  resource,
  rule,
  setUp,
  specOf,
  target,
  weightOf,
} from '#test/routers/gateway-route.ts';

describe('isolation', () => {
  test('takes canary out of every rule that names both, and release puts it back in its place', async () => {
    const canary: Ref = ['new', 50, { filters: [{ type: 'URLRewrite' }] }];
    const rules = [
      rule(canary, ['old', 50]),
      rule(['old', 1]),
      rule(['old', 50], ['other', 0], canary),
    ];
    const { cluster, router } = setUp({ rules });
    await router.isolate(target, limit().signal);
    assert.deepEqual(specOf(cluster).rules, [
      rule(['old', 100]),
      rule(['old', 1]),
      rule(['old', 100], ['other', 0]),
    ]);
    assert.deepEqual(problemsOf(router.read(target)), ['Isolated!']);
    await router.release(target, 0, limit().signal);
    const returned: Ref = ['new', 0, { filters: [{ type: 'URLRewrite' }] }];
    assert.deepEqual(specOf(cluster).rules, [
      rule(returned, ['old', 100]),
      rule(['old', 1]),
      rule(['old', 100], ['other', 0], returned),
    ]);
    assert.equal(
      cluster.server.get(resource, key)!.metadata.annotations?.['genesis.dev/isolated'],
      undefined,
    );
  });

  test('takes out a canary that is named twice, and brings one back', async () => {
    const rules = [rule(['new', 10], ['old', 80], ['new', 10], ['other', 0])];
    const { cluster, router } = setUp({ rules });
    await router.isolate(target, limit().signal);
    assert.deepEqual(specOf(cluster).rules, [rule(['old', 100], ['other', 0])]);
    await router.release(target, 0, limit().signal);
    assert.deepEqual(specOf(cluster).rules, [rule(['new', 0], ['old', 100], ['other', 0])]);
  });

  test('leaves a rule of canary alone, since it is not split, and counts as done', async () => {
    const { cluster, router } = setUp({
      rules: [rule(['old', 50], ['new', 50]), rule(['new', 1])],
    });
    const write = await router.isolate(target, limit().signal);
    assert.equal(write.type === 'written' && weightOf(write.reading), 0);
    assert.deepEqual(specOf(cluster).rules, [rule(['old', 100]), rule(['new', 1])]);
    assert.equal((await router.isolate(target, limit().signal)).type, 'written');
  });

  test('remembers the first rule when a second is isolated later', async () => {
    const { cluster, router } = setUp({
      rules: [rule(['old', 50], ['new', 50]), rule(['old', 1])],
    });
    await router.isolate(target, limit().signal);
    overwrite(cluster, {
      rules: [rule(['old', 100]), rule(['old', 10], ['new', 90])],
      annotations: annotationsOf(cluster),
    });
    await router.isolate(target, limit().signal);
    await router.release(target, 0, limit().signal);
    assert.deepEqual(specOf(cluster).rules, [
      rule(['old', 100], ['new', 0]),
      rule(['old', 100], ['new', 0]),
    ]);
  });

  test('that Git has undone is forgotten, and a rule rewritten since stays as its author wants it', async () => {
    const { cluster, router } = setUp({ rules: [rule(['old', 50], ['new', 50])] });
    await router.isolate(target, limit().signal);
    overwrite(cluster, {
      rules: [rule(['legacy', 1]), rule(['old', 100], ['new', 0])],
      annotations: annotationsOf(cluster),
    });
    assert.deepEqual(problemsOf(router.read(target)), []);
    await router.release(target, 0, limit().signal);
    assert.deepEqual(specOf(cluster).rules, [rule(['legacy', 1]), rule(['old', 100], ['new', 0])]);
  });

  test('of one rollout is not disturbed by another on the same route, nor is its mark', async () => {
    const cart: RouteTarget = {
      ...target,
      stable: { service: 'cart-old', port: 80 },
      canary: { service: 'cart-new', port: 80 },
    };
    const rules = [rule(['old', 50], ['new', 50]), rule(['cart-old', 50], ['cart-new', 50])];
    const { cluster, router } = setUp({ rules });
    await router.setWeight(target, 0, { ...limit(), rollbackOf: 'run-1' });
    await router.isolate(target, limit().signal);
    await router.setWeight(cart, 0, { ...limit(), rollbackOf: 'run-2' });
    await router.isolate(cart, limit().signal);
    await router.release(cart, 10, limit().signal);
    const [reading, cartReading] = [router.read(target), router.read(cart)];
    assert.deepEqual(problemsOf(reading), ['Isolated!']);
    assert.equal(reading.type === 'read' && reading.rolledBackRun, 'run-1');
    assert.equal(cartReading.type === 'read' && cartReading.rolledBackRun, undefined);
    assert.deepEqual(specOf(cluster).rules, [
      rule(['old', 100]),
      rule(['cart-old', 90], ['cart-new', 10]),
    ]);
    await router.release(target, 0, limit().signal);
    assert.deepEqual(specOf(cluster).rules, [
      rule(['old', 100], ['new', 0]),
      rule(['cart-old', 90], ['cart-new', 10]),
    ]);
    assert.deepEqual(annotationsOf(cluster), {});
  });

  test('is survived by a memory that somebody has broken', async () => {
    const annotations = { 'genesis.dev/isolated': '{"not": a list' };
    const { cluster, router } = setUp({ rules: [rule(['old', 100])], annotations });
    assert.deepEqual(problemsOf(router.read(target)), ['NoSuchBackends!']);
    assert.equal((await router.release(target, 0, limit().signal)).type, 'written');
    assert.deepEqual(specOf(cluster).rules, [rule(['old', 100])]);
  });
});
