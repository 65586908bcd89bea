/**
 * Wraps any `Cluster`, real or fake: counts writes, and decides what the watch cache knows. The cache
 * holds what went through this wrapper, as the port promises, and other writers' work only after `catchUp`.
 */
import type {
  Cluster,
  JsonPatchOperation,
  KubeObject,
  ObjectKey,
  ObjectMeta,
  Resource,
  WriteOptions,
} from '#ports/cluster.ts';

type ApplyOptions = WriteOptions & { readonly fieldManager: string; readonly force?: boolean };

export class ObservedCluster implements Cluster {
  readonly #inner: Cluster;
  readonly #known = new Map<string, KubeObject>();
  /** Requests that can change something, those that failed too. */
  writeCount = 0;
  /** Runs before each write is sent, as another writer might. */
  beforeWrite: (() => Promise<void>) | undefined;

  constructor(inner: Cluster) {
    this.#inner = inner;
  }

  /** The watch brings everything up to now. */
  async catchUp(resource: Resource, key: ObjectKey, signal: AbortSignal): Promise<void> {
    await this.get(resource, key, signal);
  }

  cached(resource: Resource, key: ObjectKey): KubeObject | undefined {
    return this.#known.get(idOf(resource, key));
  }

  cachedAll(resource: Resource, namespace?: string): readonly KubeObject[] {
    const start = idOf(resource, { namespace: namespace ?? '', name: '' });
    return [...this.#known].flatMap(([id, object]) => (id.startsWith(start) ? [object] : []));
  }

  async get(
    resource: Resource,
    key: ObjectKey,
    signal: AbortSignal,
  ): Promise<KubeObject | undefined> {
    const object = await this.#inner.get(resource, key, signal);
    if (object === undefined) this.#known.delete(idOf(resource, key));
    else this.#known.set(idOf(resource, key), object);
    return object;
  }

  listMetadata(
    resource: Resource,
    where: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
    signal: AbortSignal,
  ): Promise<readonly ObjectMeta[]> {
    return this.#inner.listMetadata(resource, where, signal);
  }

  create(resource: Resource, object: KubeObject, options: WriteOptions): Promise<KubeObject> {
    return this.#write(resource, () => this.#inner.create(resource, object, options));
  }

  replace(resource: Resource, object: KubeObject, options: WriteOptions): Promise<KubeObject> {
    return this.#write(resource, () => this.#inner.replace(resource, object, options));
  }

  jsonPatch(
    resource: Resource,
    key: ObjectKey,
    operations: readonly JsonPatchOperation[],
    options: WriteOptions,
  ): Promise<KubeObject> {
    return this.#write(resource, () => this.#inner.jsonPatch(resource, key, operations, options));
  }

  mergePatch(
    resource: Resource,
    key: ObjectKey,
    patch: object,
    options: WriteOptions,
  ): Promise<KubeObject> {
    return this.#write(resource, () => this.#inner.mergePatch(resource, key, patch, options));
  }

  apply(resource: Resource, object: KubeObject, options: ApplyOptions): Promise<KubeObject> {
    return this.#write(resource, () => this.#inner.apply(resource, object, options));
  }

  async delete(resource: Resource, key: ObjectKey, options: WriteOptions): Promise<void> {
    this.writeCount += 1;
    await this.#inner.delete(resource, key, options);
    this.#known.delete(idOf(resource, key));
  }

  async #write(resource: Resource, send: () => Promise<KubeObject>): Promise<KubeObject> {
    this.writeCount += 1;
    await this.beforeWrite?.();
    const object = await send();
    const { namespace = '', name } = object.metadata;
    this.#known.set(idOf(resource, { namespace, name }), object);
    return object;
  }
}

function idOf(resource: Resource, key: ObjectKey): string {
  return `${resource.kind}/${key.namespace}/${key.name}`;
}
