/** Which resources are watched in which namespaces: one cache a resource, one reflector a namespace or all. */

import type { Clock } from '#ports/clock.ts';
import type { ClusterError, KubeObject, ObjectKey, Resource } from '#ports/cluster.ts';
import type { Logger } from '#ports/logger.ts';
import { untilAborted } from '#runtime/deadline.ts';
import { type Change, ObjectCache } from './cache.ts';
import type { Connection } from './connect.ts';
import type { Exchange } from './exchange.ts';
import { Reflector, type ReflectorMetrics } from './reflector.ts';
import { resourceId } from './resource.ts';

export interface WatchOptions {
  /** Undefined: all namespaces (or a resource without namespaces). */
  readonly namespaces?: readonly string[];
  readonly labelSelector?: string;
  /** What of an object is kept. Default: everything but `metadata.managedFields`. */
  readonly transform?: (object: KubeObject) => KubeObject;
  /** Called for every change, and once for each object that is known already. */
  readonly onChange?: (change: Change) => void;
  /** The server may not know the resource (no such CRD): counts as synced, and is watched once it does. */
  readonly isOptional?: boolean;
}

/** One call of `watch`. */
export interface Watch {
  /** Everything watched has been read whole at least once. */
  readonly isSynced: boolean;
  readonly isConnected: boolean;
  /** Why there is no watch at present. */
  readonly fault: ClusterError | undefined;
  /** For how many ms nothing has happened, in the quietest of its streams; see Reflector. */
  silentForMs(): number;
  synced(signal: AbortSignal): Promise<void>;
  /** Ends it; what nobody else watches is forgotten. */
  stop(): Promise<void>;
}

export interface WatchesOptions {
  readonly connection: Connection;
  readonly exchange: Exchange;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metricsOf?: ((resource: Resource) => ReflectorMetrics) | undefined;
  readonly random?: (() => number) | undefined;
}

interface Scope {
  readonly reflector: Reflector;
  users: number;
}

interface WatchedResource {
  readonly resource: Resource;
  readonly cache: ObjectCache;
  readonly handlers: Set<(change: Change) => void>;
  /** By namespace; '' is all of them. */
  readonly scopes: Map<string, Scope>;
  readonly transform: (object: KubeObject) => KubeObject;
  readonly labelSelector: string | undefined;
}

const ALL = '';

export class Watches {
  readonly #options: WatchesOptions;
  readonly #watched = new Map<string, WatchedResource>();
  #wasSynced = false;

  constructor(options: WatchesOptions) {
    this.#options = options;
  }

  /**
   * Once everything has been read it stays so: a namespace that is added later, and may be forbidden,
   * is waited for by whoever needs it, and does not take the readiness of all the others away.
   */
  get isSynced(): boolean {
    const scopes = this.#scopes();
    this.#wasSynced ||= scopes.length > 0 && scopes.every(({ reflector }) => reflector.isSynced);
    return this.#wasSynced || scopes.length === 0;
  }

  /** For how many ms nothing has happened, in the quietest stream of all. */
  silentForMs(): number {
    return Math.max(0, ...this.#scopes().map(({ reflector }) => reflector.silentForMs()));
  }

  watch(resource: Resource, options: WatchOptions = {}): Watch {
    const watched = this.#watchedFor(resource, options);
    const names = options.namespaces === undefined ? [ALL] : [...new Set(options.namespaces)];
    const scopes = names.map((name) => this.#enter(watched, name, options.isOptional));
    const handler = options.onChange && inScope(options.onChange, names);
    if (handler !== undefined) {
      for (const object of watched.cache.all()) {
        this.#tell(watched, handler, { type: 'added', old: undefined, new: object });
      }
      watched.handlers.add(handler);
    }
    for (const { reflector } of scopes) reflector.start();
    let isStopped = false;
    return {
      get isSynced() {
        return scopes.every(({ reflector }) => reflector.isSynced);
      },
      get isConnected() {
        return scopes.every(({ reflector }) => reflector.isConnected);
      },
      get fault() {
        return scopes.find(({ reflector }) => reflector.fault !== undefined)?.reflector.fault;
      },
      silentForMs: () => Math.max(0, ...scopes.map(({ reflector }) => reflector.silentForMs())),
      synced: async (signal) => {
        const all = Promise.all(scopes.map(({ reflector }) => reflector.synced));
        await untilAborted(all, signal);
      },
      stop: async () => {
        if (isStopped) return;
        isStopped = true;
        if (handler !== undefined) watched.handlers.delete(handler);
        await Promise.all(names.map((name) => this.#leave(watched, name)));
      },
    };
  }

  get(resource: Resource, key: ObjectKey): KubeObject | undefined {
    return this.#watched.get(resourceId(resource))?.cache.get(key);
  }

  all(resource: Resource, namespace?: string): readonly KubeObject[] {
    return this.#watched.get(resourceId(resource))?.cache.all(namespace) ?? [];
  }

  /** Brings the cache up to what a request of ours has shown, if this object is watched. */
  put(resource: Resource, object: KubeObject): void {
    const { namespace = '', name } = object.metadata;
    const watched = this.#watchedIn(resource, namespace);
    if (watched === undefined) return;
    // Whether a selector matches is the server's business: only what it has matched before.
    const isKnown = watched.cache.get({ namespace, name }) !== undefined;
    if (watched.labelSelector === undefined || isKnown)
      watched.cache.put(watched.transform(object));
  }

  /** A request of ours has shown that this object is gone. */
  remove(resource: Resource, last: KubeObject): void {
    this.#watchedIn(resource, last.metadata.namespace ?? '')?.cache.delete(last);
  }

  async close(): Promise<void> {
    await Promise.all(this.#scopes().map(({ reflector }) => reflector.stop()));
  }

  #scopes(): readonly Scope[] {
    return [...this.#watched.values()].flatMap(({ scopes }) => [...scopes.values()]);
  }

  #watchedIn(resource: Resource, namespace: string): WatchedResource | undefined {
    const watched = this.#watched.get(resourceId(resource));
    const { scopes } = watched ?? {};
    return scopes?.has(ALL) === true || scopes?.has(namespace) === true ? watched : undefined;
  }

  #watchedFor(resource: Resource, options: WatchOptions): WatchedResource {
    const id = resourceId(resource);
    const known = this.#watched.get(id);
    if (known !== undefined) {
      const isOther =
        (options.transform !== undefined && options.transform !== known.transform) ||
        options.labelSelector !== known.labelSelector;
      if (isOther) throw new Error(`${id} is watched already, with another selector or transform`);
      return known;
    }
    const handlers = new Set<(change: Change) => void>();
    const watched: WatchedResource = {
      resource,
      handlers,
      cache: new ObjectCache({
        onChange: (change) => {
          for (const handler of handlers) this.#tell(watched, handler, change);
        },
      }),
      scopes: new Map(),
      transform: options.transform ?? withoutManagedFields,
      labelSelector: options.labelSelector,
    };
    this.#watched.set(id, watched);
    return watched;
  }

  #enter(watched: WatchedResource, name: string, isOptional: boolean | undefined): Scope {
    const known = watched.scopes.get(name);
    if (known !== undefined) {
      known.users += 1;
      return known;
    }
    const { cache, resource, transform, labelSelector } = watched;
    const namespace = name === ALL ? undefined : name;
    const { metricsOf, ...shared } = this.#options;
    const reflector = new Reflector({
      ...shared,
      resource,
      namespace,
      transform,
      isOptional,
      selector: labelSelector === undefined ? {} : { labelSelector },
      metrics: metricsOf?.(resource),
      sink: {
        put: (object) => cache.put(object),
        delete: (last) => cache.delete(last),
        replace: (objects, version) => cache.replace(objects, version, namespace),
        rewind: () => cache.rewind(namespace),
      },
    });
    const scope = { reflector, users: 1 };
    watched.scopes.set(name, scope);
    return scope;
  }

  async #leave(watched: WatchedResource, name: string): Promise<void> {
    const scope = watched.scopes.get(name);
    if (scope === undefined) return;
    scope.users -= 1;
    if (scope.users > 0) return;
    watched.scopes.delete(name);
    await scope.reflector.stop();
    if (!watched.scopes.has(ALL) && !watched.scopes.has(name)) {
      watched.cache.forget(name === ALL ? undefined : name);
    }
  }

  /** A handler that throws has lost its event, which is a defect; the watch and the process go on. */
  #tell(watched: WatchedResource, handler: (change: Change) => void, change: Change): void {
    try {
      handler(change);
    } catch (error) {
      const { name, namespace } = (change.new ?? change.old)?.metadata ?? {};
      this.#options.logger.error(
        { resource: resourceId(watched.resource), namespace, name, err: error },
        'a watch handler has thrown',
      );
    }
  }
}

/** They are often half of an object, and nobody reads them from the cache. */
export function withoutManagedFields(object: KubeObject): KubeObject {
  if (object.metadata.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

function inScope(
  onChange: (change: Change) => void,
  names: readonly string[],
): (change: Change) => void {
  if (names.includes(ALL)) return (change) => onChange(change);
  const namespaces = new Set(names);
  return (change) => {
    const object = change.new ?? change.old;
    if (namespaces.has(object?.metadata.namespace ?? '')) onChange(change);
  };
}
