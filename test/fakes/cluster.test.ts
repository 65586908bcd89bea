/** The fake keeps the contract of an API server; test/cluster runs the same over a real one. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { configMapResource } from '#api/names.ts';
import { ClusterError, type KubeObject } from '#ports/cluster.ts';
import { clusterContract } from '#test/contracts/cluster.contract.ts';
import { FakeApiServer, FakeCluster, type WatchEvent } from './cluster.ts';

const key = { namespace: 'shop', name: 'one' };
const object: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: key, data: { a: '1' } };
const options = () => ({ fieldManager: 'test', signal: AbortSignal.timeout(5_000) });

clusterContract('the fake', () =>
  Promise.resolve({
    cluster: new FakeCluster(),
    namespace: 'shop',
    close: () => Promise.resolve(),
  }),
);

describe('a fake cluster', () => {
  test('sees its own writes at once, and those of others when its watch goes on', async () => {
    const server = new FakeApiServer();
    const [mine, other] = [new FakeCluster({ server }), new FakeCluster({ server })];
    const events: WatchEvent['type'][] = [];
    mine.onEvent((event) => events.push(event.type));
    mine.pauseWatch();
    await mine.create(configMapResource, object, options());
    await other.mergePatch(configMapResource, key, { data: { a: '2' } }, options());
    assert.deepEqual(mine.cached(configMapResource, key)?.['data'], { a: '1' });
    assert.deepEqual(events, []);
    mine.resumeWatch();
    assert.deepEqual(mine.cached(configMapResource, key)?.['data'], { a: '2' });
    assert.deepEqual(events, ['added', 'modified']);
    await other.delete(configMapResource, key, options());
    assert.equal(mine.cached(configMapResource, key), undefined);
    assert.deepEqual(events, ['added', 'modified', 'deleted']);
  });

  test('never goes back to an older state, nor brings back the dead', async () => {
    const server = new FakeApiServer();
    const [mine, other] = [new FakeCluster({ server }), new FakeCluster({ server })];
    mine.pauseWatch();
    await other.create(configMapResource, object, options());
    await other.mergePatch(configMapResource, key, { data: { a: '2' } }, options());
    await mine.mergePatch(configMapResource, key, { data: { a: '3' } }, options());
    mine.resumeWatch();
    assert.deepEqual(mine.cached(configMapResource, key)?.['data'], { a: '3' });
    mine.pauseWatch();
    await other.mergePatch(configMapResource, key, { data: { a: '4' } }, options());
    await mine.delete(configMapResource, key, options());
    assert.equal(mine.cached(configMapResource, key), undefined);
    mine.resumeWatch();
    assert.equal(mine.cached(configMapResource, key), undefined);
    assert.deepEqual(mine.cachedAll(configMapResource), []);
  });

  test('loses a request before the server has it, or only the answer', async () => {
    const cluster = new FakeCluster();
    const lost = () => {
      throw new ClusterError('unavailable', 'connection refused');
    };
    cluster.before = lost;
    await assert.rejects(cluster.create(configMapResource, object, options()), ClusterError);
    assert.equal(cluster.server.get(configMapResource, key), undefined);
    cluster.before = undefined;
    cluster.after = lost;
    await assert.rejects(cluster.create(configMapResource, object, options()), ClusterError);
    assert.notEqual(cluster.server.get(configMapResource, key), undefined);
    assert.deepEqual(
      cluster.writes.map(({ verb, fieldManager }) => [verb, fieldManager]),
      [
        ['create', 'test'],
        ['create', 'test'],
      ],
    );
  });

  test('refuses writes without the lease, but for those that need none', async () => {
    const cluster = new FakeCluster({ isLeading: () => false });
    const isFenced = (error: unknown) => error instanceof ClusterError && error.fault === 'fenced';
    await assert.rejects(cluster.create(configMapResource, object, options()), isFenced);
    await assert.rejects(cluster.delete(configMapResource, key, options()), isFenced);
    assert.deepEqual(cluster.requests, []);
    await cluster.create(configMapResource, object, { ...options(), fenced: false });
  });

  test('hands out objects that nobody can change', async () => {
    const cluster = new FakeCluster();
    const made = await cluster.create(configMapResource, object, options());
    assert.throws(() => Object.assign(Object(made['data']), { a: '2' }), TypeError);
    assert.throws(() => Object.assign(made.metadata, { name: 'two' }), TypeError);
  });
});
