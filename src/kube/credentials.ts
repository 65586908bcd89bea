/**
 * Who we are to which API server: client-node reads kubeconfig, service account, exec plugins and
 * tokens; we cache the outcome, because it reads files synchronously and would do so at each request.
 */
import { createHash } from 'node:crypto';
import { KubeConfig } from '@kubernetes/client-node';
import type { Clock } from '#ports/clock.ts';
import { withDeadline } from '#runtime/deadline.ts';
import { type Environment, type KubectlFlags, readKubectlConfig } from './kubectl-config.ts';

/** Where the API server and the credentials are described. */
export type KubeSource =
  | { readonly type: 'file'; readonly path: string; readonly context?: string }
  /** The service account of the pod we run in. */
  | { readonly type: 'inCluster' }
  /** As kubectl: KUBECONFIG, ~/.kube/config, then the pod's service account. */
  | { readonly type: 'default'; readonly context?: string }
  /** As kubectl called with these flags. */
  | { readonly type: 'kubectl'; readonly flags: KubectlFlags; readonly env: Environment };

export interface TlsIdentity {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

export interface Credentials {
  readonly origin: string;
  /** Path in front of /api and /apis; '' for nearly every server. */
  readonly basePath: string;
  readonly proxyUrl: string | undefined;
  readonly tls: TlsIdentity;
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** Equal for credentials that can share connections. */
  readonly connectionKey: string;
}

/** How long credentials are used before files and exec plugins are asked again, as in client-go. */
const FRESH_FOR_MS = 60_000;
/** A server that refuses everybody must not make us run an exec plugin at each request. */
const REFRESH_PAUSE_MS = 5_000;
/** An exec plugin that takes longer than this hangs (a log-in prompt, a dead network). */
const LOAD_LIMIT_MS = 30_000;

export class CredentialStore {
  readonly #source: KubeSource;
  readonly #clock: Clock;
  #config: KubeConfig | undefined;
  #current: Credentials | undefined;
  #loadedAtMs = 0;
  #refreshedAtMs = Number.NEGATIVE_INFINITY;
  #loading: Promise<Credentials> | undefined;

  constructor(source: KubeSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  /**
   * Those known, renewed once a minute beside the requests: a slow exec plugin delays none of them.
   * When they cannot be renewed, those known are used on.
   */
  async get(): Promise<Credentials> {
    const current = this.#current;
    if (current === undefined) return await this.#load();
    if (this.#clock.monotonic() - this.#loadedAtMs >= FRESH_FOR_MS) {
      this.#load().catch(() => undefined);
    }
    return current;
  }

  /**
   * Reads everything anew after the server refused `refused`: kubeconfig, token file, exec plugin.
   * A new KubeConfig is the way past the caches of client-node's authenticators.
   */
  async refresh(refused: Credentials): Promise<Credentials> {
    if (this.#current !== undefined && this.#current !== refused) return this.#current;
    const nowMs = this.#clock.monotonic();
    if (this.#loading === undefined) {
      if (nowMs - this.#refreshedAtMs < REFRESH_PAUSE_MS) return refused;
      this.#refreshedAtMs = nowMs;
      this.#config = undefined;
    }
    return await this.#load();
  }

  #load(): Promise<Credentials> {
    this.#loadedAtMs = this.#clock.monotonic();
    this.#loading ??= withDeadline(this.#clock, LOAD_LIMIT_MS, [], () => this.#read()).finally(
      () => {
        this.#loading = undefined;
      },
    );
    return this.#loading;
  }

  async #read(): Promise<Credentials> {
    this.#config ??= readConfig(this.#source);
    const read = await toCredentials(this.#config);
    const credentials = { ...read, headers: { ...read.headers, ...groupHeaders(this.#source) } };
    this.#current = credentials;
    return credentials;
  }
}

function readConfig(source: KubeSource): KubeConfig {
  if (source.type === 'kubectl') return readKubectlConfig(source.flags, source.env);
  const config = new KubeConfig();
  switch (source.type) {
    case 'file':
      config.loadFromFile(source.path);
      break;
    case 'inCluster':
      config.loadFromCluster();
      break;
    case 'default':
      config.loadFromDefault();
      break;
  }
  const context = source.type === 'inCluster' ? undefined : source.context;
  if (context !== undefined) {
    const known = config.getContexts().map(({ name }) => name);
    if (!known.includes(context)) {
      throw new Error(`no context "${context}" in the kubeconfig; it has: ${known.join(', ')}`);
    }
    config.setCurrentContext(context);
  }
  return config;
}

async function toCredentials(config: KubeConfig): Promise<Credentials> {
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error('the kubeconfig has no current cluster');
  const options: Parameters<KubeConfig['applyToHTTPSOptions']>[0] = {};
  await config.applyToHTTPSOptions(options);
  if (!URL.canParse(cluster.server)) {
    const words = 'in a pod it is made of KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT';
    throw new Error(`the API server's address "${cluster.server}" is no URL; ${words}`);
  }
  const url = new URL(cluster.server);
  const tls: TlsIdentity = {
    ...textOrBuffer('ca', options.ca),
    ...textOrBuffer('cert', options.cert),
    ...textOrBuffer('key', options.key),
    ...(options.servername === undefined ? {} : { servername: options.servername }),
    ...(options.rejectUnauthorized === undefined
      ? {}
      : { rejectUnauthorized: options.rejectUnauthorized }),
  };
  const headers = headersOf(options.headers);
  if (typeof options.auth === 'string' && headers['Authorization'] === undefined) {
    headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  }
  const basePath = url.pathname.replace(/\/+$/, '');
  const place = { origin: url.origin, basePath, proxyUrl: cluster.proxyUrl ?? undefined };
  return {
    ...place,
    tls,
    headers,
    connectionKey: connectionKey(url.origin, cluster.proxyUrl, tls),
  };
}

/** client-node impersonates a user, but no groups. */
function groupHeaders(source: KubeSource): Record<string, string[]> {
  const groups = source.type === 'kubectl' ? (source.flags.asGroups ?? []) : [];
  return groups.length === 0 ? {} : { 'Impersonate-Group': [...groups] };
}

function textOrBuffer(name: 'ca' | 'cert' | 'key', value: unknown): TlsIdentity {
  return typeof value === 'string' || Buffer.isBuffer(value) ? { [name]: value } : {};
}

/** A token file often ends with a line break, which no header may contain. */
function headersOf(headers: unknown): Record<string, string> {
  const entries = Object.entries(typeof headers === 'object' && headers !== null ? headers : {});
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value).trim()]));
}

function connectionKey(origin: string, proxyUrl: string | undefined, tls: TlsIdentity): string {
  const { ca, cert, key, servername, rejectUnauthorized } = tls;
  const hash = createHash('sha256');
  for (const part of [origin, proxyUrl, ca, cert, key, servername, rejectUnauthorized]) {
    const bytes = Buffer.isBuffer(part) ? part : Buffer.from(String(part ?? ''));
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest('hex');
}
