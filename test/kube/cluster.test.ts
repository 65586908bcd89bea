/** The port `Cluster` on a real socket: raw objects, fences, and a cache that knows our own writes. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCluster, type KubeCluster } from '#kube/cluster-client.ts';
import { ClusterError, type KubeObject, type Resource } from '#ports/cluster.ts';
import { type Logger, silentLogger } from '#ports/logger.ts';
import { FaultServer, isMethod, isWatch } from './fault-server.ts';
import { initialEventsEnd } from './server-watch.ts';
import { until } from './until.ts';
import { VirtualClock } from './virtual-clock.ts';

const rollouts: Resource = {
  group: 'genesis.io',
  version: 'v1alpha1',
  kind: 'GenesisRollout',
  plural: 'genesisrollouts',
  namespaced: true,
};
const COLLECTION = '/apis/genesis.io/v1alpha1/namespaces/shop/genesisrollouts';
const key = { namespace: 'shop', name: 'checkout' };

function rollout(more: object = {}, metadata: object = {}): KubeObject {
  return {
    apiVersion: 'genesis.io/v1alpha1',
    kind: 'GenesisRollout',
    metadata: { name: 'checkout', namespace: 'shop', ...metadata },
    ...more,
  };
}

describe('a cluster', () => {
  let server: FaultServer;
  let clock: VirtualClock;
  let cluster: KubeCluster;
  let lost: AbortController;
  let mayWrite: boolean;
  let errors: string[];
  const { signal } = new AbortController();

  beforeEach(async () => {
    server = await FaultServer.start();
    clock = new VirtualClock();
    lost = new AbortController();
    mayWrite = true;
    errors = [];
    const logger: Logger = { ...silentLogger, error: (_, message) => errors.push(message) };
    const leadership = { mayWrite: () => mayWrite, lost: lost.signal };
    cluster = createCluster({ source: server.source, version: '1', leadership, clock, logger });
  });

  afterEach(async () => {
    await cluster.close();
    await server.close();
  });

  async function watched(): Promise<void> {
    const watch = cluster.watch(rollouts);
    await until('synced', () => watch.isSynced && watch.isConnected);
  }

  async function faultOf(promise: Promise<unknown>): Promise<ClusterError> {
    const error: unknown = await promise.then(
      () => assert.fail('was answered'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof ClusterError, String(error));
    return error;
  }

  it('unknown fields survive reading and writing', async () => {
    const strange = { spec: { brandNewField: 1, nested: { futureKnob: [null, { x: 'ü' }] } } };
    server.store.put(`${COLLECTION}/checkout`, rollout(strange));
    const read = await cluster.get(rollouts, key, signal);
    assert.deepEqual(read?.['spec'], strange.spec);
    await cluster.replace(rollouts, read ?? assert.fail(), { signal });
    assert.deepEqual(JSON.parse(server.requests.at(-1)?.body ?? '').spec, strange.spec);
    await watched();
    assert.deepEqual(cluster.cached(rollouts, key)?.['spec'], strange.spec);
  });

  it('each verb says what it sends', async () => {
    server.store.put(`${COLLECTION}/checkout`, rollout());
    const status = { signal, subresource: 'status', fieldManager: 'genesis' } as const;
    await cluster.mergePatch(rollouts, key, { status: { phase: 'Paused' } }, status);
    await cluster.jsonPatch(rollouts, key, [{ op: 'add', path: '/x', value: 1 }], { signal });
    await cluster.apply(rollouts, rollout(), { signal, fieldManager: 'genesis', force: true });
    await cluster.create(rollouts, rollout({}, { name: 'new' }), { signal, dryRun: true });
    await cluster.delete(rollouts, key, { signal });
    const said = server.requests.map(({ method, path, query, headers }) =>
      [method, path.slice(COLLECTION.length), query.toString(), headers['content-type']].join(' '),
    );
    assert.deepEqual(said, [
      'PATCH /checkout/status fieldManager=genesis application/merge-patch+json',
      'PATCH /checkout  application/json-patch+json',
      'PATCH /checkout force=true&fieldManager=genesis application/apply-patch+yaml',
      'POST  dryRun=All application/json',
      'DELETE /checkout  ',
    ]);
  });

  it('what moves traffic is answered while everything else waits for a server that hangs', async () => {
    server.store.put(`${COLLECTION}/checkout`, rollout());
    const hanging = Promise.withResolvers<void>();
    server.fail(
      ({ path }) => path.endsWith('/status'),
      () => hanging.promise,
      100,
    );
    const patch = { status: { phase: 'Held' } };
    const stopped = new AbortController();
    const status = { signal: stopped.signal, subresource: 'status' } as const;
    const others = Array.from({ length: 100 }, () =>
      cluster.mergePatch(rollouts, key, patch, status),
    );
    await until('the server is busy', () => server.requests.length >= 20);
    const operations = [{ op: 'add', path: '/x', value: 1 }] as const;
    await cluster.jsonPatch(rollouts, key, operations, { signal, isUrgent: true });
    assert.ok(server.requests.length < 40, `${server.requests.length} of 100 were sent at once`);
    stopped.abort(new Error('the test is over'));
    hanging.resolve();
    await Promise.allSettled(others);
  });

  it('a JSON patch whose test fails is a conflict, an invalid object is not', async () => {
    server.store.put(`${COLLECTION}/checkout`, rollout());
    const test = { op: 'test', path: '/metadata/resourceVersion', value: '1' } as const;
    const unfit = await faultOf(cluster.jsonPatch(rollouts, key, [test], { signal }));
    assert.equal(unfit.fault, 'conflict');
    assert.match(unfit.message, /a test in the patch did not hold/);
    const body = JSON.stringify({
      kind: 'Status',
      reason: 'Invalid',
      message: 'spec.steps: Required value',
      details: { causes: [{ reason: 'FieldValueRequired', field: 'spec.steps' }] },
    });
    server.fail(isMethod('PATCH'), ({ response }) => void response.writeHead(422).end(body));
    const broken = await faultOf(cluster.jsonPatch(rollouts, key, [], { signal }));
    assert.equal(broken.fault, 'invalid');
    assert.match(broken.message, /spec\.steps: Required value/);
  });

  it('a PUT without resourceVersion is refused before it is sent', async () => {
    const { fault } = await faultOf(cluster.replace(rollouts, rollout(), { signal }));
    assert.equal(fault, 'invalid');
    assert.equal(server.requests.length, 0);
  });

  it('a stale PUT is a conflict', async () => {
    const first = server.store.put(`${COLLECTION}/checkout`, rollout());
    server.store.put(`${COLLECTION}/checkout`, rollout({ spec: {} }));
    assert.equal((await faultOf(cluster.replace(rollouts, first, { signal }))).fault, 'conflict');
  });

  describe('cache', () => {
    it('sees its own writes at once, though the watch says nothing', async () => {
      server.isLive = false;
      const watch = cluster.watch(rollouts);
      await until('open', () => server.watches.length === 1);
      server.watches[0]?.bookmark('1', initialEventsEnd);
      await until('synced', () => watch.isSynced);
      const made = await cluster.create(rollouts, rollout({ spec: { n: 1 } }), { signal });
      assert.equal(cluster.cached(rollouts, key)?.metadata.uid, made.metadata.uid);
      await cluster.mergePatch(rollouts, key, { spec: { n: 2 } }, { signal });
      assert.deepEqual(cluster.cached(rollouts, key)?.['spec'], { n: 2 });
      // The watch comes late, with the older state.
      server.watches[0]?.event('ADDED', made);
      server.watches[0]?.event('ADDED', rollout({}, { name: 'other', resourceVersion: '102' }));
      await until('other', () => cluster.cachedAll(rollouts).length === 2);
      assert.deepEqual(cluster.cached(rollouts, key)?.['spec'], { n: 2 });
      await cluster.delete(rollouts, key, { signal });
      assert.equal(cluster.cached(rollouts, key), undefined);
      // And so it cannot raise the dead.
      server.watches[0]?.event('MODIFIED', {
        ...made,
        metadata: { ...made.metadata, resourceVersion: '999999' },
      });
      server.watches[0]?.event('ADDED', rollout({}, { name: 'next', resourceVersion: '1000000' }));
      await until('next', () => cluster.cachedAll(rollouts).length === 2);
      assert.equal(cluster.cached(rollouts, key), undefined);
    });

    it('keeps an object that its finalizers keep', async () => {
      await watched();
      await cluster.create(rollouts, rollout({}, { finalizers: ['genesis.io/x'] }), { signal });
      await cluster.delete(rollouts, key, { signal });
      assert.notEqual(cluster.cached(rollouts, key)?.metadata.deletionTimestamp, undefined);
    });

    it('a dry run leaves it alone', async () => {
      await watched();
      await cluster.create(rollouts, rollout(), { signal, dryRun: true });
      assert.equal(cluster.cached(rollouts, key), undefined);
    });

    it('is brought up to date by a live GET, and by a 404', async () => {
      await watched();
      const path = `${COLLECTION}/checkout`;
      server.store.put(path, rollout());
      await until('came', () => cluster.cached(rollouts, key) !== undefined);
      server.fail(isWatch, () => undefined, 100);
      server.openWatches[0]?.cut();
      server.store.put(path, rollout({ spec: { n: 5 } }));
      await cluster.get(rollouts, key, signal);
      assert.deepEqual(cluster.cached(rollouts, key)?.['spec'], { n: 5 });
      server.store.delete(path);
      assert.equal(await cluster.get(rollouts, key, signal), undefined);
      assert.equal(cluster.cached(rollouts, key), undefined);
    });

    it('holds only what is watched', async () => {
      const watch = cluster.watch(rollouts, { namespaces: ['shop'] });
      await until('synced', () => watch.isSynced);
      const elsewhere = rollout({}, { namespace: 'bank' });
      await cluster.create(rollouts, elsewhere, { signal });
      assert.equal(cluster.cachedAll(rollouts).length, 0);
      await cluster.create(rollouts, rollout(), { signal });
      assert.equal(cluster.cachedAll(rollouts).length, 1);
    });

    it('drops managedFields, and gives them on a live GET', async () => {
      const managedFields = [{ manager: 'kubectl', operation: 'Apply' }];
      server.store.put(`${COLLECTION}/checkout`, rollout({}, { managedFields }));
      await watched();
      assert.equal(cluster.cached(rollouts, key)?.metadata.managedFields, undefined);
      const live = await cluster.get(rollouts, key, signal);
      assert.deepEqual(live?.metadata.managedFields, managedFields);
      assert.equal(cluster.cached(rollouts, key)?.metadata.managedFields, undefined);
    });

    it('cannot be changed by its readers', async () => {
      await watched();
      await cluster.create(rollouts, rollout({ spec: { steps: [1] } }), { signal });
      const cached = cluster.cached(rollouts, key) ?? assert.fail();
      assert.throws(() => Object.assign(cached, { kind: 'x' }), TypeError);
      assert.throws(() => Object.assign(cached.metadata, { name: 'x' }), TypeError);
      assert.throws(() => Object.assign(cached['spec'] as object, { steps: [] }), TypeError);
    });
  });

  describe('fence', () => {
    const writes: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['create', () => cluster.create(rollouts, rollout(), { signal })],
      [
        'replace',
        () => cluster.replace(rollouts, rollout({}, { resourceVersion: '1' }), { signal }),
      ],
      ['jsonPatch', () => cluster.jsonPatch(rollouts, key, [], { signal })],
      ['mergePatch', () => cluster.mergePatch(rollouts, key, {}, { signal })],
      ['apply', () => cluster.apply(rollouts, rollout(), { signal, fieldManager: 'x' })],
      ['delete', () => cluster.delete(rollouts, key, { signal })],
    ];
    for (const [verb, write] of writes) {
      it(`${verb} does not leave this process without the lease`, async () => {
        mayWrite = false;
        assert.equal((await faultOf(write())).fault, 'fenced');
        assert.equal(server.requests.length, 0);
      });

      it(`${verb} is given up when the lease is lost while it is under way`, async () => {
        server.fail(
          () => true,
          () => undefined,
        );
        const writing = faultOf(write());
        await until('sent', () => server.requests.length === 1);
        mayWrite = false;
        lost.abort(new Error('lost'));
        assert.equal((await writing).fault, 'fenced');
      });
    }

    it('is looked at again after every wait: a retried write does not leave either', async () => {
      const headers = { 'retry-after': '1' };
      server.fail(
        () => true,
        ({ response }) => void response.writeHead(429, headers).end(),
      );
      const writing = faultOf(cluster.create(rollouts, rollout(), { signal }));
      await until('refused', () => server.requests.length === 1);
      mayWrite = false;
      const over = { isSo: false };
      const ended = writing.finally(() => {
        over.isSo = true;
      });
      for (let step = 0; step < 2_000 && !over.isSo; step += 1) {
        await clock.advance(5);
        await sleep(1);
      }
      await ended;
      assert.equal((await writing).fault, 'fenced');
      assert.equal(server.requests.length, 1);
    });

    it('lets reads through, and writes that say so', async () => {
      mayWrite = false;
      lost.abort(new Error('lost'));
      await cluster.create(rollouts, rollout(), { signal, fenced: false });
      assert.notEqual(await cluster.get(rollouts, key, signal), undefined);
    });
  });

  describe('watches', () => {
    it('a throwing handler is logged, and neither the watch nor the others notice', async () => {
      const seen: string[] = [];
      cluster.watch(rollouts, {
        onChange: () => {
          throw new Error('a defect');
        },
      });
      const watch = cluster.watch(rollouts, {
        onChange: ({ type, new: now }) => seen.push(`${type} ${String(now?.metadata.name)}`),
      });
      await until('synced', () => watch.isSynced);
      server.store.put(`${COLLECTION}/checkout`, rollout());
      server.store.put(`${COLLECTION}/checkout`, rollout({ spec: {} }));
      await until('both', () => seen.length === 2);
      assert.deepEqual(seen, ['added checkout', 'modified checkout']);
      assert.deepEqual(errors, ['a watch handler has thrown', 'a watch handler has thrown']);
      assert.equal(server.watches.length, 1);
    });

    it('of one resource share a stream; a later one is told what is known already', async () => {
      server.store.put(`${COLLECTION}/checkout`, rollout());
      await watched();
      const seen: string[] = [];
      cluster.watch(rollouts, { onChange: ({ type }) => seen.push(type) });
      assert.deepEqual(seen, ['added']);
      assert.equal(server.watches.length, 1);
    });

    it('come one namespace at a time, when they are needed, and go again', async () => {
      const seen: string[] = [];
      const note = (where: string) => (): unknown => seen.push(where);
      const shop = cluster.watch(rollouts, { namespaces: ['shop'], onChange: note('shop') });
      await until('shop', () => shop.isSynced);
      const bank = cluster.watch(rollouts, {
        namespaces: ['bank', 'shop'],
        onChange: note('bank'),
      });
      await until('bank', () => bank.isSynced && bank.isConnected);
      assert.deepEqual(
        server.watches.map(({ path }) => path.split('/')[5]),
        ['shop', 'bank'],
      );
      server.store.put(
        COLLECTION.replace('shop', 'bank') + '/b',
        rollout({}, { namespace: 'bank' }),
      );
      await until('bank has one', () => cluster.cachedAll(rollouts, 'bank').length === 1);
      assert.deepEqual(seen, ['bank']);
      await bank.stop();
      await until('bank is closed', () => server.openWatches.length === 1);
      assert.equal(cluster.cachedAll(rollouts, 'bank').length, 0);
      await bank.stop();
      assert.equal(shop.isConnected, true);
    });

    it('together know whether all is synced, and for how long nothing was heard', async () => {
      assert.equal(cluster.isSynced, true);
      server.isLive = false;
      const watch = cluster.watch(rollouts);
      await until('open', () => server.watches.length === 1);
      assert.equal(cluster.isSynced, false);
      server.watches[0]?.bookmark('1', initialEventsEnd);
      await watch.synced(signal);
      assert.equal(cluster.isSynced, true);
      const late = cluster.watch({ ...rollouts, plural: 'latecomers' });
      assert.equal(late.isSynced, false);
      assert.equal(cluster.isSynced, true);
      await late.stop();
      await clock.advance(40_000);
      assert.equal(cluster.silentForMs(), 40_000);
    });

    it('are waited for no longer than the caller wants', async () => {
      server.isLive = false;
      const watch = cluster.watch(rollouts);
      const controller = new AbortController();
      const waiting = watch.synced(controller.signal);
      controller.abort(new Error('enough'));
      await assert.rejects(waiting, /enough/);
    });

    it('cannot shape the same resource in two ways', () => {
      cluster.watch(rollouts);
      const other = (object: KubeObject): KubeObject => object;
      assert.throws(() => cluster.watch(rollouts, { transform: other }), /watched already/);
      assert.throws(() => cluster.watch(rollouts, { labelSelector: 'a=b' }), /watched already/);
    });
  });

  it('closes with nothing left behind', async () => {
    await watched();
    await cluster.close();
    await until('closed', () => server.connectionsOpen === 0);
    assert.equal(clock.timerCount, 0);
  });
});
