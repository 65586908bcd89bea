/**
 * Field ownership as the API server keeps it, at the granularity of maps: every list is atomic, as
 * `rules` and `backendRefs` of a route are. Leaves are paths of fieldsV1 keys joined by a newline.
 */
import { isDeepStrictEqual } from 'node:util';
import type { KubeObject, ManagedFieldsEntry } from '#ports/cluster.ts';
import { isObject } from './json-patch.ts';

type Leaves = Map<string, unknown>;

export interface Writer {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly subresource: 'status' | undefined;
  readonly time: string;
}

/** Of metadata only these are owned; the rest belongs to the server. */
const OWNED_METADATA = ['labels', 'annotations', 'finalizers', 'ownerReferences'];

/** Entries after an update: what the writer changed is the writer's alone. */
export function afterUpdate(
  before: KubeObject | undefined,
  after: KubeObject,
  writer: Writer,
): readonly ManagedFieldsEntry[] {
  const changed = changedLeaves(leavesOf(before), leavesOf(after));
  const entries = startingEntries(before, after);
  return mergeEntries(entries, writer, (owned) => new Set([...owned, ...changed]), {
    taken: changed,
    existing: new Set(leavesOf(after).keys()),
  });
}

/** The applied object's leaves become the writer's; `conflicts` are other managers' leaves that would change. */
export function applyConflicts(
  before: KubeObject | undefined,
  applied: KubeObject,
  writer: Writer,
): string[] {
  const live = leavesOf(before);
  const wanted = leavesOf(applied);
  return (before?.metadata.managedFields ?? [])
    .filter((entry) => !isWriter(entry, writer))
    .flatMap((entry) =>
      [...decode(entry)]
        .filter((leaf) => wanted.has(leaf) && !isDeepStrictEqual(wanted.get(leaf), live.get(leaf)))
        .map((leaf) => `conflict with "${entry.manager}": ${leaf.replaceAll('\n', '.')}`),
    );
}

export function afterApply(
  before: KubeObject | undefined,
  after: KubeObject,
  applied: KubeObject,
  writer: Writer,
): readonly ManagedFieldsEntry[] {
  const live = leavesOf(before);
  const wanted = leavesOf(applied);
  const taken = new Set(
    [...wanted.keys()].filter((leaf) => !isDeepStrictEqual(wanted.get(leaf), live.get(leaf))),
  );
  return mergeEntries(before?.metadata.managedFields ?? [], writer, () => new Set(wanted.keys()), {
    taken,
    existing: new Set(leavesOf(after).keys()),
  });
}

/** Leaves that this writer applied before, applies no more, and that nobody else owns: they are deleted. */
export function abandonedLeaves(
  before: KubeObject | undefined,
  applied: KubeObject,
  writer: Writer,
): string[][] {
  const entries = before?.metadata.managedFields ?? [];
  const mine = entries
    .filter((entry) => isWriter(entry, writer))
    .flatMap((entry) => [...decode(entry)]);
  const others = new Set(
    entries.filter((entry) => !isWriter(entry, writer)).flatMap((entry) => [...decode(entry)]),
  );
  const wanted = leavesOf(applied);
  return mine
    .filter((leaf) => !wanted.has(leaf) && !others.has(leaf))
    .map((leaf) => leaf.split('\n').map((key) => key.slice('f:'.length)));
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
  own: (owned: ReadonlySet<string>) => ReadonlySet<string>,
  { taken, existing }: { taken: ReadonlySet<string>; existing: ReadonlySet<string> },
): readonly ManagedFieldsEntry[] {
  const old = entries.find((entry) => isWriter(entry, writer));
  const oldOwned = old === undefined ? new Set<string>() : decode(old);
  const owned = new Set([...own(oldOwned)].filter((leaf) => existing.has(leaf)));
  const touched = !isDeepStrictEqual(owned, oldOwned) || taken.size > 0;
  const mine: ManagedFieldsEntry = {
    manager: writer.manager,
    operation: writer.operation,
    ...(writer.subresource === undefined ? {} : { subresource: writer.subresource }),
    time: touched || old?.time === undefined ? writer.time : old.time,
    fieldsV1: encode(owned),
  };
  const others = entries.flatMap((entry) => {
    if (isWriter(entry, writer)) return owned.size > 0 ? [mine] : [];
    const left = new Set(
      [...decode(entry)].filter((leaf) => existing.has(leaf) && !taken.has(leaf)),
    );
    return left.size > 0 ? [{ ...entry, fieldsV1: encode(left) }] : [];
  });
  return old === undefined && owned.size > 0 ? [...others, mine] : others;
}

function isWriter(entry: ManagedFieldsEntry, writer: Writer): boolean {
  return (
    entry.manager === writer.manager &&
    entry.operation === writer.operation &&
    entry.subresource === writer.subresource
  );
}

function changedLeaves(before: Leaves, after: Leaves): Set<string> {
  const all = new Set([...before.keys(), ...after.keys()]);
  return new Set([...all].filter((leaf) => !isDeepStrictEqual(before.get(leaf), after.get(leaf))));
}

function leavesOf(object: KubeObject | undefined): Leaves {
  const leaves: Leaves = new Map();
  if (object === undefined) return leaves;
  const { apiVersion: _version, kind: _kind, metadata, ...fields } = object;
  collect(fields, [], leaves);
  const owned = Object.fromEntries(
    Object.entries(metadata).filter(([key]) => OWNED_METADATA.includes(key)),
  );
  if (Object.keys(owned).length > 0) collect(owned, ['f:metadata'], leaves);
  return leaves;
}

function collect(value: unknown, path: readonly string[], leaves: Leaves): void {
  if (!isObject(value) || (Object.keys(value).length === 0 && path.length > 0)) {
    leaves.set(path.join('\n'), value);
    return;
  }
  for (const [key, inner] of Object.entries(value)) collect(inner, [...path, `f:${key}`], leaves);
}

function encode(leaves: ReadonlySet<string>): object {
  const root: Record<string, unknown> = {};
  for (const leaf of leaves) {
    let at = root;
    for (const key of leaf.split('\n')) {
      const next = at[key];
      const inner: Record<string, unknown> = isObject(next) ? next : {};
      at[key] = inner;
      at = inner;
    }
  }
  return root;
}

function decode(entry: ManagedFieldsEntry): Set<string> {
  const leaves: Leaves = new Map();
  const visit = (value: unknown, path: readonly string[]): void => {
    if (!isObject(value)) return;
    const keys = Object.keys(value);
    if (keys.length === 0 && path.length > 0) leaves.set(path.join('\n'), true);
    for (const key of keys) visit(value[key], [...path, key]);
  };
  visit(entry.fieldsV1, []);
  return new Set(leaves.keys());
}
