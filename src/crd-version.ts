/** An operator newer than its CRD would read fields that the API server has pruned: it starts no run and says so. */
import { annotations, crdNames, schemaVersion } from '#api/names.ts';
import type { Clock } from '#ports/clock.ts';
import { type Cluster, ClusterError, type Resource } from '#ports/cluster.ts';
import { withDeadline } from '#runtime/deadline.ts';

const crds: Resource = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
};
const READ_MAX_MS = 10_000;

/** @returns a sentence when the installed CRD is too old or absent; undefined when all is well, or it may not be read */
export async function crdProblem(cluster: Cluster, clock: Clock): Promise<string | undefined> {
  const key = { namespace: '', name: crdNames.rollout };
  try {
    const crd = await withDeadline(clock, READ_MAX_MS, [], (signal) =>
      cluster.get(crds, key, signal),
    );
    if (crd === undefined) return `the CRD ${crdNames.rollout} is not installed; apply crds/ first`;
    const installed = Number(crd.metadata.annotations?.[annotations.schemaVersion] ?? 0);
    if (installed >= schemaVersion) return undefined;
    return `the CRD ${crdNames.rollout} has schema version ${installed} and this operator needs ${schemaVersion}; apply the CRDs of this version`;
  } catch (error) {
    // A role in one namespace cannot read CRDs, which are cluster-wide; that alone stops nobody.
    if (error instanceof ClusterError && error.fault === 'forbidden') return undefined;
    throw error;
  }
}
