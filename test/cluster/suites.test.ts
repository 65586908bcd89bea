/** Health suites as Jobs over a real API server. Nobody runs pods there: the test plays Job controller and kubelet. */
import { after, before } from 'node:test';
import { labels } from '#api/names.ts';
import { createCluster, type KubeCluster } from '#kube/cluster-client.ts';
import { createJobRunner } from '#kube/job-runner.ts';
import { silentLogger } from '#ports/logger.ts';
import { systemClock } from '#runtime/clock.ts';
import { type ControlPlane, startControlPlane } from '#scripts/testbed/index.ts';
import { compactPod } from '#suites/job-reading.ts';
import { createJobSuite, SUITE_PURPOSE, suiteResources } from '#suites/job-suite.ts';
import { suiteRunnerContract } from '#test/contracts/suite-runner.contract.ts';
import { playKubelet, suiteTemplate } from '#test/fakes/suite-kubelet.ts';

const namespace = 'suites';
let plane: ControlPlane;
let cluster: KubeCluster;

before(async () => {
  plane = await startControlPlane({ controllerManager: false });
  await plane.client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  cluster = createCluster({
    source: { type: 'file', path: plane.kubeconfigPath },
    version: 'test',
    leadership: { mayWrite: () => true, lost: new AbortController().signal },
    clock: systemClock,
    logger: silentLogger,
  });
  const labelSelector = `${labels.purpose}=${SUITE_PURPOSE}`;
  const watches = suiteResources.map((resource) =>
    cluster.watch(resource, {
      namespaces: [namespace],
      labelSelector,
      ...(resource.kind === 'Pod' ? { transform: compactPod } : {}),
    }),
  );
  for (const watch of watches) await watch.synced(AbortSignal.timeout(20_000));
});

after(async () => {
  await cluster.close();
  await plane.stop();
});

suiteRunnerContract('as a Job on a real API server', () => {
  const jobs = createJobRunner(cluster);
  const watched = () => Promise.resolve();
  const kubelet = playKubelet(cluster, namespace);
  return Promise.resolve({
    runner: createJobSuite({ cluster, jobs, logs: cluster, clock: systemClock, watched }),
    how: { type: 'job', template: suiteTemplate },
    namespace,
    behave: (as) => {
      kubelet.behaviour = as;
    },
    close: () => kubelet.stop(),
  });
});
