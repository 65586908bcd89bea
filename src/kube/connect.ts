/**
 * Pooled connections to one API server. client-node's own transport opens a connection at every
 * request; here one pool serves requests and another the watches, as long as the TLS identity stays.
 */
import { type Dispatcher, Pool, ProxyAgent } from 'undici';
import type { Clock } from '#ports/clock.ts';
import type { Logger } from '#ports/logger.ts';
import { CredentialStore, type Credentials, type KubeSource } from './credentials.ts';

export interface ConnectionOptions {
  readonly source: KubeSource;
  readonly clock: Clock;
  readonly logger: Logger;
  /** `genesis-rollout/<version>`: how we are called in audit logs. */
  readonly userAgent: string;
}

export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its query, from the server's root: `/apis/apps/v1/deployments?limit=500`. */
  readonly path: string;
  readonly contentType?: string;
  /** Default: JSON. */
  readonly accept?: string;
  /** More of them; those that say who asks are never overridden. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
  /** A watch has a connection of its own for as long as it lives. */
  readonly watch?: boolean;
  /** Called immediately before each sending; what it throws is thrown on, and nothing is sent. */
  readonly guard?: () => void;
}

export type HttpAnswer = Pick<Dispatcher.ResponseData, 'statusCode' | 'headers' | 'body'>;

interface Pools {
  readonly key: string;
  readonly requests: Dispatcher;
  readonly watches: Dispatcher;
}

/** Requests that are on their way at once; more wait for a free connection. */
export const CONNECTIONS_MAX = 32;
/** An idle connection is closed before a load balancer forgets it (the common limit is 60 s). */
const KEEP_ALIVE_MS = 45_000;
const CONNECT_LIMIT_MS = 10_000;
/** A page of 500 objects of the largest size that etcd takes. */
const RESPONSE_BYTES_MAX = 768 * 2 ** 20;
/** A kept connection that the server closed in the same moment; nothing has been answered on it. */
const BROKEN_CODES = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

export class Connection {
  readonly #credentials: CredentialStore;
  readonly #logger: Logger;
  readonly #userAgent: string;
  #pools: Pools | undefined;
  readonly #retired = new Set<Dispatcher>();
  #closed = false;
  #host = '';

  constructor(options: ConnectionOptions) {
    this.#credentials = new CredentialStore(options.source, options.clock);
    this.#logger = options.logger;
    this.#userAgent = options.userAgent;
  }

  /**
   * Sends the call and resolves when the headers have come. After a 401 credentials are read anew
   * and the call is sent once more. Rejects with whatever the transport says; see errors.ts.
   */
  async send(call: HttpCall): Promise<HttpAnswer> {
    const credentials = await this.#credentials.get();
    const answer = await this.#sendAs(credentials, call);
    if (answer.statusCode !== 401) return answer;
    const renewed = await this.#credentials.refresh(credentials);
    if (renewed === credentials) return answer;
    await answer.body.text();
    return await this.#sendAs(renewed, call);
  }

  /** Host and port of the API server, for figures; '' before the first request. */
  get host(): string {
    return this.#host;
  }

  /** Ends all connections at once, those in use too. */
  async close(): Promise<void> {
    this.#closed = true;
    const pools = this.#pools;
    this.#pools = undefined;
    const all = [...this.#retired, ...(pools === undefined ? [] : [pools.requests, pools.watches])];
    this.#retired.clear();
    await Promise.all(all.map((dispatcher) => dispatcher.destroy()));
  }

  async #sendAs(credentials: Credentials, call: HttpCall): Promise<HttpAnswer> {
    try {
      return await this.#sendOnce(credentials, call);
    } catch (error) {
      if (call.method !== 'GET' || call.signal.aborted || !isBroken(error)) throw error;
      return await this.#sendOnce(credentials, call);
    }
  }

  async #sendOnce(credentials: Credentials, call: HttpCall): Promise<HttpAnswer> {
    const pools = this.#poolsFor(credentials);
    const dispatcher = call.watch === true ? pools.watches : pools.requests;
    call.guard?.();
    return await dispatcher.request({
      origin: credentials.origin,
      path: credentials.basePath + call.path,
      method: call.method,
      signal: call.signal,
      headers: {
        ...call.headers,
        ...credentials.headers,
        accept: call.accept ?? 'application/json',
        'user-agent': this.#userAgent,
        ...(call.contentType === undefined ? {} : { 'content-type': call.contentType }),
      },
      ...(call.body === undefined ? {} : { body: call.body }),
    });
  }

  #poolsFor(credentials: Credentials): Pools {
    if (this.#closed) throw new Error('the connection to the API server has been closed');
    const known = this.#pools;
    if (known?.key === credentials.connectionKey) return known;
    if (known !== undefined) this.#retire(known);
    this.#pools = {
      key: credentials.connectionKey,
      requests: openPool(credentials, CONNECTIONS_MAX),
      watches: openPool(credentials, null),
    };
    this.#host = new URL(credentials.origin).host;
    return this.#pools;
  }

  /** What runs on the old connections may end there; a watch does within ten minutes. */
  #retire(pools: Pools): void {
    this.#logger.info({}, 'the TLS identity has changed: new connections to the API server');
    for (const dispatcher of [pools.requests, pools.watches]) {
      this.#retired.add(dispatcher);
      dispatcher
        .close()
        .catch((error: unknown) => this.#logger.debug({ err: error }, 'closing old connections'))
        .finally(() => this.#retired.delete(dispatcher));
    }
  }
}

/** undici's own timeouts are off: every call has a deadline in its signal. */
function openPool(credentials: Credentials, connections: number | null): Dispatcher {
  const tls = { ...credentials.tls, keepAlive: true, keepAliveInitialDelay: 30_000 };
  const options = {
    connections,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: RESPONSE_BYTES_MAX,
  };
  const { proxyUrl } = credentials;
  if (proxyUrl !== undefined) return new ProxyAgent({ ...options, uri: proxyUrl, requestTls: tls });
  return new Pool(credentials.origin, {
    ...options,
    connect: { ...tls, timeout: CONNECT_LIMIT_MS },
  });
}

function isBroken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && BROKEN_CODES.has(String(error.code));
}
