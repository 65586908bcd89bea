/** Restarts workloads by the annotation `genesis.dev/flag-weights` on their pod template, and reads how far they are. */
import { z } from 'zod';
import { annotations } from '#api/names.ts';
import {
  type Cluster,
  ClusterError,
  type JsonPatchOperation,
  type KubeObject,
  type ObjectKey,
  type Resource,
} from '#ports/cluster.ts';
import type { Logger } from '#ports/logger.ts';
import type { RestartWrite, RunRestart, WorkloadReading, Workloads } from '#ports/workloads.ts';
import { escapeToken, readJson } from './marks.ts';
import { rolloutStateOf } from './workload-state.ts';
import { type Plan, patchOf, patchUntilItStands } from './writing.ts';

export const workloadResources: Readonly<Record<RunRestart['kind'], Resource>> = {
  Deployment: appsResource('Deployment', 'deployments'),
  StatefulSet: appsResource('StatefulSet', 'statefulsets'),
  DaemonSet: appsResource('DaemonSet', 'daemonsets'),
};

function appsResource(kind: string, plural: string): Resource {
  return { group: 'apps', version: 'v1', kind, plural, namespaced: true };
}

/** How far the watch of a kind in a namespace is: what it does not hold may only not be known yet. */
export type WatchState =
  | { readonly type: 'synced' }
  | { readonly type: 'pending' }
  | { readonly type: 'failed'; readonly message: string };

export interface WorkloadsOptions {
  readonly cluster: Cluster;
  readonly logger: Logger;
  readonly watchState: (kind: RunRestart['kind'], namespace: string) => WatchState;
}

const marks = z.record(z.string(), z.number());

/** Pods and volumes of templates are most of a workload, and nobody reads them from the cache. */
export function keepForRestarts(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata;
  const { template, ...spec } = fieldsOf(object['spec']);
  const kept = { ...spec, template: { metadata: fieldsOf(template)['metadata'] } };
  return { ...object, metadata, spec: kept };
}

export function createWorkloads({ cluster, logger, watchState }: WorkloadsOptions): Workloads {
  /** Why the last write was refused, until one goes through or nothing is left to write. */
  const refusals = new Map<string, string>();
  return {
    read(workload) {
      const object = cluster.cached(workloadResources[workload.kind], keyOf(workload));
      if (object === undefined) return absence(workload, watchState);
      return readingOf(object, workload, refusals.get(idOf(workload)));
    },
    async restart(workload, weight, signal) {
      const id = idOf(workload);
      const written = await write(workload, weight, { cluster, logger, signal });
      if (written.type === 'refused') refusals.set(id, written.message);
      else refusals.delete(id);
      return written;
    },
  };
}

function absence(
  { kind, namespace, name }: RunRestart,
  watchState: WorkloadsOptions['watchState'],
): WorkloadReading {
  const state = watchState(kind, namespace);
  switch (state.type) {
    case 'pending':
      return { type: 'unknown' };
    case 'failed':
      return { type: 'refused', message: `it cannot be read: ${state.message}` };
    default:
      return { type: 'missing', message: `${kind} ${namespace}/${name} does not exist` };
  }
}

function readingOf(
  object: KubeObject,
  { kind, flag }: RunRestart,
  refusal: string | undefined,
): WorkloadReading {
  const state = rolloutStateOf(kind, object);
  if (state.type === 'malformed') return { type: 'refused', message: state.message };
  const { isRolledOut, obstacle } = state;
  return { type: 'read', mark: marksOn(object)[flag], isRolledOut, obstacle: refusal ?? obstacle };
}

async function write(
  workload: RunRestart,
  weight: number,
  with_: Pick<WorkloadsOptions, 'cluster' | 'logger'> & { readonly signal: AbortSignal },
): Promise<RestartWrite> {
  const resource = workloadResources[workload.kind];
  try {
    const target = { ...with_, resource, key: keyOf(workload) };
    const outcome = await patchUntilItStands(target, (object) =>
      marking(object, workload.flag, weight),
    );
    if (outcome.type === 'refused') return { type: 'refused', message: outcome.message };
    return outcome.type === 'conflict' ? outcome : { type: 'done' };
  } catch (error) {
    const isFinal =
      error instanceof ClusterError && (error.fault === 'forbidden' || error.fault === 'invalid');
    if (!isFinal) throw error;
    return { type: 'refused', message: `the API server refuses the restart: ${error.message}` };
  }
}

/** One annotation, with the marks of other flags as they are; a test for null is true of an absent member. */
function marking(object: KubeObject, flag: string, weight: number): Plan {
  const known = marksOn(object);
  if (known[flag] === weight) return patchOf([]);
  const value = JSON.stringify({ ...known, [flag]: weight });
  const metadata = templateOf(object)['metadata'];
  const parent = '/spec/template/metadata';
  if (metadata === undefined || metadata === null) {
    const made = { annotations: { [annotations.flagWeights]: value } };
    return patchOf(adding(parent, undefined, made));
  }
  const present = fieldsOf(metadata)['annotations'];
  const all = `${parent}/annotations`;
  if (present === undefined || present === null) {
    return patchOf(adding(all, undefined, { [annotations.flagWeights]: value }));
  }
  const path = `${all}/${escapeToken(annotations.flagWeights)}`;
  return patchOf(adding(path, fieldsOf(present)[annotations.flagWeights], value));
}

function adding(path: string, old: unknown, value: unknown): JsonPatchOperation[] {
  return [
    { op: 'test', path, value: old ?? null },
    { op: 'add', path, value },
  ];
}

function marksOn(object: KubeObject): Readonly<Record<string, number>> {
  const metadata = fieldsOf(templateOf(object)['metadata']);
  const text = fieldsOf(metadata['annotations'])[annotations.flagWeights];
  return (typeof text === 'string' ? readJson(text, marks) : undefined) ?? {};
}

function templateOf(object: KubeObject): Readonly<Record<string, unknown>> {
  return fieldsOf(fieldsOf(object['spec'])['template']);
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? Object.fromEntries(Object.entries(value)) : {};
}

function keyOf({ namespace, name }: RunRestart): ObjectKey {
  return { namespace, name };
}

function idOf({ kind, namespace, name }: RunRestart): string {
  return `${kind} ${namespace}/${name}`;
}
