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
/** `kubectl logs` goes by it too. */
const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';

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

export interface ContainerEnd {
  readonly name: string;
  readonly atMs: number;
  /** '' where it has left none. */
  readonly message: string;
}

export interface PodEnd {
  readonly name: string;
  /** Those that have ended, in the order of the pod. */
  readonly containers: readonly ContainerEnd[];
  /** Nothing of it runs any more. */
  readonly isOver: boolean;
  /** The container that the pod names as the one to ask. */
  readonly named: string | undefined;
}

/** The pods of a Job, the newest first. */
export function podsOf(pods: readonly KubeObject[], jobName: string): readonly PodEnd[] {
  return pods
    .filter(({ metadata }) => metadata.labels?.[JOB_NAME] === jobName)
    .toSorted((a, b) => createdAt(b) - createdAt(a))
    .map(podEndOf);
}

function podEndOf(pod: KubeObject): PodEnd {
  const statuses = listOf(fieldsOf(pod['status'])['containerStatuses']);
  const containers = statuses.flatMap((status) => {
    const terminated = fieldsOf(status['state'])['terminated'];
    if (terminated === undefined) return [];
    const { finishedAt, message } = fieldsOf(terminated);
    const atMs = Date.parse(textOf(finishedAt)) || 0;
    return [{ name: textOf(status['name']), atMs, message: textOf(message) }];
  });
  return {
    name: pod.metadata.name,
    containers,
    isOver: containers.length > 0 && containers.length === statuses.length,
    named: pod.metadata.annotations?.[DEFAULT_CONTAINER],
  };
}

/** Of a pod no more is kept. */
export function compactPod(pod: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp, labels } = pod.metadata;
  const named = pod.metadata.annotations?.[DEFAULT_CONTAINER];
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
      ...(named === undefined ? {} : { annotations: { [DEFAULT_CONTAINER]: named } }),
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
