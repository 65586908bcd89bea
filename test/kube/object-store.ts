/** What a small API server remembers: objects, resourceVersions and the events that led to them. */
import type { KubeObject } from '#ports/cluster.ts';

export interface StoredEvent {
  readonly path: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
}

export class ObjectStore {
  readonly objects = new Map<string, KubeObject>();
  events: StoredEvent[] = [];
  version = 100;
  /** Events up to here have been compacted: watches from an earlier version get 410. */
  compactedAt = 0;
  readonly #listeners = new Set<(event: StoredEvent) => void>();

  /** Creates or changes the object that lives at `path`. */
  put(path: string, object: KubeObject): KubeObject {
    this.version += 1;
    const old = this.objects.get(path);
    const stored = {
      ...object,
      metadata: {
        uid: old?.metadata.uid ?? `uid-${this.version}`,
        ...object.metadata,
        resourceVersion: String(this.version),
      },
    };
    this.objects.set(path, stored);
    this.#tell({ path, type: old === undefined ? 'ADDED' : 'MODIFIED', object: stored });
    return stored;
  }

  delete(path: string): KubeObject | undefined {
    const old = this.objects.get(path);
    if (old === undefined) return undefined;
    this.version += 1;
    this.objects.delete(path);
    const last = { ...old, metadata: { ...old.metadata, resourceVersion: String(this.version) } };
    this.#tell({ path, type: 'DELETED', object: last });
    return last;
  }

  /** Forgets history, as etcd does after five minutes. */
  compact(): void {
    this.compactedAt = this.version;
    this.events = [];
  }

  listen(listener: (event: StoredEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(event: StoredEvent): void {
    this.events.push(event);
    for (const listener of this.#listeners) listener(event);
  }
}
