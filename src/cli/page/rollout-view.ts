/** What a page is made of: the object read as far as it can be read, and what its spec means to a run. */
import { type RolloutSpec, rolloutSpecSchema } from '#api/rollout.ts';
import type { RolloutStatus } from '#api/status.ts';
import { numberAt, printable, textAt, timeAt } from '#cli/fields.ts';
import { resolveSpec } from '#core/resolve.ts';
import type { PlanPoint, RunSpec, RunTrigger } from '#core/run-spec.ts';
import type { KubeObject } from '#ports/cluster.ts';
import { inspectQuery } from '#promql/inspect-query.ts';
import { readStatus } from './readable-status.ts';

export interface RolloutView {
  readonly namespace: string;
  readonly name: string;
  readonly createdMs: number | undefined;
  readonly deletedMs: number | undefined;
  readonly generation: number | undefined;
  readonly status: RolloutStatus;
  /** What of the status cannot be read. */
  readonly problems: readonly string[];
  /** As written, for what a run does not know. */
  readonly revision: string | undefined;
  readonly spec: RolloutSpec | undefined;
  /** Undefined where the spec cannot be followed. */
  readonly run: RunSpec | undefined;
  /** The spec has been edited, and the run goes on under an earlier one. */
  readonly isSpecNewer: boolean;
}

export function viewOf(object: KubeObject): RolloutView {
  const { metadata } = object;
  const { status, problems } = readStatus(object['status']);
  const namespace = printable(metadata.namespace ?? '');
  const name = printable(metadata.name);
  const spec = rolloutSpecSchema.safeParse(object['spec']);
  const generation = numberAt(metadata, 'generation');
  return {
    namespace,
    name,
    createdMs: timeAt(metadata, 'creationTimestamp'),
    deletedMs: timeAt(metadata, 'deletionTimestamp'),
    generation,
    status,
    problems,
    revision: textAt(object, 'spec', 'revision'),
    spec: spec.success ? spec.data : undefined,
    run: spec.success ? runOf(namespace, name, spec.data) : undefined,
    isSpecNewer:
      status.runGeneration !== undefined &&
      generation !== undefined &&
      status.runGeneration < generation,
  };
}

function runOf(namespace: string, name: string, spec: RolloutSpec): RunSpec | undefined {
  const resolved = resolveSpec({ namespace, name, spec, inspect: inspectQuery });
  return resolved.type === 'ok' ? resolved.run : undefined;
}

export function triggerOf({ run }: RolloutView, name: string): RunTrigger | undefined {
  return run?.triggers.find((one) => one.name === name);
}

export function pointOf({ run }: RolloutView, name: string, kind: string): PlanPoint | undefined {
  return run?.points.find((one) => one.name === name && one.kind === kind);
}
