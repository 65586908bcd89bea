/**
 * What is watched: rollouts, decisions and routes everywhere, ConfigMaps only in namespaces where a rollout moves a
 * feature flag, and workloads only of the kinds, and where, a rollout restarts some with its flag.
 */
import { decisionResource, labels, rolloutResource } from '#api/names.ts';
import type { Controller } from '#controller/controller.ts';
import type { RunRestart, RunSpec } from '#core/run-spec.ts';
import type { KubeCluster } from '#kube/cluster-client.ts';
import type { Watch } from '#kube/watches.ts';
import { withoutManagedFields } from '#kube/watches.ts';
import type { KubeObject, ObjectKey } from '#ports/cluster.ts';
import { keepForRouters, routeResources } from '#routers/index.ts';
import type { WatchState } from '#routers/workloads.ts';
import { compactPod } from '#suites/job-reading.ts';
import { SUITE_PURPOSE, suiteResources } from '#suites/job-suite.ts';
import { createWorkloadWatches } from './workload-watches.ts';

export interface Watching {
  start(controller: Controller): void;
  /** Resolves once Jobs and pods of health suites in this namespace are watched. */
  suitesIn(namespace: string, signal: AbortSignal): Promise<void>;
  /**
   * Resolves once every feature flag of the run is watched; at once when it has none. What it restarts is watched
   * from then on too, and never waited for: a rollback must not be held up by workloads that nobody may read.
   */
  readonly usedBy: (run: RunSpec, signal: AbortSignal) => Promise<void>;
  /** How far the watch of workloads of this kind is. */
  readonly workloads: (kind: RunRestart['kind'], namespace: string) => WatchState;
}

export function createWatching(
  cluster: KubeCluster,
  namespaces: readonly string[] | undefined,
): Watching {
  const scope = namespaces === undefined ? {} : { namespaces };
  const flagWatches = new Map<string, Watch>();
  const suiteWatches = new Map<string, readonly Watch[]>();
  let used: Controller['used'] = () => undefined;
  const workloads = createWorkloadWatches(cluster, (kind, object) => used(kind, keyOf(object)));
  const flagResource = routeResources.find((resource) => resource.kind === 'ConfigMap');

  const watchFlags = (namespace: string): Watch | undefined => {
    const known = flagWatches.get(namespace);
    if (known !== undefined || flagResource === undefined) return known;
    const watch = cluster.watch(flagResource, {
      namespaces: [namespace],
      transform: keepForRouters,
      onChange: ({ old, new: now }) => used('ConfigMap', keyOf(now ?? old)),
    });
    flagWatches.set(namespace, watch);
    return watch;
  };

  return {
    start(controller) {
      used = (kind, key) => controller.used(kind, key);
      cluster.watch(rolloutResource, {
        ...scope,
        transform: withoutManagedFields,
        onChange: ({ type, old, new: now }) => {
          const object = now ?? old;
          if (object !== undefined) controller.rolloutChanged(object, type === 'deleted');
        },
      });
      cluster.watch(decisionResource, {
        ...scope,
        transform: withoutManagedFields,
        isOptional: true,
        onChange: ({ type, old, new: now }) => {
          const object = now ?? old;
          if (object !== undefined) controller.decisionChanged(object, type === 'deleted');
        },
      });
      for (const resource of routeResources) {
        if (resource === flagResource) continue;
        cluster.watch(resource, {
          ...scope,
          transform: keepForRouters,
          isOptional: true,
          onChange: ({ old, new: now }) => used(resource.kind, keyOf(now ?? old)),
        });
      }
    },
    async suitesIn(namespace, signal) {
      const known = suiteWatches.get(namespace);
      const watches =
        known ??
        suiteResources.map((resource) =>
          cluster.watch(resource, {
            namespaces: [namespace],
            labelSelector: `${labels.purpose}=${SUITE_PURPOSE}`,
            transform: resource.kind === 'Pod' ? compactPod : withoutManagedFields,
          }),
        );
      suiteWatches.set(namespace, watches);
      for (const watch of watches) await watch.synced(signal);
    },
    workloads: workloads.state,
    async usedBy(run, signal) {
      workloads.watch(run.restarts);
      for (const target of run.targets) {
        if (target.flag !== undefined) await watchFlags(target.namespace)?.synced(signal);
      }
    },
  };
}

function keyOf(object: KubeObject | undefined): ObjectKey {
  return { namespace: object?.metadata.namespace ?? '', name: object?.metadata.name ?? '' };
}
