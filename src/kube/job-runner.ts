/** Jobs that run once, as batch/v1 Jobs: owned by the rollout, and kept long enough for nobody to run one twice. */
import { jobResource, labels, managedByValue } from '#api/names.ts';
import { ownedByRollout } from '#api/owner.ts';
import { type Cluster, ClusterError, type KubeObject, type ObjectKey } from '#ports/cluster.ts';
import type { JobRunner, JobState, WantedJob } from '#ports/job-runner.ts';

/** A finished Job says that it has run; it may go once nobody can ask any more. */
const KEPT_MIN_SECONDS = 24 * 3600;
/** Refusals are remembered for so many names; an older one is asked for again, and refused again. */
const REFUSED_MAX = 1_000;

type Fields = Readonly<Record<string, unknown>>;

export function createJobRunner(cluster: Cluster): JobRunner {
  const refused = new Map<string, JobState>();
  const state = async (key: ObjectKey, signal: AbortSignal): Promise<JobState | undefined> => {
    const known = refused.get(idOf(key));
    if (known !== undefined) return known;
    const object = await cluster.get(jobResource, key, signal);
    return object === undefined ? undefined : stateOf(object);
  };
  return {
    state,
    async ensure(job, signal) {
      const key = { namespace: job.owner.metadata.namespace ?? '', name: job.name };
      try {
        return stateOf(await cluster.create(jobResource, jobObject(job), { signal }));
      } catch (error) {
        if (!(error instanceof ClusterError)) throw error;
        if (error.fault === 'alreadyExists')
          return (await state(key, signal)) ?? { type: 'running' };
        if (error.fault !== 'invalid' && error.fault !== 'forbidden') throw error;
        const answer = { type: 'failed', message: `refused: ${error.message}` } as const;
        if (refused.size >= REFUSED_MAX) refused.clear();
        refused.set(idOf(key), answer);
        return answer;
      }
    },
  };
}

function idOf({ namespace, name }: ObjectKey): string {
  return `${namespace}/${name}`;
}

function jobObject(job: WantedJob): KubeObject {
  const { name, jobTemplate, owner, purpose, runId, keptSeconds } = job;
  const template = fieldsOf(jobTemplate['metadata']);
  const spec = fieldsOf(jobTemplate['spec']);
  const ttl = spec['ttlSecondsAfterFinished'];
  return {
    apiVersion: 'batch/v1',
    kind: jobResource.kind,
    metadata: {
      name,
      namespace: owner.metadata.namespace ?? '',
      labels: {
        ...textsOf(template['labels']),
        [labels.rollout]: owner.metadata.name,
        [labels.run]: runId,
        [labels.purpose]: purpose,
        [labels.managedBy]: managedByValue,
      },
      annotations: textsOf(template['annotations']),
      ownerReferences: ownedByRollout({
        name: owner.metadata.name,
        uid: owner.metadata.uid ?? '',
      }),
    },
    spec: {
      ...spec,
      ...(typeof ttl === 'number'
        ? { ttlSecondsAfterFinished: Math.max(ttl, KEPT_MIN_SECONDS) }
        : {}),
      ...(keptSeconds === undefined ? {} : { ttlSecondsAfterFinished: keptSeconds }),
    },
  };
}

/** A Job has ended when a condition says so; its counts alone do not tell whether another pod will follow. */
export function stateOf(object: KubeObject): JobState {
  const conditions = fieldsOf(object['status'])['conditions'];
  const held = (Array.isArray(conditions) ? conditions : [])
    .map((one: unknown) => fieldsOf(one))
    .filter((condition) => condition['status'] === 'True');
  const failed = held.find((condition) => condition['type'] === 'Failed');
  if (failed !== undefined) {
    const words = [failed['reason'], failed['message']].filter((one) => typeof one === 'string');
    return { type: 'failed', message: words.join(': ') };
  }
  const isComplete = held.some((condition) => condition['type'] === 'Complete');
  return { type: isComplete ? 'succeeded' : 'running' };
}

function fieldsOf(value: unknown): Fields {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? Object.fromEntries(Object.entries(value)) : {};
}

function textsOf(value: unknown): Record<string, string> {
  const texts = Object.entries(fieldsOf(value)).flatMap(([key, one]) =>
    typeof one === 'string' ? [[key, one] as const] : [],
  );
  return Object.fromEntries(texts);
}
