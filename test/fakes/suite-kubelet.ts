/** Plays the Job controller and the kubelet for Jobs of suites: makes the pod, ends it with a message, ends the Job. */
import { jobResource } from '#api/names.ts';
import type { Cluster, KubeObject } from '#ports/cluster.ts';
import { endOf, podResource } from '#suites/job-reading.ts';
import type { SuiteBehaviour } from '#test/contracts/suite-runner.contract.ts';

export interface SuiteKubelet {
  behaviour: SuiteBehaviour;
  stop(): Promise<void>;
}

const POLL_MS = 20;

export function playKubelet(cluster: Cluster, namespace: string): SuiteKubelet {
  const { signal } = new AbortController();
  const ended = new Set<string>();
  const stopping = new AbortController();
  const made: SuiteKubelet = { behaviour: { type: 'hangs' }, stop: () => Promise.resolve() };

  const end = async (job: KubeObject, behaviour: SuiteBehaviour): Promise<void> => {
    const { name } = job.metadata;
    const key = { namespace, name };
    const podKey = { namespace, name: `${name}-pod` };
    const spec = job['spec'] as { template: { metadata: { labels: object }; spec: object } };
    const at = new Date().toISOString().replace(/[.]\d+Z/, 'Z');
    const labels = { ...spec.template.metadata.labels, 'batch.kubernetes.io/job-name': name };
    const metadata = { ...podKey, labels };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: spec.template.spec };
    await cluster.create(podResource, pod, { signal });
    const isCrash = behaviour.type === 'crashes';
    const message = behaviour.type === 'answers' ? { message: behaviour.text } : {};
    const terminated = { exitCode: isCrash ? 1 : 0, startedAt: at, finishedAt: at, ...message };
    const container = { name: 'suite', image: 'suite', imageID: '', ready: false, restartCount: 0 };
    const containerStatuses = [{ ...container, state: { terminated } }];
    const podStatus = { phase: isCrash ? 'Failed' : 'Succeeded', containerStatuses };
    const options = { subresource: 'status', signal } as const;
    await cluster.mergePatch(podResource, podKey, { status: podStatus }, options);
    const condition = (type: string) => ({
      type,
      status: 'True',
      reason: isCrash ? 'BackoffLimitExceeded' : 'CompletionsReached',
      message: 'it is over',
      lastProbeTime: at,
      lastTransitionTime: at,
    });
    const types = isCrash ? ['FailureTarget', 'Failed'] : ['SuccessCriteriaMet', 'Complete'];
    const counts = isCrash ? { failed: 1 } : { succeeded: 1, completionTime: at };
    const status = { startTime: at, ...counts, conditions: types.map(condition) };
    await cluster.mergePatch(jobResource, key, { status }, options);
  };

  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const { behaviour } = made;
      for (const job of cluster.cachedAll(jobResource, namespace)) {
        const isOver = ended.has(job.metadata.name) || endOf(job) !== undefined;
        if (behaviour.type === 'hangs' || isOver) continue;
        ended.add(job.metadata.name);
        await end(job, behaviour);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  };
  const played = loop();
  made.stop = async () => {
    stopping.abort();
    await played;
  };
  return made;
}

export const suiteTemplate = {
  spec: {
    template: {
      spec: { restartPolicy: 'Never', containers: [{ name: 'suite', image: 'suite' }] },
    },
  },
} as const;
