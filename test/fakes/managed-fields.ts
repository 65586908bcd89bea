/**
 * Field ownership as the API server keeps it, at the granularity of maps: every list is atomic, as
 * `rules` and `backendRefs` of a route are. Ownership is a tree as fieldsV1 is; a leaf is an empty node. Whatever a
 * write leaves alone stays the very object it was, so that a small write into a large object costs little.
 */
import { isDeepStrictEqual } from 'node:util';
import type { KubeObject, ManagedFieldsEntry } from '#ports/cluster.ts';
import { isObject } from './json-patch.ts';

interface Fields {
  readonly [key: string]: Fields;
}

export interface Writer {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly subresource: 'status' | undefined;
  readonly time: string;
}

/** Of metadata only these are owned; the rest belongs to the server. */
const OWNED_METADATA = ['labels', 'annotations', 'finalizers', 'ownerReferences'];
const LEAF: Fields = {};

/** Entries after an update: what the writer changed is the writer's alone. */
export function afterUpdate(
  before: KubeObject | undefined,
  after: KubeObject,
  writer: Writer,
): readonly ManagedFieldsEntry[] {
  const [was, is] = [ownable(before), ownable(after)];
  const changed = changedLeaves(was, is);
  const entries = startingEntries(before, after);
  const areAllThere = entries === before?.metadata.managedFields && keepsAll(was, is);
  return mergeEntries(entries, writer, (owned) => union(owned, changed), {
    taken: changed,
    existing: areAllThere ? undefined : is,
  });
}

/** The applied object's leaves become the writer's; `conflicts` are other managers' leaves that would change. */
export function applyConflicts(
  before: KubeObject | undefined,
  applied: KubeObject,
  writer: Writer,
): string[] {
  const wanted = ownable(applied);
  const changed = changedLeaves(ownable(before), wanted);
  return (before?.metadata.managedFields ?? [])
    .filter((entry) => !isWriter(entry, writer))
    .flatMap((entry) =>
      pathsOf(existingLeaves(fieldsOf(entry), wanted))
        .filter((path) => hasLeaf(changed, path))
        .map((path) => `conflict with "${entry.manager}": ${path.join('.')}`),
    );
}

export function afterApply(
  before: KubeObject | undefined,
  after: KubeObject,
  applied: KubeObject,
  writer: Writer,
): readonly ManagedFieldsEntry[] {
  const wanted = ownable(applied);
  const owned = changedLeaves({}, wanted);
  const taken = existingLeaves(changedLeaves(ownable(before), wanted), wanted);
  return mergeEntries(before?.metadata.managedFields ?? [], writer, () => owned, {
    taken,
    existing: ownable(after),
  });
}

/** Leaves that this writer applied before, applies no more, and that nobody else owns: they are deleted. */
export function abandonedLeaves(
  before: KubeObject | undefined,
  applied: KubeObject,
  writer: Writer,
): string[][] {
  const entries = before?.metadata.managedFields ?? [];
  const isMine = (entry: ManagedFieldsEntry) => isWriter(entry, writer);
  const others = entries.filter((entry) => !isMine(entry)).map(fieldsOf);
  const wanted = changedLeaves({}, ownable(applied));
  return entries
    .filter(isMine)
    .flatMap((entry) => pathsOf(fieldsOf(entry)))
    .filter((path) => ![wanted, ...others].some((fields) => hasLeaf(fields, path)))
    .map((path) => path.map((key) => key.slice('f:'.length)));
}

/**
 * A write may carry managedFields of its own. As in the API server none at all means the old ones, one
 * empty entry means that nobody owns anything, and an empty list means the former for a custom resource
 * and the latter for a built-in one.
 */
function startingEntries(
  before: KubeObject | undefined,
  after: KubeObject,
): readonly ManagedFieldsEntry[] {
  const old = before?.metadata.managedFields ?? [];
  const given = after.metadata.managedFields ?? old;
  if (given === old) return old;
  if (given.length === 0 && isCustom(after)) return old;
  return given.filter((entry) => entry.manager !== undefined);
}

/** Of the groups in k8s.io the Gateway API's alone is one of custom resources. */
function isCustom({ apiVersion }: KubeObject): boolean {
  if (apiVersion.startsWith('gateway.networking.k8s.io/')) return true;
  return apiVersion.includes('.') && !apiVersion.includes('.k8s.io/');
}

function mergeEntries(
  entries: readonly ManagedFieldsEntry[],
  writer: Writer,
  own: (owned: Fields) => Fields,
  { taken, existing }: { readonly taken: Fields; readonly existing: object | undefined },
): readonly ManagedFieldsEntry[] {
  const old = entries.find((entry) => isWriter(entry, writer));
  const oldOwned = old === undefined ? LEAF : fieldsOf(old);
  const owned = existingLeaves(own(oldOwned), existing);
  const touched = !isEmpty(taken) || !isDeepStrictEqual(owned, oldOwned);
  const mine: ManagedFieldsEntry = {
    manager: writer.manager,
    operation: writer.operation,
    ...(writer.subresource === undefined ? {} : { subresource: writer.subresource }),
    time: touched || old?.time === undefined ? writer.time : old.time,
    fieldsV1: owned,
  };
  const others = entries.flatMap((entry) => {
    if (isWriter(entry, writer)) return isEmpty(owned) ? [] : [mine];
    const fields = fieldsOf(entry);
    const left = without(existingLeaves(fields, existing), taken);
    if (isEmpty(left)) return [];
    return [left === fields ? entry : { ...entry, fieldsV1: left }];
  });
  return old === undefined && !isEmpty(owned) ? [...others, mine] : others;
}

function isWriter(entry: ManagedFieldsEntry, writer: Writer): boolean {
  return (
    entry.manager === writer.manager &&
    entry.operation === writer.operation &&
    entry.subresource === writer.subresource
  );
}

/** What of an object can be owned at all. */
function ownable(object: KubeObject | undefined): object {
  if (object === undefined) return LEAF;
  const { apiVersion: _version, kind: _kind, metadata, ...fields } = object;
  const owned = Object.entries(metadata).filter(([key]) => OWNED_METADATA.includes(key));
  return owned.length === 0 ? fields : { ...fields, metadata: Object.fromEntries(owned) };
}

/** The leaves that are new, gone, or differ. */
function changedLeaves(before: object, after: object): Fields {
  const changed: Record<string, Fields> = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [member(before, key), member(after, key)];
    if (was === is) continue;
    const areMaps = isMap(was) && isMap(is);
    const inner = areMaps ? changedLeaves(was, is) : leavesOf(is ?? was);
    if (areMaps ? !isEmpty(inner) : !isDeepStrictEqual(was, is)) changed[`f:${key}`] = inner;
  }
  return changed;
}

function leavesOf(value: unknown): Fields {
  return isMap(value) ? changedLeaves(LEAF, value) : LEAF;
}

/** True when every leaf is one in the other as well, whatever its value is. */
function keepsAll(before: object, after: object): boolean {
  return Object.keys(before).every((key) => {
    const [was, is] = [member(before, key), member(after, key)];
    if (was === is) return true;
    if (isMap(was)) return isMap(is) && keepsAll(was, is);
    return is !== undefined && !isMap(is);
  });
}

/**
 * Those of the fields that are leaves of the object, which may have become something else or be gone.
 *
 * @param object undefined: all of them are
 */
function existingLeaves(fields: Fields, object: object | undefined): Fields {
  if (object === undefined) return fields;
  return kept(fields, (key, inner) => {
    const value = member(object, key.slice('f:'.length));
    if (isEmpty(inner)) return value !== undefined && !isMap(value) ? inner : undefined;
    return isMap(value) ? existingLeaves(inner, value) : undefined;
  });
}

function without(fields: Fields, taken: Fields): Fields {
  if (isEmpty(taken)) return fields;
  return kept(fields, (key, inner) => {
    const gone = taken[key];
    if (gone === undefined) return inner;
    // A leaf is not what lies below it.
    if (isEmpty(inner)) return isEmpty(gone) ? undefined : inner;
    return without(inner, gone);
  });
}

/** The very same fields where every one is kept as it is. A node that has lost all of its leaves is gone. */
function kept(fields: Fields, choose: (key: string, inner: Fields) => Fields | undefined): Fields {
  const left: Record<string, Fields> = {};
  let isSame = true;
  for (const [key, inner] of Object.entries(fields)) {
    const chosen = choose(key, inner);
    if (chosen !== inner) isSame = false;
    const isLost = chosen === undefined || (isEmpty(chosen) && !isEmpty(inner));
    if (!isLost) left[key] = chosen;
  }
  return isSame ? fields : left;
}

function union(one: Fields, other: Fields): Fields {
  if (isEmpty(one)) return other;
  if (isEmpty(other)) return one;
  const all: Record<string, Fields> = { ...one };
  for (const [key, inner] of Object.entries(other)) {
    const known = all[key];
    all[key] = known === undefined ? inner : union(known, inner);
  }
  return all;
}

function fieldsOf({ fieldsV1 = LEAF }: ManagedFieldsEntry): Fields {
  return fieldsV1 as Fields;
}

function pathsOf(fields: Fields): string[][] {
  return Object.entries(fields).flatMap(([key, inner]) =>
    isEmpty(inner) ? [[key]] : pathsOf(inner).map((path) => [key, ...path]),
  );
}

function hasLeaf(fields: Fields, path: readonly string[]): boolean {
  let at: Fields | undefined = fields;
  for (const key of path) at = at?.[key];
  return at !== undefined && isEmpty(at);
}

/** An empty map is a value like another. */
function isMap(value: unknown): value is Record<string, unknown> {
  return isObject(value) && !isEmpty(value);
}

function member(object: object, key: string): unknown {
  return Reflect.get(object, key);
}

function isEmpty(object: object): boolean {
  for (const _key in object) return false;
  return true;
}
