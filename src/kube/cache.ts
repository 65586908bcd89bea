/**
 * The objects of one resource, as the watch and our own writes have shown them. It only ever moves
 * forward: an older resourceVersion, or an object that is known to be deleted, changes nothing.
 */
import type { KubeObject, ObjectKey } from '#ports/cluster.ts';
import { isNewer, isStale } from './resource-version.ts';

export type ChangeType = 'added' | 'modified' | 'deleted';

export interface Change {
  readonly type: ChangeType;
  readonly old: KubeObject | undefined;
  readonly new: KubeObject | undefined;
}

export interface ObjectCacheOptions {
  /** Called for every change, in order. What it throws is the caller's: see watches.ts. */
  readonly onChange: (change: Change) => void;
}

/**
 * Uids of deleted objects, kept so that a late event or answer cannot bring them back. A uid is
 * never used again, so only memory limits how long they are kept.
 */
const TOMBSTONES_MAX = 10_000;

export class ObjectCache {
  readonly #onChange: (change: Change) => void;
  readonly #namespaces = new Map<string, Map<string, KubeObject>>();
  readonly #deadUids = new Set<string>();
  #size = 0;

  constructor(options: ObjectCacheOptions) {
    this.#onChange = options.onChange;
  }

  get size(): number {
    return this.#size;
  }

  get(key: ObjectKey): KubeObject | undefined {
    return this.#namespaces.get(key.namespace)?.get(key.name);
  }

  all(namespace?: string): readonly KubeObject[] {
    if (namespace !== undefined) return [...(this.#namespaces.get(namespace)?.values() ?? [])];
    const objects: KubeObject[] = [];
    for (const inNamespace of this.#namespaces.values()) objects.push(...inNamespace.values());
    return objects;
  }

  /** Takes an object that the API server has shown, unless a newer state of it is known. */
  put(object: KubeObject): void {
    const { uid, resourceVersion } = object.metadata;
    if (uid !== undefined && this.#deadUids.has(uid)) return;
    const old = this.#find(object);
    if (old !== undefined) {
      if (isStale(resourceVersion, old.metadata.resourceVersion)) return;
      if (old.metadata.uid !== uid) {
        this.#bury(old);
        this.#drop(old);
        this.#onChange({ type: 'deleted', old, new: undefined });
        this.#insert(object, undefined);
        return;
      }
    }
    this.#insert(object, old);
  }

  /** The object is gone for good: its last state, from a DELETED event. */
  delete(last: KubeObject): void {
    this.#bury(last);
    const old = this.#find(last);
    if (old === undefined) return;
    // A newer object of the same name has been made already, and stays.
    if (old.metadata.uid !== last.metadata.uid) return;
    this.#drop(old);
    this.#onChange({ type: 'deleted', old, new: undefined });
  }

  /**
   * Takes a whole list, read at `resourceVersion`, for one namespace or for all. What is cached but
   * not listed is deleted, unless it is newer than the list (we created it meanwhile).
   */
  replace(objects: readonly KubeObject[], resourceVersion: string, namespace?: string): void {
    const listed = new Set<string>();
    for (const object of objects) {
      const { namespace: own = '', name } = object.metadata;
      listed.add(`${own}/${name}`);
      this.put(object);
    }
    for (const old of this.all(namespace)) {
      const { namespace: own = '', name } = old.metadata;
      if (listed.has(`${own}/${name}`)) continue;
      if (isNewer(old.metadata.resourceVersion, resourceVersion)) continue;
      this.delete(old);
    }
  }

  /**
   * Forgets what is known of one namespace or all, without a word: the server's history has been
   * rewound (a restored etcd), so that resourceVersions mean nothing any more. The list that follows tells.
   */
  rewind(namespace?: string): void {
    this.#deadUids.clear();
    for (const old of this.all(namespace)) {
      const { resourceVersion: _, ...metadata } = old.metadata;
      this.#store(freeze({ ...old, metadata }));
    }
  }

  /** Lets go of one namespace or all, without a word: nobody watches them any more. */
  forget(namespace?: string): void {
    for (const old of this.all(namespace)) this.#drop(old);
  }

  #find(object: KubeObject): KubeObject | undefined {
    const { namespace = '', name } = object.metadata;
    return this.#namespaces.get(namespace)?.get(name);
  }

  #insert(object: KubeObject, old: KubeObject | undefined): void {
    if (old === undefined) this.#size += 1;
    this.#store(freeze(object));
    this.#onChange({ type: old === undefined ? 'added' : 'modified', old, new: object });
  }

  #store(object: KubeObject): void {
    const { namespace = '', name } = object.metadata;
    let inNamespace = this.#namespaces.get(namespace);
    if (inNamespace === undefined) {
      inNamespace = new Map();
      this.#namespaces.set(namespace, inNamespace);
    }
    inNamespace.set(name, object);
  }

  #drop(object: KubeObject): void {
    const { namespace = '', name } = object.metadata;
    const inNamespace = this.#namespaces.get(namespace);
    if (inNamespace?.delete(name) !== true) return;
    this.#size -= 1;
    if (inNamespace.size === 0) this.#namespaces.delete(namespace);
  }

  #bury(object: KubeObject): void {
    const { uid } = object.metadata;
    if (uid === undefined) return;
    this.#deadUids.add(uid);
    if (this.#deadUids.size <= TOMBSTONES_MAX) return;
    for (const oldest of this.#deadUids) {
      this.#deadUids.delete(oldest);
      return;
    }
  }
}

/** Two levels, where a slip is likely: freezing all of a rollout takes as long as parsing it (0.1 ms). */
function freeze(object: KubeObject): KubeObject {
  for (const part of Object.values(object)) Object.freeze(part);
  return Object.freeze(object);
}
