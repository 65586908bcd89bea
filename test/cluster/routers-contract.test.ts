/** The routers' contract, and that of the fake cluster, over a real API server with the Gateway API's own CRDs. */
import { after, before } from 'node:test';
import { createCluster, type KubeCluster } from '#kube/cluster-client.ts';
import { silentLogger } from '#ports/logger.ts';
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
    await plane.client.apply({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace },
    });
    return { cluster, namespace, close: () => Promise.resolve() };
  });
}

clusterContract('the real API server', () =>
  Promise.resolve({ cluster, namespace: 'default', close: () => Promise.resolve() }),
);
