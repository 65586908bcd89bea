/** Puts the Kubernetes side together: one connection, one limiter, the watches and the port `Cluster`. */

import type { Clock } from '#ports/clock.ts';
import type { Cluster, ObjectKey, Resource } from '#ports/cluster.ts';
import type { Leadership } from '#ports/leadership.ts';
import type { Logger } from '#ports/logger.ts';
import type { LogEnd, PodLogs } from '#ports/pod-logs.ts';
import { createLane } from '#runtime/lane.ts';
import { Limiter } from '#runtime/limiter.ts';
import { CONNECTIONS_MAX, Connection } from './connect.ts';
import type { KubeSource } from './credentials.ts';
import { Exchange, type RequestMetrics } from './exchange.ts';
import { type Election, type ElectionOptions, LeaseElection } from './leadership.ts';
import { readPodLog } from './pod-logs.ts';
import type { ReflectorMetrics } from './reflector.ts';
import { Rest, type RestOptions } from './rest.ts';
import { type Watch, Watches, type WatchOptions } from './watches.ts';

export interface ClusterOptions {
  readonly source: KubeSource;
  /** Ours, for the user agent `genesis-rollout/<version>`. */
  readonly version: string;
  readonly leadership: Leadership;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Requests a second of this process, and how many at once after a quiet time. */
  readonly requestsPerSecond?: number;
  readonly burst?: number;
  readonly metrics?: {
    readonly requests?: RequestMetrics;
    readonly watchOf?: (resource: Resource) => ReflectorMetrics;
  };
}

export interface KubeCluster extends Cluster, PodLogs {
  /** Starts to watch; may be called at any time, and again for further namespaces. */
  watch(resource: Resource, options?: WatchOptions): Watch;
  /** Everything watched from the start has been read whole; what is added later does not change it. */
  readonly isSynced: boolean;
  /** For how many ms nothing has happened in the quietest watch: not even a failed try. */
  silentForMs(): number;
  /** Ends the watches and all connections. */
  close(): Promise<void>;
}

/** The server's own priority and fairness protects it; ours only stops a runaway loop. */
const REQUESTS_PER_SECOND = 500;
const BURST = 1_000;
/** Connections that whatever is not urgent leaves free. */
const URGENT_CONNECTIONS = 8;

export function createCluster(options: ClusterOptions): KubeCluster {
  const { source, version, leadership, clock, logger, metrics } = options;
  const userAgent = userAgentOf(version);
  const connection = new Connection({ source, clock, logger, userAgent });
  const requestMetrics = metrics?.requests === undefined ? {} : { metrics: metrics.requests };
  const limiter = new Limiter({
    clock,
    perSecond: options.requestsPerSecond ?? REQUESTS_PER_SECOND,
    burst: options.burst ?? BURST,
  });
  const placesMax = CONNECTIONS_MAX - URGENT_CONNECTIONS;
  const lane = createLane({ placesMax, waitingMax: Number.POSITIVE_INFINITY });
  // Lists are few and large, and a start must not wait behind its own limit.
  const lists = new Exchange({ connection, clock, ...requestMetrics });
  const exchange = new Exchange({ connection, clock, limiter, lane, ...requestMetrics });
  const metricsOf = metrics?.watchOf;
  const watches = new Watches({ connection, exchange: lists, clock, logger, metricsOf });
  return new ClusterClient({ exchange, watches, leadership }, connection);
}

export interface LeaseOptions extends Omit<ElectionOptions, 'connection'> {
  readonly source: KubeSource;
  readonly version: string;
}

/** An election on a connection of its own. */
export function createElection(options: LeaseOptions): Election {
  const { source, version, ...election } = options;
  const { clock, logger } = options;
  const connection = new Connection({ source, clock, logger, userAgent: userAgentOf(version) });
  return new LeaseElection({ ...election, connection });
}

function userAgentOf(version: string): string {
  return `genesis-rollout/${version}`;
}

class ClusterClient extends Rest implements KubeCluster {
  readonly #watches: Watches;
  readonly #exchange: Exchange;
  readonly #connection: Connection;

  constructor(options: RestOptions, connection: Connection) {
    super(options);
    this.#watches = options.watches;
    this.#exchange = options.exchange;
    this.#connection = connection;
  }

  get isSynced(): boolean {
    return this.#watches.isSynced;
  }

  watch(resource: Resource, options?: WatchOptions): Watch {
    return this.#watches.watch(resource, options);
  }

  podLog(
    pod: ObjectKey,
    container: string,
    options: { readonly bytesMax: number; readonly signal: AbortSignal },
  ): Promise<LogEnd> {
    return readPodLog(this.#exchange, pod, container, options);
  }

  silentForMs(): number {
    return this.#watches.silentForMs();
  }

  async close(): Promise<void> {
    await this.#watches.close();
    await this.#connection.close();
  }
}
