/**
 * How an object that others write too is patched: a plan is made from the object as it is known, sent
 * with its own tests, and made anew from a live read when a test fails.
 */
import { fieldManager } from '#api/names.ts';
import {
  type Cluster,
  ClusterError,
  type JsonPatchOperation,
  type KubeObject,
  type ObjectKey,
  type Resource,
} from '#ports/cluster.ts';
import type { Logger } from '#ports/logger.ts';
import { releaseOperations, resourceVersionGuard } from './ownership.ts';
import { routeReasons } from './reasons.ts';

/** Why nothing can be written: `reason` is CamelCase, `message` a sentence. */
export interface Refusal {
  readonly type: 'refused';
  readonly reason: string;
  readonly message: string;
}

/** What has to be sent to make the object say what is wanted. */
export type Plan =
  | { readonly type: 'stands' }
  | { readonly type: 'patch'; readonly operations: readonly JsonPatchOperation[] }
  | Refusal;

export type Outcome =
  | { readonly type: 'done'; readonly object: KubeObject }
  | { readonly type: 'conflict'; readonly message: string }
  | Refusal;

export interface PatchTarget {
  readonly cluster: Cluster;
  readonly logger: Logger;
  readonly resource: Resource;
  readonly key: ObjectKey;
  readonly signal: AbortSignal;
}

/**
 * Live reads after a failed patch. A writer that beats us five times in a row does so on purpose; the
 * caller hears `conflict` and comes back at its next wake, without end.
 */
const ATTEMPTS_MAX = 5;

export function patchOf(operations: readonly JsonPatchOperation[]): Plan {
  return operations.length === 0 ? { type: 'stands' } : { type: 'patch', operations };
}

/** Does nothing unless the object is still the one that the operations were computed from. */
export function guardedPatchOf(
  object: KubeObject,
  operations: readonly JsonPatchOperation[],
): Plan {
  return patchOf(
    operations.length === 0 ? operations : [resourceVersionGuard(object), ...operations],
  );
}

/**
 * One try, from the watch cache: whoever raises must decide again after a conflict. The object is then
 * read live, so that the cache has caught up when that happens.
 */
export async function patchOnce(
  target: PatchTarget,
  plan: (object: KubeObject) => Plan,
): Promise<Outcome> {
  const object = target.cluster.cached(target.resource, target.key);
  if (object === undefined) return notFound(target);
  const next = plan(object);
  if (next.type === 'refused') return next;
  if (next.type === 'stands') return { type: 'done', object };
  const answer = await send(target, next.operations);
  if (answer.type !== 'conflict') return answer;
  if (answer.fault !== 'conflict') throw answer.error;
  await readLive(target);
  return { type: 'conflict', message: answer.message };
}

/**
 * Until the server's own answer says that the plan stands. A refusal or an absence that only the cache
 * knows of is checked live first, because this is the way down, and the cache may lag.
 */
export async function patchUntilItStands(
  target: PatchTarget,
  plan: (object: KubeObject) => Plan,
): Promise<Outcome> {
  let object = target.cluster.cached(target.resource, target.key);
  if (object === undefined || plan(object).type === 'refused') object = await readLive(target);
  let last: Extract<Sent, { type: 'conflict' }> | undefined;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    if (object === undefined) return notFound(target);
    const next = plan(object);
    if (next.type === 'refused') return next;
    if (next.type === 'stands') return { type: 'done', object };
    const answer = await send(target, next.operations);
    if (answer.type === 'refused') return answer;
    if (answer.type === 'conflict') {
      last = answer;
      target.logger.warn(
        { route: nameOf(target), attempt, error: answer.message },
        'written again',
      );
    }
    object = answer.type === 'done' ? answer.object : await readLive(target);
  }
  if (object !== undefined && plan(object).type === 'stands') return { type: 'done', object };
  if (last !== undefined && last.fault !== 'conflict') throw last.error;
  return {
    type: 'conflict',
    message:
      last?.message ??
      `${nameOf(target)} was changed back ${ATTEMPTS_MAX} times while it was written`,
  };
}

/** Gives up every field of ours, and only that: values stay as they are. */
export async function dropOwnership(target: PatchTarget): Promise<Outcome> {
  let object = await readLive(target);
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    if (object === undefined) return notFound(target);
    const operations = releaseOperations(object);
    if (operations.length === 0) return { type: 'done', object };
    const answer = await send(target, operations);
    if (answer.type === 'refused') return answer;
    object = answer.type === 'done' ? answer.object : await readLive(target);
  }
  return {
    type: 'conflict',
    message: `${nameOf(target)} kept changing while its fields were released`,
  };
}

type Sent =
  | { readonly type: 'done'; readonly object: KubeObject }
  | {
      readonly type: 'conflict';
      readonly message: string;
      readonly fault: 'conflict' | 'invalid';
      readonly error: ClusterError;
    }
  | Refusal;

/**
 * `invalid` counts as a conflict at first: a path that has vanished since the read is one too, and
 * only a second look can tell it from a patch that is wrong in itself.
 */
async function send(target: PatchTarget, operations: readonly JsonPatchOperation[]): Promise<Sent> {
  const { cluster, resource, key, signal } = target;
  try {
    const object = await cluster.jsonPatch(resource, key, operations, {
      fieldManager,
      signal,
      isUrgent: true,
    });
    return { type: 'done', object };
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    if (error.fault === 'notFound') return notFound(target);
    if (error.fault !== 'conflict' && error.fault !== 'invalid') throw error;
    const message = `${nameOf(target)} was changed by another writer: ${error.message}`;
    return { type: 'conflict', message, fault: error.fault, error };
  }
}

function readLive(target: PatchTarget): Promise<KubeObject | undefined> {
  return target.cluster.get(target.resource, target.key, target.signal);
}

function nameOf(target: PatchTarget): string {
  return `${target.resource.kind} ${target.key.namespace}/${target.key.name}`;
}

function notFound(target: PatchTarget): Refusal {
  return {
    type: 'refused',
    reason: routeReasons.routeNotFound,
    message: `${nameOf(target)} is not there`,
  };
}
