/** The port `Cluster` over HTTP: raw JSON, fenced writes, and a cache that always knows our own writes. */
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
import type { Leadership } from '#ports/leadership.ts';
import { type Exchange, JSON_PATCH, type JsonCall } from './exchange.ts';
import { listAll, METADATA_LIST } from './list.ts';
import {
  collectionPath,
  isKubeObject,
  isRecord,
  keyOf,
  objectPath,
  type Query,
  withQuery,
} from './resource.ts';
import type { Watches } from './watches.ts';

export interface RestOptions {
  readonly exchange: Exchange;
  readonly watches: Watches;
  readonly leadership: Leadership;
}

type Write = Pick<JsonCall, 'method' | 'path' | 'contentType' | 'body'> & {
  readonly query?: Query;
};

export class Rest implements Cluster {
  readonly #exchange: Exchange;
  readonly #watches: Watches;
  readonly #leadership: Leadership;

  constructor(options: RestOptions) {
    this.#exchange = options.exchange;
    this.#watches = options.watches;
    this.#leadership = options.leadership;
  }

  cached(resource: Resource, key: ObjectKey): KubeObject | undefined {
    return this.#watches.get(resource, key);
  }

  cachedAll(resource: Resource, namespace?: string): readonly KubeObject[] {
    return this.#watches.all(resource, namespace);
  }

  async get(
    resource: Resource,
    key: ObjectKey,
    signal: AbortSignal,
  ): Promise<KubeObject | undefined> {
    const path = objectPath(resource, key);
    const call: JsonCall = { method: 'GET', path, signals: [signal] };
    const answer = await this.#orGone(resource, key, this.#exchange.json(call)).catch(orNotFound);
    return answer === undefined ? undefined : this.#taken(resource, path, answer);
  }

  async listMetadata(
    resource: Resource,
    where: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
    signal: AbortSignal,
  ): Promise<readonly ObjectMeta[]> {
    const labelSelector = Object.entries(where.labels)
      .map(([label, value]) => `${label}=${value}`)
      .join(',');
    const { objects } = await listAll({
      exchange: this.#exchange,
      resource,
      namespace: where.namespace,
      query: { labelSelector },
      transform: (object) => object,
      accept: METADATA_LIST,
      signal,
    });
    return objects.map(({ metadata }) => metadata);
  }

  create(resource: Resource, object: KubeObject, options: WriteOptions): Promise<KubeObject> {
    const path = collectionPath(resource, object.metadata.namespace);
    return this.#write(resource, { method: 'POST', path, body: object }, options);
  }

  async replace(
    resource: Resource,
    object: KubeObject,
    options: WriteOptions,
  ): Promise<KubeObject> {
    const path = objectPath(resource, keyOf(object), options.subresource);
    if (object.metadata.resourceVersion === undefined) {
      const words = 'needs metadata.resourceVersion, or it would overwrite what others wrote';
      throw new ClusterError('invalid', `PUT ${path} ${words}`);
    }
    return await this.#write(resource, { method: 'PUT', path, body: object }, options);
  }

  jsonPatch(
    resource: Resource,
    key: ObjectKey,
    operations: readonly JsonPatchOperation[],
    options: WriteOptions,
  ): Promise<KubeObject> {
    return this.#patch(resource, key, { contentType: JSON_PATCH, body: operations }, options);
  }

  mergePatch(
    resource: Resource,
    key: ObjectKey,
    patch: object,
    options: WriteOptions,
  ): Promise<KubeObject> {
    const contentType = 'application/merge-patch+json';
    return this.#patch(resource, key, { contentType, body: patch }, options);
  }

  apply(
    resource: Resource,
    object: KubeObject,
    options: WriteOptions & { readonly fieldManager: string; readonly force?: boolean },
  ): Promise<KubeObject> {
    // JSON is YAML.
    const contentType = 'application/apply-patch+yaml';
    const query = { force: options.force === true ? 'true' : 'false' };
    return this.#patch(resource, keyOf(object), { contentType, body: object, query }, options);
  }

  async delete(resource: Resource, key: ObjectKey, options: WriteOptions): Promise<void> {
    const path = objectPath(resource, key);
    const known = this.cached(resource, key);
    const sent = this.#send(resource, { method: 'DELETE', path }, options);
    const answer = await this.#orGone(resource, key, sent);
    if (options.dryRun === true) return;
    // An object that its finalizers keep for a while comes back whole; else only a Status with its uid.
    if (isKubeObject(answer) && answer.kind !== 'Status') this.#watches.put(resource, answer);
    else if (known !== undefined && uidOfStatus(answer) === known.metadata.uid) {
      this.#watches.remove(resource, known);
    }
  }

  #patch(
    resource: Resource,
    key: ObjectKey,
    patch: Omit<Write, 'method' | 'path'>,
    options: WriteOptions,
  ): Promise<KubeObject> {
    const path = objectPath(resource, key, options.subresource);
    return this.#write(resource, { ...patch, method: 'PATCH', path }, options);
  }

  async #write(resource: Resource, write: Write, options: WriteOptions): Promise<KubeObject> {
    const answer = await this.#send(resource, write, options);
    if (options.dryRun !== true) return this.#taken(resource, write.path, answer);
    return toObject(write.path, answer);
  }

  /** Sends a write, but only with the lease in hand, judged at the last moment before it leaves. */
  async #send(resource: Resource, write: Write, options: WriteOptions): Promise<unknown> {
    const { query, path, ...rest } = write;
    const { fieldManager, dryRun, signal, fenced = true, isUrgent = false } = options;
    const dryRunQuery = dryRun === true ? { dryRun: 'All' } : {};
    const { lost } = this.#leadership;
    try {
      return await this.#exchange.json({
        ...rest,
        isUrgent,
        path: withQuery(path, { ...query, ...dryRunQuery, fieldManager }),
        signals: fenced ? [signal, lost] : [signal],
        ...(fenced ? { guard: () => this.#fence(write) } : {}),
      });
    } catch (error) {
      if (fenced && lost.aborted && !signal.aborted) throw fencedError(write, error);
      throw error;
    }
  }

  #fence(write: Write): void {
    if (!this.#leadership.mayWrite()) throw fencedError(write);
  }

  #taken(resource: Resource, path: string, answer: unknown): KubeObject {
    const object = toObject(path, answer);
    this.#watches.put(resource, object);
    return object;
  }

  /**
   * A 404 proves that the object which was cached before the request is gone. One that came into the
   * cache later may be newer than the answer, and stays.
   */
  async #orGone(resource: Resource, key: ObjectKey, answer: Promise<unknown>): Promise<unknown> {
    const known = this.cached(resource, key);
    try {
      return await answer;
    } catch (error) {
      const isGone = error instanceof ClusterError && error.fault === 'notFound';
      if (isGone && known !== undefined) this.#watches.remove(resource, known);
      throw error;
    }
  }
}

function orNotFound(error: unknown): undefined {
  if (error instanceof ClusterError && error.fault === 'notFound') return undefined;
  throw error;
}

function toObject(path: string, answer: unknown): KubeObject {
  if (isKubeObject(answer)) return answer;
  throw new ClusterError('unavailable', `${path}: the answer is no Kubernetes object`);
}

function uidOfStatus(status: unknown): unknown {
  return isRecord(status) && isRecord(status['details']) ? status['details']['uid'] : undefined;
}

function fencedError(write: Write, cause?: unknown): ClusterError {
  const request = `${write.method} ${write.path}`;
  return new ClusterError('fenced', `${request}: this process does not hold the lease`, { cause });
}
