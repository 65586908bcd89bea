/** The Kubernetes side against a real API server: what it really answers, and what happens when it dies. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { configMapResource } from '#api/names.ts';
import { createCluster, type KubeCluster } from '#kube/cluster-client.ts';
import { watchEndpoints } from '#kube/endpoints.ts';
import { Events } from '#kube/events.ts';
import { createAlwaysLeader } from '#kube/leadership.ts';
import { ClusterError, type KubeObject, type Resource } from '#ports/cluster.ts';
import type { Leadership } from '#ports/leadership.ts';
import { silentLogger } from '#ports/logger.ts';
import { systemClock } from '#runtime/clock.ts';
import { type ControlPlane, startControlPlane } from '#scripts/testbed/index.ts';
import { until } from '#test/kube/until.ts';
import { VirtualClock } from '#test/kube/virtual-clock.ts';

const slices: Resource = {
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  namespaced: true,
};
const key = (name: string) => ({ namespace: 'default', name });
const configMap = (name: string, data: object = {}, metadata: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { ...key(name), ...metadata },
  data,
});
const { signal } = new AbortController();

describe('on a real API server', () => {
  let plane: ControlPlane;
  let cluster: KubeCluster;
  const clusters: KubeCluster[] = [];

  before(async () => {
    plane = await startControlPlane({
      controllerManager: false,
      auditPolicy: 'Metadata',
      users: [{ name: 'eve' }],
    });
    cluster = connect();
  });

  after(async () => {
    await Promise.all(clusters.map((one) => one.close()));
    await plane.stop();
  });

  function connect(path = plane.kubeconfigPath, leadership: Leadership = createAlwaysLeader()) {
    const source = { type: 'file', path } as const;
    const shared = { clock: systemClock, logger: silentLogger };
    const made = createCluster({ ...shared, source, version: '0.0.0-test', leadership });
    clusters.push(made);
    return made;
  }

  async function faultOf(promise: Promise<unknown>): Promise<ClusterError> {
    const error: unknown = await promise.then(
      () => assert.fail('was answered'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof ClusterError, String(error));
    return error;
  }

  /** The audited requests of our own user agent. */
  async function audited(): Promise<readonly { verb: string; requestURI: string }[]> {
    const text = await readFile(plane.auditLogPath ?? assert.fail(), 'utf8');
    const lines = text.split('\n').filter((line) => line.includes('"genesis-rollout/0.0.0-test"'));
    return lines.map((line) => JSON.parse(line) as { verb: string; requestURI: string });
  }

  it('fills from a watch-list, without any list', async () => {
    for (const name of ['one', 'two'])
      await cluster.create(configMapResource, configMap(name), { signal });
    const fresh = connect();
    const watch = fresh.watch(configMapResource, { namespaces: ['default'] });
    await watch.synced(AbortSignal.timeout(10_000));
    const names = fresh.cachedAll(configMapResource).map(({ metadata }) => metadata.name);
    assert.ok(names.includes('one') && names.includes('two'), names.join());
    await watch.stop();
    let requests = await audited();
    for (let n = 0; n < 100 && !requests.some(({ verb }) => verb === 'watch'); n += 1) {
      await sleep(50);
      requests = await audited();
    }
    const [request] = requests.filter(({ verb }) => verb === 'watch');
    assert.match(request?.requestURI ?? '', /sendInitialEvents=true/);
    assert.equal(requests.filter(({ verb }) => verb === 'list').length, 0);
  });

  it('reads its own writes at once, and never an older state after them', async () => {
    await cluster
      .watch(configMapResource, { namespaces: ['default'] })
      .synced(AbortSignal.timeout(10_000));
    await cluster.create(configMapResource, configMap('own', { n: '0' }), { signal });
    const read = (): number => {
      const data = cluster.cached(configMapResource, key('own'))?.['data'] as {
        readonly n: string;
      };
      return Number(data.n);
    };
    let newest = 0;
    const timer = setInterval(() => assert.ok(read() >= newest, `${read()} after ${newest}`), 1);
    try {
      for (let n = 1; n <= 200; n += 1) {
        await cluster.mergePatch(
          configMapResource,
          key('own'),
          { data: { n: String(n) } },
          { signal },
        );
        newest = n;
        assert.equal(read(), n);
      }
    } finally {
      clearInterval(timer);
    }
    await cluster.delete(configMapResource, key('own'), { signal });
    assert.equal(cluster.cached(configMapResource, key('own')), undefined);
    await sleep(100);
    assert.equal(cluster.cached(configMapResource, key('own')), undefined);
  });

  describe('classifies', () => {
    const own = key('faults');
    const test = { op: 'test', path: '/data/a', value: 'other' } as const;
    const table: readonly (readonly [string, ClusterError['fault'], () => Promise<unknown>])[] = [
      [
        'a failed test',
        'conflict',
        () => cluster.jsonPatch(configMapResource, own, [test], { signal }),
      ],
      [
        'a patch of a path that is not there',
        'conflict',
        () =>
          cluster.jsonPatch(configMapResource, own, [{ op: 'remove', path: '/data/b' }], {
            signal,
          }),
      ],
      [
        'a patch whose outcome is invalid',
        'invalid',
        () => {
          const spoil = { op: 'add', path: '/data/bad~1key', value: 'x' } as const;
          return cluster.jsonPatch(configMapResource, own, [spoil], { signal });
        },
      ],
      [
        'a patch of the wrong type',
        'invalid',
        () => cluster.mergePatch(configMapResource, own, { data: { a: 7 } }, { signal }),
      ],
      [
        'a PUT of an old state',
        'conflict',
        () => {
          const old = configMap('faults', {}, { resourceVersion: '1' });
          return cluster.replace(configMapResource, old, { signal });
        },
      ],
      [
        'an apply of a field that another manager has',
        'conflict',
        () => {
          const mine = configMap('faults', { a: 'mine' });
          return cluster.apply(configMapResource, mine, { signal, fieldManager: 'somebody' });
        },
      ],
      [
        'a second creation',
        'alreadyExists',
        () => cluster.create(configMapResource, configMap('faults'), { signal }),
      ],
      [
        'what is not there',
        'notFound',
        () => cluster.delete(configMapResource, key('none'), { signal }),
      ],
      [
        'what does not exist at all',
        'notFound',
        () =>
          cluster.create({ ...configMapResource, plural: 'nonsense' }, configMap('x'), { signal }),
      ],
    ];
    before(() => cluster.create(configMapResource, configMap('faults', { a: 'x' }), { signal }));
    for (const [what, fault, act] of table) {
      it(`${what} as ${fault}`, async () => {
        const error = await faultOf(act());
        assert.equal(error.fault, fault, error.message);
      });
    }

    it('a missing right as forbidden, a wrong token as unauthorized', async () => {
      const eve = connect(await plane.kubeconfigFor('eve'));
      assert.equal((await faultOf(eve.get(configMapResource, own, signal))).fault, 'forbidden');
      const nobody = connect(await plane.kubeconfigFor('nobody', 'wrong'));
      assert.equal(
        (await faultOf(nobody.get(configMapResource, own, signal))).fault,
        'unauthorized',
      );
    });
  });

  it('keeps an object with a finalizer in the cache until it is gone', async () => {
    const held = configMap('held', {}, { finalizers: ['genesis.io/test'] });
    await cluster.create(configMapResource, held, { signal });
    await cluster.delete(configMapResource, key('held'), { signal });
    const cached = cluster.cached(configMapResource, key('held'));
    assert.notEqual(cached?.metadata.deletionTimestamp, undefined);
    const free = { metadata: { finalizers: null } };
    await cluster.mergePatch(configMapResource, key('held'), free, { signal });
    await until('gone', () => cluster.cached(configMapResource, key('held')) === undefined);
  });

  it('lets no write out without the lease', async () => {
    const fenced = connect(plane.kubeconfigPath, { mayWrite: () => false, lost: signal });
    const made = faultOf(fenced.create(configMapResource, configMap('never-sent'), { signal }));
    assert.equal((await made).fault, 'fenced');
    assert.equal(await fenced.get(configMapResource, key('never-sent'), signal), undefined);
    const requests = await audited();
    assert.deepEqual(
      requests.filter(({ verb, requestURI }) => verb === 'create' && requestURI.includes('never')),
      [],
    );
  });

  it('says what happened in events that the API server takes, and counts equal ones', async () => {
    const clock = new VirtualClock();
    const events = new Events({
      cluster,
      clock,
      logger: silentLogger,
      reportingController: 'genesis-rollout',
      reportingInstance: 'test',
    });
    const regarding = (await cluster.get(configMapResource, key('one'), signal)) ?? assert.fail();
    const note = 'error-rate 7.2 % > 5 % for 5m0s '.repeat(100);
    const event = {
      regarding,
      type: 'Warning',
      reason: 'RolledBack',
      action: 'RollBack',
      note,
    } as const;
    for (let n = 0; n < 5; n += 1) events.record(event);
    await events.close(AbortSignal.timeout(10_000));
    const answer = await plane.client.send(
      'GET',
      '/apis/events.k8s.io/v1/namespaces/default/events',
    );
    const { items } = answer.body as { readonly items: readonly KubeObject[] };
    // Others tell things here too, such as the controller manager.
    const ours = items.filter((item) => item['reportingController'] === 'genesis-rollout');
    assert.equal(ours.length, 1);
    assert.equal(ours[0]?.['reason'], 'RolledBack');
    assert.equal((ours[0]['series'] as { readonly count: number }).count, 5);
  });

  it('counts ready endpoints', async () => {
    const changed: string[] = [];
    const endpoints = watchEndpoints({
      cluster,
      onChange: (namespace, service) => changed.push(`${namespace}/${service}`),
    });
    await endpoints.watch.synced(AbortSignal.timeout(10_000));
    changed.length = 0;
    const labels = { 'kubernetes.io/service-name': 'web' };
    const slice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...key('web-1'), labels },
      addressType: 'IPv4',
      endpoints: [
        { addresses: ['10.0.0.1'], conditions: { ready: true } },
        { addresses: ['10.0.0.2'], conditions: { ready: false } },
      ],
      ports: [],
    };
    await cluster.create(slices, slice, { signal });
    assert.equal(endpoints.ready('default', 'web'), 1);
    await cluster.delete(slices, key('web-1'), { signal });
    assert.equal(endpoints.ready('default', 'web'), 0);
    assert.deepEqual(changed, ['default/web', 'default/web']);
  });

  it('survives a crash of the API server in mid-watch: nothing lost, nothing told twice', async (context) => {
    const seen: string[] = [];
    const watch = cluster.watch(configMapResource, {
      namespaces: ['default'],
      onChange: ({ type, old, new: now }) => {
        const { name = '' } = (now ?? old)?.metadata ?? {};
        if (name.startsWith('crash')) seen.push(`${type} ${name}`);
      },
    });
    await watch.synced(AbortSignal.timeout(10_000));
    for (const name of ['crash-a', 'crash-b', 'crash-c']) {
      await cluster.create(configMapResource, configMap(name), { signal });
    }
    await plane.stopApiServer({ signal: 'SIGKILL' });
    await until('noticed', () => !watch.isConnected);
    const asked = await faultOf(cluster.get(configMapResource, key('crash-a'), signal));
    assert.equal(asked.fault, 'unavailable');
    assert.notEqual(cluster.cached(configMapResource, key('crash-a')), undefined);
    await plane.startApiServer();
    const upAtMs = performance.now();
    // By another client, so that only the watch can tell.
    const path = '/api/v1/namespaces/default/configmaps';
    await plane.client.send('DELETE', `${path}/crash-b`);
    await plane.client.apply(configMap('crash-d') as never);
    await until('all told', () => seen.includes('added crash-d'), 20_000);
    const seconds = ((performance.now() - upAtMs) / 1_000).toFixed(1);
    context.diagnostic(`watching again ${seconds} s after the API server was back`);
    assert.deepEqual(seen.toSorted(), [
      'added crash-a',
      'added crash-b',
      'added crash-c',
      'added crash-d',
      'deleted crash-b',
    ]);
    await cluster.mergePatch(configMapResource, key('crash-a'), { data: { x: 'y' } }, { signal });
    await until('modified', () => seen.at(-1) === 'modified crash-a');
  });
});

it('an API server without watch-lists is read in pages', async () => {
  const plane = await startControlPlane({
    controllerManager: false,
    apiServerFlags: ['--feature-gates=WatchList=false'],
  });
  const cluster = createCluster({
    source: { type: 'file', path: plane.kubeconfigPath },
    version: 'test',
    leadership: createAlwaysLeader(),
    clock: systemClock,
    logger: silentLogger,
  });
  try {
    const create = (n: number) =>
      cluster.create(configMapResource, configMap(`paged-${n}`), { signal });
    for (let n = 0; n < 1_100; n += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, index) => create(n + index)));
    }
    const watch = cluster.watch(configMapResource, { namespaces: ['default'] });
    await watch.synced(AbortSignal.timeout(10_000));
    assert.equal(cluster.cachedAll(configMapResource, 'default').length, 1_100);
    await until('watching', () => watch.isConnected);
    await plane.client.apply(configMap('after') as never);
    await until('after', () => cluster.cached(configMapResource, key('after')) !== undefined);
  } finally {
    await cluster.close();
    await plane.stop();
  }
});
