/** Checkpoint: the status is written before anything is done that relies on it, guarded by resourceVersion. */
import { fieldManager, rolloutResource } from '#api/names.ts';
import type { RolloutStatus } from '#api/status.ts';
import type { Cluster, KubeObject } from '#ports/cluster.ts';

/**
 * Replaces the status as a whole. Rejects with ClusterError `conflict` when the rollout has changed since it
 * was read: then nothing is done, and the key is looked at again.
 */
export async function writeStatus(
  cluster: Cluster,
  rollout: KubeObject,
  status: RolloutStatus,
  signal: AbortSignal,
): Promise<KubeObject> {
  const { namespace = '', name, resourceVersion } = rollout.metadata;
  const operations = [
    { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
    { op: 'add', path: '/status', value: status },
  ] as const;
  return cluster.jsonPatch(rolloutResource, { namespace, name }, operations, {
    subresource: 'status',
    fieldManager,
    signal,
  });
}
