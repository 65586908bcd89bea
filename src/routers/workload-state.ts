/** How far a workload has replaced its pods with those of its template as it is now, as `kubectl rollout status` tells it. */
import { z } from 'zod';
import type { KubeObject } from '#ports/cluster.ts';
import type { RunRestart } from '#ports/workloads.ts';

export type RolloutState =
  | {
      readonly type: 'read';
      readonly isRolledOut: boolean;
      /** Why pods are not replaced by themselves. */
      readonly obstacle: string | undefined;
    }
  | { readonly type: 'malformed'; readonly message: string };

const count = z.number().default(0);

const condition = z.object({
  type: z.string(),
  status: z.string(),
  reason: z.string().optional(),
});

const workload = z.object({
  metadata: z.object({ generation: z.number().default(0) }),
  spec: z.object({
    replicas: z.number().default(1),
    paused: z.boolean().default(false),
    updateStrategy: z
      .object({
        type: z.string().default('RollingUpdate'),
        rollingUpdate: z.object({ partition: count }).nullish(),
      })
      .nullish(),
  }),
  status: z
    .object({
      observedGeneration: z.number().default(-1),
      replicas: count,
      updatedReplicas: count,
      availableReplicas: count,
      desiredNumberScheduled: count,
      updatedNumberScheduled: count,
      numberAvailable: count,
      conditions: z.array(condition).nullish(),
    })
    .prefault({}),
});

type Workload = z.infer<typeof workload>;

export function rolloutStateOf(kind: RunRestart['kind'], object: KubeObject): RolloutState {
  const parsed = workload.safeParse(object);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const message = `${kind} ${object.metadata.name}: ${issue?.path.join('.')}: ${issue?.message}`;
    return { type: 'malformed', message };
  }
  const { metadata, status } = parsed.data;
  const isObserved = status.observedGeneration >= metadata.generation;
  const isRolledOut = isObserved && arePodsNew(kind, parsed.data);
  return {
    type: 'read',
    isRolledOut,
    obstacle: isRolledOut ? undefined : obstacleOf(kind, parsed.data),
  };
}

/** Every pod that is wanted is new and available, and no old one is left. */
function arePodsNew(kind: RunRestart['kind'], { spec, status }: Workload): boolean {
  if (kind === 'DaemonSet') {
    const { desiredNumberScheduled, updatedNumberScheduled, numberAvailable } = status;
    return (
      updatedNumberScheduled >= desiredNumberScheduled && numberAvailable >= desiredNumberScheduled
    );
  }
  const { replicas, updatedReplicas, availableReplicas } = status;
  const areAllNew = updatedReplicas >= spec.replicas && replicas <= updatedReplicas;
  return areAllNew && availableReplicas >= spec.replicas;
}

function obstacleOf(kind: RunRestart['kind'], { spec, status }: Workload): string | undefined {
  if (kind === 'Deployment' && spec.paused) return 'it is paused, so its pods are not replaced';
  const { type = 'RollingUpdate', rollingUpdate } = spec.updateStrategy ?? {};
  if (kind !== 'Deployment' && type === 'OnDelete') {
    return 'its updateStrategy is OnDelete, so its pods must be deleted by hand';
  }
  const partition = kind === 'StatefulSet' ? (rollingUpdate?.partition ?? 0) : 0;
  if (partition > 0) {
    return `updateStrategy.rollingUpdate.partition ${partition} keeps old pods`;
  }
  const late = status.conditions?.find(
    (one) =>
      one.type === 'Progressing' &&
      one.status === 'False' &&
      one.reason === 'ProgressDeadlineExceeded',
  );
  return late === undefined ? undefined : 'its new pods do not become available in time';
}
