/** RFC 6902 and RFC 7396 on plain JSON, as far as the API server needs them: add, replace, remove, test; merge. */
import { isDeepStrictEqual } from 'node:util';
import { ClusterError, type JsonPatchOperation } from '#ports/cluster.ts';

/**
 * Applies all operations or none, and leaves the document as it was: what is changed is copied, and only that. A failed
 * `test` and a missing path both come back as 422 from the API server.
 */
export function applyJsonPatch(
  document: unknown,
  operations: readonly JsonPatchOperation[],
): unknown {
  const root = { document };
  for (const operation of operations) applyOperation(root, operation);
  return root.document;
}

function applyOperation(root: object, operation: JsonPatchOperation): void {
  const keys = ['document', ...operation.path.split('/').slice(1).map(unescape)];
  const last = keys.pop() ?? '';
  const parent = keys.reduce((at: unknown, key) => child(at, key, operation), root);
  if (Array.isArray(parent)) applyToArray(parent, last, operation);
  else applyToObject(parent, last, operation);
}

function unescape(token: string): string {
  return token.replaceAll('~1', '/').replaceAll('~0', '~');
}

function child(at: unknown, key: string, operation: JsonPatchOperation): unknown {
  if (typeof at === 'object' && at !== null && Object.hasOwn(at, key)) {
    const copy = shallowCopy(Reflect.get(at, key));
    Reflect.set(at, key, copy);
    return copy;
  }
  throw failed(operation, 'path does not exist');
}

function shallowCopy(value: unknown): unknown {
  if (Array.isArray(value)) return [...value];
  return isObject(value) ? { ...value } : value;
}

function applyToArray(list: unknown[], key: string, operation: JsonPatchOperation): void {
  const index = key === '-' ? list.length : Number(key);
  const end = operation.op === 'add' ? list.length : list.length - 1;
  if (!Number.isInteger(index) || index < 0 || index > end)
    throw failed(operation, 'no such index');
  if (operation.op === 'add') list.splice(index, 0, operation.value);
  else if (operation.op === 'remove') list.splice(index, 1);
  else if (operation.op === 'replace') list[index] = operation.value;
  else expectEqual(list[index], operation);
}

function applyToObject(parent: unknown, key: string, operation: JsonPatchOperation): void {
  if (typeof parent !== 'object' || parent === null) throw failed(operation, 'parent is no object');
  // The API server's library takes a test for null as true of an absent member.
  const isNullTest = operation.op === 'test' && operation.value === null;
  if (isNullTest && !Object.hasOwn(parent, key)) return;
  if (operation.op !== 'add' && !Object.hasOwn(parent, key))
    throw failed(operation, 'path does not exist');
  if (operation.op === 'remove') Reflect.deleteProperty(parent, key);
  else if (operation.op === 'test') expectEqual(Reflect.get(parent, key), operation);
  else Reflect.set(parent, key, operation.value);
}

function expectEqual(value: unknown, operation: JsonPatchOperation): void {
  if (operation.op === 'test' && !isDeepStrictEqual(value, operation.value)) {
    throw failed(operation, `value is ${JSON.stringify(value)}`);
  }
}

function failed(operation: JsonPatchOperation, why: string): ClusterError {
  const message = `JSON patch ${operation.op} ${operation.path}: ${why}`;
  return new ClusterError('conflict', message, { status: 422 });
}

/** RFC 7396: null removes, objects merge, everything else replaces. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = applyMergePatch(merged[key], value);
  }
  return merged;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
