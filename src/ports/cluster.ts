/**
 * The Kubernetes API server, as the rest of the program sees it: raw JSON objects, a watch cache, and
 * few verbs. Typed client models are never used, because they drop fields they do not know.
 */

/** One API resource. `group` is '' for the core group. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

export interface ObjectKey {
  readonly namespace: string;
  readonly name: string;
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

export interface ManagedFieldsEntry {
  readonly manager?: string;
  readonly operation?: string;
  readonly subresource?: string;
  readonly time?: string;
  readonly fieldsV1?: unknown;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
  readonly managedFields?: readonly ManagedFieldsEntry[];
}

/** A raw API object. Everything but `metadata` is unknown until a zod schema has parsed it. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

/** One operation of RFC 6902. `test` makes a patch conditional. */
export type JsonPatchOperation =
  | {
      readonly op: 'add' | 'replace' | 'test';
      readonly path: string;
      readonly value: unknown;
    }
  | { readonly op: 'remove'; readonly path: string };

/** What the caller can do about a failed request. */
export type ClusterFault =
  | 'conflict' // 409 Conflict, or a JSON patch whose `test` failed (422): read again and compute again
  | 'alreadyExists' // 409 AlreadyExists
  | 'notFound' // 404
  | 'invalid' // 400, 413, 415, 422: the request itself is wrong; repeating it will not help
  | 'forbidden' // 403: a right is missing
  | 'unauthorized' // 401, after credentials have been refreshed once
  | 'gone' // 410: the resourceVersion or continue token has expired
  | 'throttled' // 429, after Retry-After has been honoured
  | 'unavailable' // 5xx, refused or broken connection
  | 'timeout' // the caller's deadline, or 504
  | 'fenced'; // this process no longer holds the lease: the write was not sent

/** A failed request, classified once, here. */
export class ClusterError extends Error {
  readonly fault: ClusterFault;
  /** HTTP status code, or 0 when no answer came. */
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  constructor(
    fault: ClusterFault,
    message: string,
    options: { status?: number; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'ClusterError';
    this.fault = fault;
    this.status = options.status ?? 0;
    this.retryAfterMs = options.retryAfterMs;
  }
}

export interface WriteOptions {
  readonly fieldManager?: string;
  readonly subresource?: 'status';
  readonly dryRun?: boolean;
  readonly signal: AbortSignal;
  /**
   * False for the few writes that a process without the lease may still make (the lease itself).
   * Default true: the write is refused with fault `fenced` once leadership is lost.
   */
  readonly fenced?: boolean;
  /** What moves traffic: it goes at once, however many other requests wait for their turn. */
  readonly isUrgent?: boolean;
}

/**
 * Every method that makes a request rejects with {@link ClusterError} and honours `signal`.
 * Every successful read or write of a watched resource also brings the watch cache up to that
 * resourceVersion, so that a reader always sees its own writes.
 */
export interface Cluster {
  /** From the watch cache, no request: undefined when absent, or when the resource is not watched. */
  cached(resource: Resource, key: ObjectKey): KubeObject | undefined;
  cachedAll(resource: Resource, namespace?: string): readonly KubeObject[];
  /** A live GET; undefined on 404. */
  get(resource: Resource, key: ObjectKey, signal: AbortSignal): Promise<KubeObject | undefined>;
  /**
   * Metadata of everything in a namespace that has these labels, live and without anything else of the
   * objects, so that a list of large ones stays small. The watch cache learns nothing of it.
   */
  listMetadata(
    resource: Resource,
    where: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
    signal: AbortSignal,
  ): Promise<readonly ObjectMeta[]>;
  create(resource: Resource, object: KubeObject, options: WriteOptions): Promise<KubeObject>;
  /** PUT: the object's own resourceVersion guards it. */
  replace(resource: Resource, object: KubeObject, options: WriteOptions): Promise<KubeObject>;
  /** RFC 6902 patch. A failed `test` is fault `conflict`. */
  jsonPatch(
    resource: Resource,
    key: ObjectKey,
    operations: readonly JsonPatchOperation[],
    options: WriteOptions,
  ): Promise<KubeObject>;
  /** RFC 7396 patch. */
  mergePatch(
    resource: Resource,
    key: ObjectKey,
    patch: object,
    options: WriteOptions,
  ): Promise<KubeObject>;
  /** Server-side apply. */
  apply(
    resource: Resource,
    object: KubeObject,
    options: WriteOptions & { readonly fieldManager: string; readonly force?: boolean },
  ): Promise<KubeObject>;
  delete(resource: Resource, key: ObjectKey, options: WriteOptions): Promise<void>;
}
