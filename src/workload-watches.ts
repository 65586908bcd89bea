/** Workloads are watched only of the kinds, and in the namespaces, in which a rollout restarts some with its flag. */
import type { RunRestart } from '#core/run-spec.ts';
import type { KubeCluster } from '#kube/cluster-client.ts';
import type { Watch } from '#kube/watches.ts';
import type { KubeObject } from '#ports/cluster.ts';
import { keepForRestarts, type WatchState, workloadResources } from '#routers/workloads.ts';

export interface WorkloadWatches {
  /** Begins to watch them, if nobody does yet. */
  readonly watch: (restarts: readonly RunRestart[]) => void;
  readonly state: (kind: RunRestart['kind'], namespace: string) => WatchState;
}

export function createWorkloadWatches(
  cluster: KubeCluster,
  onChange: (kind: string, object: KubeObject | undefined) => void,
): WorkloadWatches {
  const watches = new Map<string, Watch>();
  return {
    watch(restarts) {
      for (const { kind, namespace } of restarts) {
        const id = `${kind} ${namespace}`;
        if (watches.has(id)) continue;
        const watch = cluster.watch(workloadResources[kind], {
          namespaces: [namespace],
          transform: keepForRestarts,
          onChange: ({ old, new: now }) => onChange(kind, now ?? old),
        });
        watches.set(id, watch);
      }
    },
    state(kind, namespace) {
      const watch = watches.get(`${kind} ${namespace}`);
      if (watch === undefined) return { type: 'pending' };
      if (watch.isSynced) return { type: 'synced' };
      const { fault } = watch;
      return fault === undefined ? { type: 'pending' } : { type: 'failed', message: fault.message };
    },
  };
}
