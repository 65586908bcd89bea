/** Field ownership of an object that is also Git's or a person's: who wrote a field last, and how we let go. */
import { fieldManager } from '#api/names.ts';
import type { JsonPatchOperation, KubeObject, ManagedFieldsEntry } from '#ports/cluster.ts';

/**
 * The manager whose entry owns the field and was touched last. The field is given as a path of
 * fieldsV1 keys, such as `f:spec`, `f:rules`. Undefined where the watch cache keeps no managedFields.
 */
export function lastWriter(object: KubeObject, path: readonly string[]): string | undefined {
  let last: ManagedFieldsEntry | undefined;
  for (const entry of object.metadata.managedFields ?? []) {
    if (!owns(entry.fieldsV1, path)) continue;
    if (last === undefined || (entry.time ?? '') >= (last.time ?? '')) last = entry;
  }
  return last?.manager;
}

/** True while an entry of ours is left. */
export function isOwned(object: KubeObject): boolean {
  return (object.metadata.managedFields ?? []).some((entry) => entry.manager === fieldManager);
}

function owns(fields: unknown, path: readonly string[]): boolean {
  let at = fields;
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return false;
    at = Reflect.get(at, key);
  }
  return true;
}

/**
 * Removes every entry of ours from managedFields, each guarded by a `test` on its manager; values stay.
 * Of a custom resource the API server takes an empty list for an oversight and keeps the old entries,
 * so where all are ours the list is reset with one empty entry instead.
 */
export function releaseOperations(object: KubeObject): JsonPatchOperation[] {
  const entries = object.metadata.managedFields ?? [];
  const ours = entries.flatMap((entry, index) => (entry.manager === fieldManager ? [index] : []));
  const path = '/metadata/managedFields';
  const tests = ours.map(
    (index): JsonPatchOperation => ({
      op: 'test',
      path: `${path}/${index}/manager`,
      value: fieldManager,
    }),
  );
  if (ours.length > 0 && ours.length === entries.length) {
    return [...tests, resourceVersionGuard(object), { op: 'replace', path, value: [{}] }];
  }
  const removals = ours.toReversed().map(
    (index): JsonPatchOperation => ({
      op: 'remove',
      path: `${path}/${index}`,
    }),
  );
  return [...tests, ...removals];
}

/** Fails with 409 unless the object is still the one that the operations were computed from. */
export function resourceVersionGuard(object: KubeObject): JsonPatchOperation {
  const value = object.metadata.resourceVersion;
  return { op: 'replace', path: '/metadata/resourceVersion', value };
}
