/**
 * Keeps a cache in step with one collection of the API server, for as long as the process lives:
 *
 *   fill (watch-list, else paged list) ──► watch from there ──► watch again from the last version
 *     ▲                                        │
 *     └──────────── 410: history is gone ◄─────┘
 *
 * Every failure is survived: it waits, longer each time, and goes on. Only `stop` ends it.
 */

import type { Clock } from '#ports/clock.ts';
import { ClusterError, type KubeObject, type Resource } from '#ports/cluster.ts';
import type { Logger } from '#ports/logger.ts';
import { Backoff } from '#runtime/backoff.ts';
import { type Deadline, startDeadline } from '#runtime/deadline.ts';
import type { Connection } from './connect.ts';
import type { Exchange } from './exchange.ts';
import { InitialEvents } from './initial-events.ts';
import { BrokenStream } from './lines.ts';
import { listAll } from './list.ts';
import { collectionPath, type Query } from './resource.ts';
import { isNewer } from './resource-version.ts';
import { readWatch, SilentStream, type WatchEvent } from './watch-stream.ts';

/** What is kept in step. `ObjectCache` is one; none of these may throw. */
export interface ReflectorSink {
  replace(objects: readonly KubeObject[], resourceVersion: string): void;
  put(object: KubeObject): void;
  delete(last: KubeObject): void;
  /** The server's history has been rewound: resourceVersions known so far mean nothing. */
  rewind(): void;
}

export interface ReflectorMetrics {
  /** 1 while a watch is open, 0 while there is none. */
  connected(isConnected: boolean): void;
  /** The whole collection was read anew. */
  filled(objectCount: number): void;
  failed(fault: string): void;
}

export interface ReflectorOptions {
  readonly connection: Connection;
  readonly exchange: Exchange;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly resource: Resource;
  /** Undefined: all namespaces. */
  readonly namespace?: string | undefined;
  readonly selector?: { readonly labelSelector?: string; readonly fieldSelector?: string };
  /** Applied to each object before it is kept: drop what nobody reads. */
  readonly transform: (object: KubeObject) => KubeObject;
  readonly sink: ReflectorSink;
  /** The resource may be missing from the server (no such CRD): an empty collection, until it appears. */
  readonly isOptional?: boolean | undefined;
  readonly metrics?: ReflectorMetrics | undefined;
  readonly random?: (() => number) | undefined;
}

/** client-go's: a watch ends after 5 to 10 minutes, so that load spreads over API servers again. */
const WATCH_SECONDS_MIN = 300;
const WATCH_SECONDS_MAX = 600;
const BACKOFF = { baseMs: 800, maxMs: 30_000, jitter: 1, resetAfterMs: 120_000 };
/** A server that ends every watch at once would otherwise be asked in a tight loop. */
const SHORT_WATCH_MS = 5_000;
/** Retry-After is honoured up to here. */
const RETRY_AFTER_MAX_MS = 60_000;
/** A server that takes a watch-list for a plain watch never says that the initial events are over. */
const INITIAL_SILENCE_MAX_MS = 30_000;
/** An expired version is answered by reading all anew at once, but not more often than this. */
const REFILL_PAUSE_MS = 30_000;
/** An event that cannot be read three times is stepped over by reading all anew. */
const BROKEN_MAX = 3;

export class Reflector {
  readonly #options: ReflectorOptions;
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  readonly #synced = Promise.withResolvers<void>();
  readonly #path: string;
  #resourceVersion: string | undefined;
  #newestSeen: string | undefined;
  #canWatchList = true;
  #brokenCount = 0;
  #isConnected = false;
  #isSynced = false;
  #fault: ClusterError | undefined;
  #activeAtMs: number;
  #filledAtMs = Number.NEGATIVE_INFINITY;
  #done: Promise<void> | undefined;

  constructor(options: ReflectorOptions) {
    this.#options = options;
    const { clock, random = Math.random } = options;
    this.#backoff = new Backoff({ clock, random, ...BACKOFF });
    this.#path = collectionPath(options.resource, options.namespace);
    this.#activeAtMs = clock.monotonic();
  }

  /** Resolves when the collection has been read whole for the first time. Never rejects. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Why there is no watch at present. */
  get fault(): ClusterError | undefined {
    return this.#fault;
  }

  /**
   * For how many ms nothing has happened here: no event, no bookmark, no answer and no failed try. A
   * server that is down is not silence, since starting anew would not help; a loop that is stuck is.
   */
  silentForMs(): number {
    return this.#options.clock.monotonic() - this.#activeAtMs;
  }

  /** Called twice, it is still one watch. */
  start(): void {
    this.#done ??= this.#run();
  }

  /** Ends whatever is going on, also a list or a wait; afterwards the sink is left alone. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('the watch has been stopped'));
    await this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      let waitMs = 0;
      try {
        waitMs = await this.#round(signal);
      } catch (error) {
        waitMs = signal.aborted ? 0 : this.#waitAfter(error);
      }
      this.#setConnected(false);
      if (waitMs > 0) await this.#options.clock.sleep(waitMs, signal).catch(() => undefined);
    }
  }

  /** One fill if there is no version to go on from, and one watch. Returns how long to wait then. */
  async #round(signal: AbortSignal): Promise<number> {
    if (this.#resourceVersion === undefined && !this.#canWatchList) await this.#list(signal);
    const startedMs = this.#options.clock.monotonic();
    await this.#watch(signal);
    const livedMs = this.#options.clock.monotonic() - startedMs;
    return livedMs < SHORT_WATCH_MS ? this.#backoff.next() : 0;
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { exchange, resource, namespace, transform, selector } = this.#options;
    const query: Query = { ...selector };
    const list = await listAll({ exchange, resource, namespace, query, transform, signal });
    signal.throwIfAborted();
    this.#fill(list.objects, list.resourceVersion);
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { connection, clock, resource, namespace } = this.#options;
    const initial = this.#resourceVersion === undefined ? new InitialEvents() : undefined;
    const life = startDeadline(clock, Number.POSITIVE_INFINITY, [signal]);
    const watchdog = initial && this.#expectProgress(initial, life);
    try {
      await readWatch({
        connection,
        clock,
        resource,
        namespace,
        query: this.#watchQuery(),
        signal: life.signal,
        onOpen: () => this.#setConnected(true),
        onEvent: (event) => {
          if (!signal.aborted) this.#take(event, initial);
        },
      });
    } finally {
      watchdog?.();
      life.clear();
    }
  }

  #watchQuery(): Query {
    const { selector, random = Math.random } = this.#options;
    const seconds = WATCH_SECONDS_MIN + random() * (WATCH_SECONDS_MAX - WATCH_SECONDS_MIN);
    const start: Query =
      this.#resourceVersion === undefined
        ? { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' }
        : { resourceVersion: this.#resourceVersion };
    return {
      ...selector,
      ...start,
      watch: 'true',
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(Math.round(seconds)),
    };
  }

  /** Gives a watch-list up, and for good, when it falls silent before it is complete. */
  #expectProgress(initial: InitialEvents, life: Deadline): () => void {
    const { clock } = this.#options;
    const startedMs = clock.monotonic();
    let cancel = (): void => undefined;
    const look = (): void => {
      if (initial.isComplete) return;
      const sinceMs = clock.monotonic() - Math.max(startedMs, this.#activeAtMs);
      if (sinceMs >= INITIAL_SILENCE_MAX_MS) {
        life.abort(new ClusterError('invalid', 'the initial events of a watch-list do not end'));
      } else {
        cancel = clock.after(INITIAL_SILENCE_MAX_MS - sinceMs, look);
      }
    };
    cancel = clock.after(INITIAL_SILENCE_MAX_MS, look);
    return () => cancel();
  }

  #take(event: WatchEvent, initial: InitialEvents | undefined): void {
    this.#activeAtMs = this.#options.clock.monotonic();
    if (initial !== undefined && !initial.isComplete) {
      initial.take(event, this.#options.transform);
      if (!initial.isComplete || event.type !== 'BOOKMARK') return;
      this.#fill(initial.takeObjects(), event.resourceVersion);
      return;
    }
    switch (event.type) {
      case 'BOOKMARK':
        this.#checkHistory(event.resourceVersion);
        this.#advance(event.resourceVersion);
        return;
      case 'DELETED':
        this.#options.sink.delete(event.object);
        break;
      case 'ADDED':
      case 'MODIFIED':
        this.#options.sink.put(this.#options.transform(event.object));
    }
    this.#advance(event.object.metadata.resourceVersion);
  }

  /** A bookmark that goes backwards: etcd has been restored, and this watch would stay silent. */
  #checkHistory(resourceVersion: string): void {
    if (!isNewer(this.#newestSeen, resourceVersion)) return;
    throw new ClusterError('gone', `the server went back to resourceVersion ${resourceVersion}`);
  }

  #fill(objects: readonly KubeObject[], resourceVersion: string): void {
    const { sink, logger, metrics } = this.#options;
    if (isNewer(this.#newestSeen, resourceVersion)) {
      logger.warn(
        { path: this.#path, resourceVersion },
        'the history of the API server was rewound',
      );
      this.#newestSeen = undefined;
      sink.rewind();
    }
    sink.replace(objects, resourceVersion);
    this.#advance(resourceVersion);
    this.#filledAtMs = this.#options.clock.monotonic();
    this.#setSynced();
    metrics?.filled(objects.length);
    logger.debug({ path: this.#path, objects: objects.length, resourceVersion }, 'read whole');
  }

  /** Replayed events do not take us back. */
  #advance(resourceVersion: string | undefined): void {
    if (resourceVersion === undefined || isNewer(this.#resourceVersion, resourceVersion)) return;
    this.#resourceVersion = resourceVersion;
    this.#brokenCount = 0;
    if (!isNewer(this.#newestSeen, resourceVersion)) this.#newestSeen = resourceVersion;
  }

  /** Sorts out a failure, and how long to wait for the next try. */
  #waitAfter(error: unknown): number {
    const fault = asClusterError(this.#path, error);
    this.#activeAtMs = this.#options.clock.monotonic();
    this.#report(fault);
    if (fault.fault === 'notFound' && this.#options.isOptional === true) this.#setSynced();
    if (fault.fault === 'invalid' && this.#resourceVersion === undefined && this.#canWatchList) {
      this.#canWatchList = false;
      return 0;
    }
    if (this.#mustRefill(fault)) {
      const isFresh = this.#resourceVersion === undefined || this.#filledForMs() < REFILL_PAUSE_MS;
      this.#resourceVersion = undefined;
      this.#brokenCount = 0;
      if (!isFresh) return 0;
    }
    return Math.max(this.#backoff.next(), Math.min(fault.retryAfterMs ?? 0, RETRY_AFTER_MAX_MS));
  }

  /**
   * Whether to read all anew instead of watching on. After silence too: a server whose etcd has been
   * restored says nothing to a watch from a version it has not reached yet.
   */
  #mustRefill(fault: ClusterError): boolean {
    if (fault.fault === 'gone' || fault.cause instanceof SilentStream) return true;
    if (fault.cause instanceof BrokenStream) this.#brokenCount += 1;
    return this.#brokenCount >= BROKEN_MAX;
  }

  #filledForMs(): number {
    return this.#options.clock.monotonic() - this.#filledAtMs;
  }

  #setSynced(): void {
    this.#isSynced = true;
    this.#synced.resolve();
  }

  #report(fault: ClusterError): void {
    const { logger, metrics } = this.#options;
    const isKnown = this.#fault?.message === fault.message;
    this.#fault = fault;
    metrics?.failed(fault.fault);
    logger[isKnown ? 'debug' : 'warn']({ path: this.#path, err: fault }, 'the watch failed');
  }

  #setConnected(isConnected: boolean): void {
    if (isConnected) {
      this.#fault = undefined;
      this.#activeAtMs = this.#options.clock.monotonic();
    }
    if (this.#isConnected === isConnected) return;
    this.#isConnected = isConnected;
    this.#options.metrics?.connected(isConnected);
  }
}

function asClusterError(path: string, error: unknown): ClusterError {
  if (error instanceof ClusterError) return error;
  return new ClusterError('unavailable', `WATCH ${path} failed: ${String(error)}`, {
    cause: error,
  });
}
