/**
 * The record of what a run follows: the spec, whole and as it was served, in a ControllerRevision owned by
 * the rollout. A broken edit or an upgrade of the operator never changes what a running rollout means.
 */
import { controllerRevisionResource, labels, managedByValue } from '#api/names.ts';
import { ownedByRollout } from '#api/owner.ts';
import { type Cluster, ClusterError, type KubeObject, type ObjectKey } from '#ports/cluster.ts';

/** What is kept of a ControllerRevision. */
export async function writeSpecRecord(
  cluster: Cluster,
  rollout: KubeObject,
  record: { readonly name: string; readonly runId: string },
  signal: AbortSignal,
): Promise<void> {
  const { namespace = '', name, uid = '', generation = 0 } = rollout.metadata;
  const object: KubeObject = {
    apiVersion: 'apps/v1',
    kind: controllerRevisionResource.kind,
    metadata: {
      name: record.name,
      namespace,
      labels: {
        [labels.rollout]: name,
        [labels.run]: record.runId,
        [labels.purpose]: 'spec',
        [labels.managedBy]: managedByValue,
      },
      ownerReferences: ownedByRollout({ name, uid }),
    },
    data: { spec: rollout['spec'] },
    revision: generation,
  };
  try {
    await cluster.create(controllerRevisionResource, object, { signal });
  } catch (error) {
    // Same name, same run, same generation: an earlier try of ours has made it.
    if (!(error instanceof ClusterError && error.fault === 'alreadyExists')) throw error;
  }
}

/** @returns the recorded spec as JSON; undefined when the record is gone */
export async function readSpecRecord(
  cluster: Cluster,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<unknown> {
  const object = await cluster.get(controllerRevisionResource, key, signal);
  const data = object?.['data'];
  return typeof data === 'object' && data !== null ? Reflect.get(data, 'spec') : undefined;
}
