/**
 * A `Cluster` over the in-memory API server: one client with its own watch cache, a log of its requests,
 * and hooks to lose requests or answers and to let others write in between. Two of them on one server
 * are two processes.
 */
import {
  type Cluster,
  ClusterError,
  type JsonPatchOperation,
  type KubeObject,
  type ObjectKey,
  type ObjectMeta,
  type Resource,
  type WriteOptions,
} from '#ports/cluster.ts';
import { FakeApiServer, keyOf, type WatchEvent } from './api-server.ts';

export { FakeApiServer, type WatchEvent } from './api-server.ts';

export type FakeVerb =
  | 'get'
  | 'list'
  | 'create'
  | 'replace'
  | 'jsonPatch'
  | 'mergePatch'
  | 'apply'
  | 'delete';

export interface FakeRequest {
  readonly verb: FakeVerb;
  readonly resource: Resource;
  readonly key: ObjectKey;
  readonly subresource: 'status' | undefined;
  readonly fieldManager: string | undefined;
  readonly body: unknown;
}

export interface FakeClusterOptions {
  readonly server?: FakeApiServer;
  /** False once leadership is lost: writes are then refused as `fenced`. Default: always true. */
  readonly isLeading?: () => boolean;
}

export class FakeCluster implements Cluster {
  readonly server: FakeApiServer;
  /** Every request that was made, lost ones too. */
  readonly requests: FakeRequest[] = [];
  /** Runs before a request reaches the server. Throw a ClusterError to lose it; write as another to race it. */
  before: ((request: FakeRequest) => void | Promise<void>) | undefined;
  /** Runs after the server has done it. Throw a ClusterError to lose the answer. */
  after: ((request: FakeRequest) => void | Promise<void>) | undefined;
  readonly #isLeading: () => boolean;
  readonly #cache = new Map<string, KubeObject>();
  /** Versions up to which an object is known to be gone. */
  readonly #gone = new Map<string, number>();
  readonly #listeners = new Set<(event: WatchEvent) => void>();
  readonly #held: WatchEvent[] = [];
  readonly #unwatch: () => void;
  #paused = false;

  constructor(options: FakeClusterOptions = {}) {
    this.server = options.server ?? new FakeApiServer();
    this.#isLeading = options.isLeading ?? (() => true);
    for (const [key, object] of this.server.all()) this.#cache.set(key, object);
    this.#unwatch = this.server.watch((event) => this.#receive(event));
  }

  /** Its process is gone: nobody watches any more. */
  close(): void {
    this.#unwatch();
  }

  /** Called for every watch event once the cache has it. Returns how to stop. */
  onEvent(listener: (event: WatchEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** From now on the cache learns only of what this client reads and writes itself. */
  pauseWatch(): void {
    this.#paused = true;
  }

  resumeWatch(): void {
    this.#paused = false;
    for (const event of this.#held.splice(0)) this.#deliver(event);
  }

  /** The requests that can change something. */
  get writes(): readonly FakeRequest[] {
    return this.requests.filter(({ verb }) => verb !== 'get' && verb !== 'list');
  }

  cached(resource: Resource, key: ObjectKey): KubeObject | undefined {
    return this.#cache.get(keyOf(resource, key));
  }

  cachedAll(resource: Resource, namespace?: string): readonly KubeObject[] {
    const prefix = namespace === undefined ? '' : `${namespace}/`;
    const start = `${resource.group}/${resource.kind}|${prefix}`;
    return [...this.#cache].flatMap(([key, object]) => (key.startsWith(start) ? [object] : []));
  }

  async get(
    resource: Resource,
    key: ObjectKey,
    signal: AbortSignal,
  ): Promise<KubeObject | undefined> {
    const request = requestOf('get', resource, key, { options: { signal } });
    return await this.#exchange(request, signal, () => {
      const object = this.server.get(resource, key);
      this.#learnState(resource, key);
      return object;
    });
  }

  async listMetadata(
    resource: Resource,
    where: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
    signal: AbortSignal,
  ): Promise<readonly ObjectMeta[]> {
    const key = { namespace: where.namespace, name: '' };
    const request = requestOf('list', resource, key, { options: { signal } });
    return await this.#exchange(request, signal, () =>
      this.server
        .list(resource)
        .map(({ metadata }) => metadata)
        .filter(
          ({ namespace, labels }) =>
            namespace === where.namespace &&
            Object.entries(where.labels).every(([label, value]) => labels?.[label] === value),
        ),
    );
  }

  create(resource: Resource, object: KubeObject, options: WriteOptions): Promise<KubeObject> {
    const request = requestOf('create', resource, keyFrom(object), { options, body: object });
    return this.#write(request, options, () => this.server.create(resource, object, options));
  }

  replace(resource: Resource, object: KubeObject, options: WriteOptions): Promise<KubeObject> {
    const request = requestOf('replace', resource, keyFrom(object), { options, body: object });
    return this.#write(request, options, () => this.server.replace(resource, object, options));
  }

  jsonPatch(
    resource: Resource,
    key: ObjectKey,
    operations: readonly JsonPatchOperation[],
    options: WriteOptions,
  ): Promise<KubeObject> {
    const request = requestOf('jsonPatch', resource, key, { options, body: operations });
    return this.#write(request, options, () =>
      this.server.jsonPatch(resource, key, operations, options),
    );
  }

  mergePatch(
    resource: Resource,
    key: ObjectKey,
    patch: object,
    options: WriteOptions,
  ): Promise<KubeObject> {
    const request = requestOf('mergePatch', resource, key, { options, body: patch });
    return this.#write(request, options, () =>
      this.server.mergePatch(resource, key, patch, options),
    );
  }

  apply(
    resource: Resource,
    object: KubeObject,
    options: WriteOptions & { readonly fieldManager: string; readonly force?: boolean },
  ): Promise<KubeObject> {
    const request = requestOf('apply', resource, keyFrom(object), { options, body: object });
    return this.#write(request, options, () => this.server.apply(resource, object, options));
  }

  async delete(resource: Resource, key: ObjectKey, options: WriteOptions): Promise<void> {
    const request = requestOf('delete', resource, key, { options });
    this.#expectLeading(options);
    await this.#exchange(request, options.signal, () => {
      this.server.delete(resource, key);
      this.#learnState(resource, key);
    });
  }

  async #write(
    request: FakeRequest,
    options: WriteOptions,
    work: () => KubeObject,
  ): Promise<KubeObject> {
    this.#expectLeading(options);
    return await this.#exchange(request, options.signal, () => {
      const object = work();
      if (options.dryRun !== true) this.#learn(request.resource, object);
      return object;
    });
  }

  #expectLeading(options: WriteOptions): void {
    if (options.fenced === false || this.#isLeading()) return;
    throw new ClusterError('fenced', 'this process no longer holds the lease');
  }

  async #exchange<T>(request: FakeRequest, signal: AbortSignal, work: () => T): Promise<T> {
    this.requests.push(request);
    await this.before?.(request);
    if (signal.aborted)
      throw new ClusterError('timeout', `${request.verb}: the deadline has passed`);
    const answer = work();
    await this.after?.(request);
    return answer;
  }

  /** What the server has just shown of an object, its absence too. */
  #learnState(resource: Resource, key: ObjectKey): void {
    const object = this.server.get(resource, key);
    if (object === undefined) this.#forget(keyOf(resource, key), this.server.version);
    else this.#learn(resource, object);
  }

  #forget(key: string, version: number): void {
    const known = this.#cache.get(key);
    if (known !== undefined && versionOf(known) > version) return;
    this.#cache.delete(key);
    this.#gone.set(key, version);
  }

  /** A reader sees its own writes, and never goes back behind them. */
  #learn(resource: Resource, object: KubeObject): void {
    const key = keyOf(resource, keyFrom(object));
    const known = this.#cache.get(key);
    const version = known === undefined ? (this.#gone.get(key) ?? 0) : versionOf(known);
    if (version < versionOf(object)) this.#cache.set(key, object);
  }

  #receive(event: WatchEvent): void {
    if (this.#paused) this.#held.push(event);
    else this.#deliver(event);
  }

  #deliver(event: WatchEvent): void {
    const { type, resource, object } = event;
    if (type === 'deleted') this.#forget(keyOf(resource, keyFrom(object)), versionOf(object));
    else this.#learn(resource, object);
    for (const listener of this.#listeners) listener(event);
  }
}

function requestOf(
  verb: FakeVerb,
  resource: Resource,
  key: ObjectKey,
  { options, body }: { options: WriteOptions; body?: unknown },
): FakeRequest {
  const { subresource, fieldManager } = options;
  return { verb, resource, key, subresource, fieldManager, body };
}

function keyFrom(object: KubeObject): ObjectKey {
  return { namespace: object.metadata.namespace ?? '', name: object.metadata.name };
}

function versionOf(object: KubeObject): number {
  return Number(object.metadata.resourceVersion ?? 0);
}
