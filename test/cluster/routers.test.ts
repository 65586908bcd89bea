/** Routers over a real API server with the Gateway API's own CRDs: their contract, that of the fake cluster, and the watch. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createCluster, type KubeCluster } from '#kube/cluster-client.ts';
import { silentLogger } from '#ports/logger.ts';
import type { RouteReading, RouteTarget } from '#ports/traffic-router.ts';
import { createRouters, keepForRouters, routeResources } from '#routers/index.ts';
import { systemClock } from '#runtime/clock.ts';
import { type ControlPlane, gatewayApiCrds, startControlPlane } from '#scripts/testbed/index.ts';
import { clusterContract } from '#test/contracts/cluster.contract.ts';
import { trafficRouterContract } from '#test/contracts/traffic-router.contract.ts';
import { routerSubjects } from '#test/contracts/traffic-router.subjects.ts';

let plane: ControlPlane;
let cluster: KubeCluster;

before(async () => {
  plane = await startControlPlane({ controllerManager: false, crds: await gatewayApiCrds() });
  cluster = createCluster({
    source: { type: 'file', path: plane.kubeconfigPath },
    version: 'test',
    leadership: { mayWrite: () => true, lost: new AbortController().signal },
    clock: systemClock,
    logger: silentLogger,
  });
});

after(async () => {
  await cluster.close();
  await plane.stop();
});

for (const subject of routerSubjects) {
  const namespace = `routers-${subject.name.toLowerCase().replaceAll(/\W+/g, '-')}`;
  trafficRouterContract(subject, async () => {
    const metadata = { name: namespace };
    await plane.client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata });
    return { cluster, namespace, close: () => Promise.resolve() };
  });
}

clusterContract('the real API server', () =>
  Promise.resolve({ cluster, namespace: 'default', close: () => Promise.resolve() }),
);

describe('a router that reads from a real watch', () => {
  const key = { namespace: 'default', name: 'watched' };
  const resource = routeResources[0]!;
  const apiVersion = 'gateway.networking.k8s.io/v1';
  const target: RouteTarget = {
    ...key,
    kind: 'HTTPRoute',
    apiVersion,
    stable: { service: 'old', port: 80 },
    canary: { service: 'new', port: 80 },
    flag: undefined,
  };
  const parentRefs = [{ name: 'public' }];
  const limit = () => AbortSignal.timeout(20_000);

  /** As Git would; undefined leaves the weights to the schema's default. */
  async function apply(canary: number | undefined, more: object = {}): Promise<void> {
    const weights =
      canary === undefined ? [{}, {}] : [{ weight: 100 - canary }, { weight: canary }];
    const backendRefs = ['old', 'new'].map((name, at) => ({ name, port: 80, ...weights[at] }));
    const spec = { parentRefs, rules: [{ backendRefs, ...more }] };
    await cluster.apply(
      resource,
      { apiVersion, kind: 'HTTPRoute', metadata: key, spec },
      { fieldManager: 'gitops', force: true, signal: limit() },
    );
  }

  /** As a gateway's controller does. */
  async function accept(generation: number | undefined): Promise<void> {
    const conditions = ['Accepted', 'ResolvedRefs'].map((type) => ({
      type,
      status: 'True',
      reason: type,
      message: '',
      lastTransitionTime: '2026-11-22T00:00:00Z',
      observedGeneration: generation,
    }));
    const parents = [
      { parentRef: parentRefs[0], controllerName: 'example.com/gateway', conditions },
    ];
    const options = { fieldManager: 'gateway', subresource: 'status', signal: limit() } as const;
    await cluster.mergePatch(resource, key, { status: { parents } }, options);
  }

  async function until(
    read: () => RouteReading,
    isThere: (reading: Extract<RouteReading, { type: 'read' }>) => boolean,
  ): Promise<Extract<RouteReading, { type: 'read' }>> {
    const deadline = Date.now() + 10_000;
    for (;;) {
      const reading = read();
      if (reading.type === 'read' && isThere(reading)) return reading;
      assert.ok(Date.now() < deadline, `still ${JSON.stringify(reading)}`);
      await systemClock.sleep(20, limit());
    }
  }

  test('knows undeclared weights, sticky sessions, acceptance, drift and who made it', async () => {
    // Its own cluster, so that what is read has come by the watch and not by an answer.
    const watching = createCluster({
      source: { type: 'file', path: plane.kubeconfigPath },
      version: 'test',
      leadership: { mayWrite: () => true, lost: new AbortController().signal },
      clock: systemClock,
      logger: silentLogger,
    });
    try {
      const watch = watching.watch(resource, { transform: keepForRouters });
      await watch.synced(limit());
      const router = createRouters(watching, silentLogger)('HTTPRoute');
      assert.ok(router);
      const read = () => router.read(target);
      assert.equal(read().type, 'missing');

      await apply(undefined, { sessionPersistence: { sessionName: 'cart' } });
      const undeclared = await until(read, () => true);
      assert.deepEqual(
        undeclared.problems.map(({ reason, blocking }) => [reason, blocking]),
        [
          ['WeightsNotDeclared', true],
          ['SessionPersistence', false],
          ['NotAccepted', true],
        ],
      );
      assert.deepEqual([undeclared.weight, undeclared.settled], [50, false]);

      await apply(0);
      const declared = await until(read, ({ weight }) => weight === 0);
      assert.deepEqual([declared.writtenBy, declared.owned], ['gitops', false]);
      await accept(watching.cached(resource, key)?.metadata.generation);
      assert.deepEqual((await until(read, ({ settled }) => settled)).problems, []);

      await router.setWeight(target, 50, { signal: limit() });
      const raised = await until(read, ({ weight }) => weight === 50);
      assert.deepEqual([raised.writtenBy, raised.owned, raised.settled], ['genesis', true, false]);
      assert.deepEqual(raised.problems, [], 'a controller that is merely late is no problem');
      await accept(watching.cached(resource, key)?.metadata.generation);
      await until(read, ({ settled }) => settled);

      await apply(5);
      const drifted = await until(read, ({ weight }) => weight === 5);
      assert.deepEqual([drifted.writtenBy, drifted.owned], ['gitops', false]);
    } finally {
      await watching.close();
    }
  });
});
