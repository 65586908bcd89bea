/**
 * The API server's rules for one object at a time, in memory and synchronous: resourceVersions,
 * generations, optimistic locking, the status subresource, finalizers, patches, server-side apply and
 * managedFields. Clients of it (fakes/cluster.ts) add the network, the watch cache and faults.
 */
import { isDeepStrictEqual } from 'node:util';
import {
  ClusterError,
  type JsonPatchOperation,
  type KubeObject,
  type ManagedFieldsEntry,
  type ObjectKey,
  type Resource,
} from '#ports/cluster.ts';
import { applyJsonPatch, applyMergePatch, isObject } from './json-patch.ts';
import {
  abandonedLeaves,
  afterApply,
  afterUpdate,
  applyConflicts,
  type Writer,
} from './managed-fields.ts';

export interface WatchEvent {
  readonly type: 'added' | 'modified' | 'deleted';
  readonly resource: Resource;
  readonly object: KubeObject;
}

export interface FakeApiServerOptions {
  /** Milliseconds since the epoch. Default: one second more at every write. */
  readonly now?: () => number;
  /** Defaults and validation of a schema; throws ClusterError to refuse. Default: none. */
  readonly admit?: (object: KubeObject) => KubeObject;
}

export interface FakeWrite {
  readonly fieldManager?: string;
  readonly subresource?: 'status';
  readonly dryRun?: boolean;
  readonly force?: boolean;
}

/** The kinds that have neither a generation nor a status subresource. */
const PLAIN_KINDS = new Set([
  'ConfigMap',
  'Secret',
  'Lease',
  'Event',
  'ControllerRevision',
  'EndpointSlice',
]);
const EPOCH_MS = Date.UTC(2026, 10, 22);

export class FakeApiServer {
  readonly #objects = new Map<string, KubeObject>();
  readonly #watchers = new Set<(event: WatchEvent) => void>();
  readonly #now: () => number;
  readonly #admit: (object: KubeObject) => KubeObject;
  #resourceVersion = 0;
  #uid = 0;

  constructor(options: FakeApiServerOptions = {}) {
    this.#now = options.now ?? (() => EPOCH_MS + this.#resourceVersion * 1000);
    const { admit } = options;
    this.#admit = admit === undefined ? (object) => object : (object) => wire(admit(object));
  }

  /** The resourceVersion of the latest write. */
  get version(): number {
    return this.#resourceVersion;
  }

  /** Every committed write, in order, at once. Returns how to stop. */
  watch(onEvent: (event: WatchEvent) => void): () => void {
    this.#watchers.add(onEvent);
    return () => this.#watchers.delete(onEvent);
  }

  get(resource: Resource, key: ObjectKey): KubeObject | undefined {
    return this.#objects.get(keyOf(resource, key));
  }

  /** Everything there is of a resource: what a first list gives. */
  list(resource: Resource): readonly KubeObject[] {
    const start = `${resource.group}/${resource.kind}|`;
    const found: KubeObject[] = [];
    for (const [key, object] of this.#objects) if (key.startsWith(start)) found.push(object);
    return found;
  }

  /** Every object of every resource, with the key under which it stands. */
  all(): ReadonlyMap<string, KubeObject> {
    return this.#objects;
  }

  /** Puts an object there as the world has it: with its status, whatever stood before. */
  seed(resource: Resource, object: KubeObject, manager = 'seed'): KubeObject {
    const before = this.get(resource, keyFrom(object));
    return this.#commit(
      resource,
      before,
      wire(object),
      this.#writer({ fieldManager: manager }, 'Update'),
    );
  }

  create(resource: Resource, object: KubeObject, write: FakeWrite): KubeObject {
    const named = withName(wire(object), this.#uid);
    const key = keyFrom(named);
    if (this.get(resource, key) !== undefined) {
      throw new ClusterError('alreadyExists', `${nameOf(resource, key)} already exists`, {
        status: 409,
      });
    }
    return this.#write(resource, undefined, named, write);
  }

  replace(resource: Resource, object: KubeObject, write: FakeWrite): KubeObject {
    const before = this.#existing(resource, keyFrom(object));
    if (object.metadata.resourceVersion === undefined) {
      throw new ClusterError(
        'invalid',
        'metadata.resourceVersion: must be specified for an update',
        {
          status: 422,
        },
      );
    }
    return this.#write(resource, before, wire(object), write);
  }

  jsonPatch(
    resource: Resource,
    key: ObjectKey,
    operations: readonly JsonPatchOperation[],
    write: FakeWrite,
  ): KubeObject {
    const before = this.#existing(resource, key);
    return this.#write(resource, before, asObject(applyJsonPatch(before, wire(operations))), write);
  }

  mergePatch(resource: Resource, key: ObjectKey, patch: object, write: FakeWrite): KubeObject {
    const before = this.#existing(resource, key);
    return this.#write(resource, before, asObject(applyMergePatch(before, wire(patch))), write);
  }

  apply(
    resource: Resource,
    object: KubeObject,
    write: FakeWrite & { readonly fieldManager: string },
  ): KubeObject {
    const applied = wire(object);
    const before = this.get(resource, keyFrom(applied));
    const writer = this.#writer(write, 'Apply');
    const conflicts = applyConflicts(before, applied, writer);
    if (conflicts.length > 0 && write.force !== true) {
      throw new ClusterError('conflict', `Apply failed with ${conflicts.join('; ')}`, {
        status: 409,
      });
    }
    const base = wire(before ?? applied);
    for (const path of abandonedLeaves(before, applied, writer)) removeAt(base, path);
    const merged = asObject(applyMergePatch(base, applied));
    const next = before === undefined ? merged : statusRules(resource, before, merged, write);
    const owned = this.#admit(next);
    const entries = afterApply(before, owned, applied, writer);
    return this.#store(
      resource,
      before,
      { ...owned, metadata: { ...owned.metadata, managedFields: entries } },
      write,
    );
  }

  delete(resource: Resource, key: ObjectKey): void {
    const object = this.#existing(resource, key);
    if ((object.metadata.finalizers ?? []).length === 0) {
      this.#remove(resource, object);
      return;
    }
    if (object.metadata.deletionTimestamp !== undefined) return;
    const deletionTimestamp = new Date(this.#now()).toISOString();
    this.#store(
      resource,
      object,
      { ...object, metadata: { ...object.metadata, deletionTimestamp } },
      {},
    );
  }

  #existing(resource: Resource, key: ObjectKey): KubeObject {
    const object = this.get(resource, key);
    if (object !== undefined) return object;
    throw new ClusterError('notFound', `${nameOf(resource, key)} not found`, { status: 404 });
  }

  #writer(write: FakeWrite, operation: Writer['operation']): Writer {
    return {
      manager: write.fieldManager ?? 'fake-client',
      operation,
      subresource: write.subresource,
      time: new Date(this.#now()).toISOString().replace(/\.\d+Z$/, 'Z'),
    };
  }

  #write(
    resource: Resource,
    before: KubeObject | undefined,
    next: KubeObject,
    write: FakeWrite,
  ): KubeObject {
    const given = next.metadata.resourceVersion;
    if (before !== undefined && given !== undefined && given !== before.metadata.resourceVersion) {
      const message = `the object has been modified: ${nameOf(resource, keyFrom(before))} is at ${before.metadata.resourceVersion}, not ${given}`;
      throw new ClusterError('conflict', message, { status: 409 });
    }
    expectMutable(resource, before, next);
    const allowed = this.#admit(statusRules(resource, before, next, write));
    if (write.dryRun === true) return allowed;
    return this.#commit(resource, before, allowed, this.#writer(write, 'Update'));
  }

  #commit(
    resource: Resource,
    before: KubeObject | undefined,
    next: KubeObject,
    writer: Writer,
  ): KubeObject {
    const managedFields = afterUpdate(before, next, writer);
    return this.#store(
      resource,
      before,
      { ...next, metadata: { ...next.metadata, managedFields } },
      {},
    );
  }

  #store(
    resource: Resource,
    before: KubeObject | undefined,
    next: KubeObject & { metadata: { managedFields?: readonly ManagedFieldsEntry[] } },
    write: FakeWrite,
  ): KubeObject {
    // What comes from outside has made its journey as JSON, and what is stored is frozen: nothing can be shared by mistake.
    const settled = { ...next, metadata: this.#serverMetadata(resource, before, next) };
    if (before !== undefined && isDeepStrictEqual(settled, before)) return before;
    if (write.dryRun === true) return freeze(settled);
    this.#resourceVersion += 1;
    const resourceVersion = `${this.#resourceVersion}`;
    const object = freeze({ ...settled, metadata: { ...settled.metadata, resourceVersion } });
    if (
      object.metadata.deletionTimestamp !== undefined &&
      (object.metadata.finalizers ?? []).length === 0
    ) {
      this.#remove(resource, object);
      return object;
    }
    this.#objects.set(keyOf(resource, keyFrom(object)), object);
    this.#tell({ type: before === undefined ? 'added' : 'modified', resource, object });
    return object;
  }

  /** What clients cannot set. The resourceVersion is the old one until something is known to differ. */
  #serverMetadata(
    resource: Resource,
    before: KubeObject | undefined,
    next: KubeObject,
  ): KubeObject['metadata'] {
    const { resourceVersion: _given, generation: _old, ...metadata } = next.metadata;
    const generation = generationAfter(resource, before, next);
    if (before === undefined) this.#uid += 1;
    return {
      ...metadata,
      uid: before?.metadata.uid ?? next.metadata.uid ?? `uid-${this.#uid}`,
      creationTimestamp: before?.metadata.creationTimestamp ?? new Date(this.#now()).toISOString(),
      ...(generation === undefined ? {} : { generation }),
      ...(before?.metadata.resourceVersion === undefined
        ? {}
        : { resourceVersion: before.metadata.resourceVersion }),
    };
  }

  #remove(resource: Resource, object: KubeObject): void {
    this.#objects.delete(keyOf(resource, keyFrom(object)));
    this.#resourceVersion += 1;
    const metadata = { ...object.metadata, resourceVersion: `${this.#resourceVersion}` };
    this.#tell({ type: 'deleted', resource, object: freeze({ ...object, metadata }) });
  }

  #tell(event: WatchEvent): void {
    for (const watcher of this.#watchers) watcher(event);
  }
}

/** A write of the main resource cannot change the status, and one of the status nothing else. */
function statusRules(
  resource: Resource,
  before: KubeObject | undefined,
  next: KubeObject,
  write: FakeWrite,
): KubeObject {
  if (PLAIN_KINDS.has(resource.kind)) return next;
  const { status, ...rest } = next;
  if (write.subresource === 'status') {
    const { status: _old, ...kept } = before ?? next;
    return status === undefined ? kept : { ...kept, status };
  }
  const kept = before?.['status'];
  return kept === undefined ? rest : { ...rest, status: kept };
}

/** An immutable ConfigMap keeps its data, and stays immutable; its metadata may change. */
function expectMutable(resource: Resource, before: KubeObject | undefined, next: KubeObject): void {
  if (resource.kind !== 'ConfigMap' || before?.['immutable'] !== true) return;
  const kept = ['data', 'binaryData', 'immutable'] as const;
  if (kept.every((field) => isDeepStrictEqual(before[field], next[field]))) return;
  const message = `ConfigMap "${before.metadata.name}" is invalid: field is immutable when \`immutable\` is set`;
  throw new ClusterError('invalid', message, { status: 422 });
}

function generationAfter(
  resource: Resource,
  before: KubeObject | undefined,
  next: KubeObject,
): number | undefined {
  if (PLAIN_KINDS.has(resource.kind)) return undefined;
  if (before === undefined) return next.metadata.generation ?? 1;
  const generation = before.metadata.generation ?? 1;
  const specOf = ({ metadata: _metadata, status: _status, ...rest }: KubeObject) => rest;
  return isDeepStrictEqual(specOf(before), specOf(next)) ? generation : generation + 1;
}

export function keyOf(resource: Resource, key: ObjectKey): string {
  return `${resource.group}/${resource.kind}|${key.namespace}/${key.name}`;
}

function keyFrom(object: KubeObject): ObjectKey {
  return { namespace: object.metadata.namespace ?? '', name: object.metadata.name };
}

function nameOf(resource: Resource, key: ObjectKey): string {
  return `${resource.plural} "${key.namespace}/${key.name}"`;
}

function withName(object: KubeObject, count: number): KubeObject {
  const prefix = Reflect.get(object.metadata, 'generateName');
  if (object.metadata.name || typeof prefix !== 'string') return object;
  return { ...object, metadata: { ...object.metadata, name: `${prefix}${count + 1}` } };
}

function removeAt(object: object, path: readonly string[]): void {
  const parent = path
    .slice(0, -1)
    .reduce((at: unknown, key) => (isObject(at) ? at[key] : undefined), object);
  if (isObject(parent)) delete parent[path.at(-1) ?? ''];
}

/** What is left of a value after a journey as JSON: no `undefined`, nothing shared. By hand, because every write makes it. */
function wire<T>(value: T): T {
  return carried(value) as T;
}

function carried(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : null;
  if (typeof value === 'function') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => carried(item) ?? null);
  if ('toJSON' in value) return JSON.parse(JSON.stringify(value));
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const inner = carried(Reflect.get(value, key));
    if (inner !== undefined) copy[key] = inner;
  }
  return copy;
}

function asObject(value: unknown): KubeObject {
  if (!isKubeObject(value)) throw new ClusterError('invalid', 'not an object', { status: 422 });
  return value;
}

function isKubeObject(value: unknown): value is KubeObject {
  return isObject(value) && isObject(value['metadata']);
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    for (const inner of Object.values(value)) freeze(inner);
    Object.freeze(value);
  }
  return value;
}
