/** What of Jobs and pods is read: whether and when a Job has ended, and what its pod has left. */
import type { KubeObject, Resource } from '#ports/cluster.ts';

type Fields = Readonly<Record<string, unknown>>;

export const podResource: Resource = {
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  namespaced: true,
};

const JOB_NAME = 'batch.kubernetes.io/job-name';

export interface JobEnd {
  readonly atMs: number;
  readonly isFailed: boolean;
  readonly message: string;
}

/** A Job has ended when a condition says so. */
export function endOf(job: KubeObject): JobEnd | undefined {
  const held = listOf(fieldsOf(job['status'])['conditions']).filter(
    (one) => one['status'] === 'True',
  );
  const end = held.find((one) => one['type'] === 'Failed' || one['type'] === 'Complete');
  if (end === undefined) return undefined;
  const words = [end['reason'], end['message']].filter((one) => typeof one === 'string');
  return {
    atMs: Date.parse(textOf(end['lastTransitionTime'])) || 0,
    isFailed: end['type'] === 'Failed',
    message: words.join(': '),
  };
}

/** Of the Job's newest pod; of several containers the first that has left one. */
export function terminationMessage(
  pods: readonly KubeObject[],
  jobName: string,
): string | undefined {
  const ours = pods
    .filter(({ metadata }) => metadata.labels?.[JOB_NAME] === jobName)
    .toSorted((a, b) => createdAt(b) - createdAt(a));
  for (const pod of ours) {
    for (const container of listOf(fieldsOf(pod['status'])['containerStatuses'])) {
      const message = textOf(fieldsOf(fieldsOf(container['state'])['terminated'])['message']);
      if (message !== '') return message;
    }
  }
  return undefined;
}

/** Of a pod no more is kept. */
export function compactPod(pod: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp, labels } = pod.metadata;
  return {
    apiVersion: pod.apiVersion,
    kind: pod.kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
      ...(labels === undefined ? {} : { labels }),
    },
    status: { containerStatuses: fieldsOf(pod['status'])['containerStatuses'] },
  };
}

export function fieldsOf(value: unknown): Fields {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? Object.fromEntries(Object.entries(value)) : {};
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function createdAt({ metadata }: KubeObject): number {
  return Date.parse(metadata.creationTimestamp ?? '') || 0;
}
