/** One pool of keep-alive connections and one lane per server and TLS identity; those unused longest are closed. */
import type { LookupFunction } from 'node:net';
import { Pool } from 'undici';
import { createLane, type Lane } from '#runtime/lane.ts';
import type { Server } from './server.ts';

export interface Connection {
  readonly pool: Pool;
  readonly lane: Lane;
}

export interface Connections {
  of(server: Server): Connection;
  all(): Iterable<Connection>;
  close(): Promise<void>;
}

export interface ConnectionOptions {
  readonly concurrencyMax: number;
  readonly waitingMax: number;
  readonly timeoutMs: number;
  /** Servers known at once, for example while secrets are rotated. */
  readonly serversMax: number;
  /** Instead of the system's own: may refuse addresses. */
  readonly lookup?: LookupFunction;
}

/** Longer than the pause between two ticks, shorter than Prometheus' own 5 minutes. */
const KEEP_ALIVE_MS = 60_000;

export function createConnections(options: ConnectionOptions): Connections {
  const connections = new Map<string, Connection>(); // Least recently used first.
  let isClosed = false;

  const closeUnused = (): void => {
    for (const [key, { pool, lane }] of connections) {
      if (connections.size <= options.serversMax) return;
      if (lane.busy() > 0) continue;
      connections.delete(key);
      closeInBackground(pool);
    }
  };

  return {
    of(server) {
      if (isClosed) throw new Error('the connections have been closed');
      const key = server.connectionKey;
      const known = connections.get(key);
      const connection = known ?? open(server, options);
      connections.delete(key);
      connections.set(key, connection);
      if (!known) closeUnused();
      return connection;
    },
    all: () => connections.values(),
    async close() {
      isClosed = true;
      const pools = Array.from(connections.values(), ({ pool }) => pool);
      connections.clear();
      await Promise.all(pools.map((pool) => pool.destroy()));
    },
  };
}

function open({ origin, tls }: Server, options: ConnectionOptions): Connection {
  const pool = new Pool(origin, {
    connections: options.concurrencyMax,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connect: {
      timeout: options.timeoutMs,
      ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
      rejectUnauthorized: tls.insecureSkipVerify !== true,
      ...(tls.ca === undefined ? {} : { ca: tls.ca }),
      ...(tls.cert === undefined ? {} : { cert: tls.cert }),
      ...(tls.key === undefined ? {} : { key: tls.key }),
      ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
    },
  });
  const lane = createLane({ placesMax: options.concurrencyMax, waitingMax: options.waitingMax });
  return { pool, lane };
}

/** Nobody can do anything about a pool that will not close. */
function closeInBackground(pool: Pool): void {
  pool.destroy().catch(() => undefined);
}
