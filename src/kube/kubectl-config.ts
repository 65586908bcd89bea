/** A kubeconfig read as kubectl reads it: files merged with the first one winning, then what the flags say. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { KubeconfigProblem } from './kubeconfig-problem.ts';

/** kubectl's own flags, as far as they say which server to ask as whom. */
export interface KubectlFlags {
  /** `--kubeconfig`: this file and no other. */
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly cluster?: string | undefined;
  readonly user?: string | undefined;
  readonly namespace?: string | undefined;
  readonly server?: string | undefined;
  readonly token?: string | undefined;
  readonly as?: string | undefined;
  readonly asGroups?: readonly string[] | undefined;
  readonly certificateAuthority?: string | undefined;
  readonly clientCertificate?: string | undefined;
  readonly clientKey?: string | undefined;
  readonly tlsServerName?: string | undefined;
  readonly skipTlsVerify?: boolean | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

type Cluster = NonNullable<ReturnType<KubeConfig['getCurrentCluster']>>;
type User = NonNullable<ReturnType<KubeConfig['getCurrentUser']>>;

const POD_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';
/** Names in a configuration that stands in no file. */
const FROM_FLAGS = 'flags';

/** Throws KubeconfigProblem. The result has exactly one context, cluster and user: the ones to be used. */
export function readKubectlConfig(flags: KubectlFlags, env: Environment): KubeConfig {
  const files = filesOf(flags, env);
  const config = merged(files);
  if (files.length === 0 && flags.server === undefined) {
    if (!isInPod(env)) throw new KubeconfigProblem(nowhere(env));
    config.loadFromCluster();
  }
  const { cluster, user, namespace } = chosen(config, flags);
  const named = { cluster: cluster.name, user: user.name, name: FROM_FLAGS };
  const context = namespace === undefined ? named : { ...named, namespace };
  const result = new KubeConfig();
  result.loadFromOptions({
    clusters: [withServer(cluster, flags)],
    users: [withIdentity(user, flags)],
    contexts: [context],
    currentContext: FROM_FLAGS,
  });
  return result;
}

/** `--namespace`, else that of the context, else `default`. */
export function namespaceOf(config: KubeConfig): string {
  return config.getContextObject(config.getCurrentContext())?.namespace || 'default';
}

/** A file that KUBECONFIG lists may be missing; one that a flag names may not. */
function filesOf({ kubeconfig }: KubectlFlags, env: Environment): readonly string[] {
  if (kubeconfig !== undefined) return [kubeconfig];
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
  const candidates = listed.length > 0 ? listed : [homeFile(env)];
  return candidates.filter((file) => existsSync(file));
}

function homeFile(env: Environment): string {
  return join(env['HOME'] || homedir(), '.kube', 'config');
}

function isInPod(env: Environment): boolean {
  return Boolean(env['KUBERNETES_SERVICE_HOST']) && existsSync(POD_TOKEN);
}

function nowhere(env: Environment): string {
  const listed = env['KUBECONFIG'] ?? '';
  const where =
    listed === '' ? `${homeFile(env)} does not exist` : `no file of KUBECONFIG=${listed} exists`;
  return `there is no kubeconfig: ${where}; name one with --kubeconfig FILE or KUBECONFIG, or a server with --server URL`;
}

/** client-node's own merging refuses a name that stands in two files, and lets the last file choose the context. */
function merged(files: readonly string[]): KubeConfig {
  const config = new KubeConfig();
  const parts = files.map(load);
  config.loadFromOptions({
    clusters: firstOfEachName(parts.flatMap((part) => part.getClusters())),
    users: firstOfEachName(parts.flatMap((part) => part.getUsers())),
    contexts: firstOfEachName(parts.flatMap((part) => part.getContexts())),
    currentContext: parts.map((part) => part.getCurrentContext()).find(Boolean) ?? '',
  });
  return config;
}

function load(file: string): KubeConfig {
  const config = new KubeConfig();
  try {
    // Read by itself first: what cannot be read is another mistake than what cannot be understood.
    if (readFileSync(file, 'utf8').trim() !== '') config.loadFromFile(file);
  } catch (error) {
    throw new KubeconfigProblem(`kubeconfig ${file}: ${reasonOf(error)}`);
  }
  return config;
}

function reasonOf(error: unknown): string {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'it may not be read by you';
  if (code === 'EISDIR') return 'it is a directory';
  if (error instanceof TypeError)
    return 'it is no kubeconfig: clusters, users and contexts are missing';
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
}

function firstOfEachName<T extends { readonly name: string }>(all: readonly T[]): T[] {
  return all.filter((one, index) => all.findIndex(({ name }) => name === one.name) === index);
}

interface Chosen {
  readonly cluster: Cluster;
  readonly user: User;
  readonly namespace: string | undefined;
}

function chosen(config: KubeConfig, flags: KubectlFlags): Chosen {
  const context = contextOf(config, flags);
  const clusterName = flags.cluster ?? context?.cluster;
  const userName = flags.user ?? context?.user;
  const clusters = config.getClusters();
  const users = config.getUsers();
  const cluster = clusters.find(({ name }) => name === clusterName);
  const user = users.find(({ name }) => name === userName);
  if (cluster === undefined && (flags.cluster !== undefined || flags.server === undefined)) {
    throw new KubeconfigProblem(missing('cluster', clusterName, clusters));
  }
  // A context without a user is somebody whom the server does not know; one that is named must be there.
  if (user === undefined && userName !== undefined) {
    throw new KubeconfigProblem(missing('user', userName, users));
  }
  return {
    cluster: cluster ?? { name: FROM_FLAGS, server: '', skipTLSVerify: false },
    user: user ?? { name: FROM_FLAGS },
    namespace: flags.namespace ?? context?.namespace,
  };
}

function contextOf(config: KubeConfig, flags: KubectlFlags) {
  const contexts = config.getContexts();
  const name = flags.context ?? config.getCurrentContext();
  const context = contexts.find((one) => one.name === name);
  const isNeeded = flags.server === undefined && flags.cluster === undefined;
  if (context !== undefined || (flags.context === undefined && !isNeeded)) return context;
  if (name === '' || name === undefined) {
    const hint =
      contexts.length === 0
        ? ' and no other one'
        : `; choose one with --context: ${namesOf(contexts)}`;
    throw new KubeconfigProblem(`the kubeconfig has no current context${hint}`);
  }
  throw new KubeconfigProblem(missing('context', name, contexts));
}

function missing(
  what: 'context' | 'cluster' | 'user',
  name: string | undefined,
  known: readonly { readonly name: string }[],
): string {
  return `the kubeconfig has no ${what} ${JSON.stringify(name ?? '')}; it has: ${namesOf(known)}`;
}

function namesOf(known: readonly { readonly name: string }[]): string {
  return known.map(({ name }) => name).join(', ') || 'none';
}

/** A file of certificates wins over data in the kubeconfig: client-node looks at it first. */
function withServer(cluster: Cluster, flags: KubectlFlags): Cluster {
  const { server, certificateAuthority, skipTlsVerify, tlsServerName } = flags;
  // client-node refuses http, such as that of `kubectl proxy`, unless it is told that nothing is to be verified.
  const isPlain = (server ?? cluster.server).startsWith('http://');
  return {
    ...cluster,
    ...(server === undefined ? {} : { server: server.replace(/\/$/, '') }),
    ...(certificateAuthority === undefined ? {} : { caFile: certificateAuthority }),
    ...(tlsServerName === undefined ? {} : { tlsServerName }),
    ...(skipTlsVerify === true || isPlain ? { skipTLSVerify: true } : {}),
  };
}

/** A token given by hand is the only one that counts; a client certificate goes along with it, as in kubectl. */
function withIdentity(user: User, flags: KubectlFlags): User {
  const { token, as, clientCertificate, clientKey } = flags;
  const { exec: _, authProvider: __, username: ___, password: ____, ...bare } = user;
  return {
    ...(token === undefined ? user : { ...bare, token }),
    ...(clientCertificate === undefined ? {} : { certFile: clientCertificate }),
    ...(clientKey === undefined ? {} : { keyFile: clientKey }),
    ...(as === undefined ? {} : { impersonateUser: as }),
  };
}
