/** The routers' contract over the in-memory API server. */
import { ClusterError, type KubeObject } from '#ports/cluster.ts';
import { trafficRouterContract } from '#test/contracts/traffic-router.contract.ts';
import { routerSubjects } from '#test/contracts/traffic-router.subjects.ts';
import { FakeApiServer, FakeCluster } from '#test/fakes/cluster.ts';

for (const subject of routerSubjects) {
  trafficRouterContract(subject, () => {
    const server = new FakeApiServer({ admit });
    return Promise.resolve({
      cluster: new FakeCluster({ server }),
      namespace: 'shop',
      close: () => Promise.resolve(),
    });
  });
}

/** The schema's default: a backend without a weight gets a 1. */
function admit(object: KubeObject): KubeObject {
  if (object.kind === 'ConfigMap') return object;
  const filled: unknown = JSON.parse(JSON.stringify(object), (key, value: unknown) => {
    if (key !== 'backendRefs' || !Array.isArray(value)) return value;
    return value.map((ref: object) => ({ weight: 1, ...ref }));
  });
  if (typeof filled === 'object' && filled !== null && 'spec' in filled)
    return { ...object, spec: filled.spec };
  throw new ClusterError('invalid', 'spec: Required value', { status: 422 });
}
