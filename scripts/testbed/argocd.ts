/**
 * A real Argo CD: application-controller, repo-server and API server, with Redis. It belongs inside the network namespace,
 * since some of its parts listen on all addresses.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import type { ApiClient, KubeObject } from './api-client.ts';
import { type BuildOptions, toolPath } from './build.ts';
import type { ControlPlane } from './control-plane.ts';
import { argocdCrds } from './manifests.ts';
import { type Part, startPart } from './part.ts';
import { freePorts } from './ports.ts';

export interface ArgocdOptions extends BuildOptions {
  readonly plane: Pick<ControlPlane, 'client' | 'kubeconfigPath' | 'runFolder' | 'url' | 'tokens'>;
  /** How soon a difference between Git and the cluster is seen without an event. Default 5. */
  readonly resyncSeconds?: number;
}

export interface Argocd {
  /** Its own API, which asks for no credentials. */
  readonly url: string;
  /** For `destination.server` of Applications. */
  readonly destination: string;
  readonly pids: () => Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

export const argocdNamespace = 'argocd';

/** Builds and fetches what Argo CD needs; to be called before the namespace is entered. */
export async function prepareArgocd(options: BuildOptions = {}): Promise<void> {
  await toolPath('redis-server', options);
  await toolPath('argocd', options);
  await argocdCrds(options);
}

/** Resolves when every part is ready. A ConfigMap `argocd-cm` that is there already is kept. */
export async function startArgocd(options: ArgocdOptions): Promise<Argocd> {
  const { plane } = options;
  await plane.client.applyFiles(...(await argocdCrds(options)));
  await applySettings(plane.client, options);
  const parts: Part[] = [];
  const stop = async () => {
    await Promise.all(parts.map(async (part) => await part.stop({ killAfterMs: 500 })));
  };
  try {
    const ports = await freePorts(7);
    const [redisPort = 0, repoPort = 0, repoMetrics = 0, metrics = 0, apiPort = 0, apiMetrics = 0] =
      ports;
    parts.push(await startRedis(options, redisPort));
    const start = async (name: string, port: number, args: readonly string[], path: string) =>
      parts.push(await startComponent(options, { name, port, args, path, redisPort }));
    const repo = [`--repo-server=127.0.0.1:${repoPort}`, '--repo-server-plaintext'];
    const resync = String(options.resyncSeconds ?? 5);
    await Promise.all([
      start(
        'repo-server',
        repoMetrics,
        [
          '--address=127.0.0.1',
          `--port=${repoPort}`,
          '--metrics-address=127.0.0.1',
          `--metrics-port=${repoMetrics}`,
          '--disable-tls',
          // Else a commit is seen only after three minutes.
          '--revision-cache-expiration=1s',
        ],
        '/metrics',
      ),
      start(
        'application-controller',
        metrics,
        [
          ...repo,
          `--kubeconfig=${plane.kubeconfigPath}`,
          `--namespace=${argocdNamespace}`,
          `--metrics-port=${metrics}`,
          `--app-resync=${resync}`,
          '--app-resync-jitter=0',
          // Health of each resource in the Application, for tests to read.
          '--persist-resource-health',
        ],
        '/healthz',
      ),
      start(
        'server',
        apiPort,
        [
          ...repo,
          `--kubeconfig=${plane.kubeconfigPath}`,
          `--namespace=${argocdNamespace}`,
          '--address=127.0.0.1',
          `--port=${apiPort}`,
          `--metrics-port=${apiMetrics}`,
          '--insecure',
          '--disable-auth',
        ],
        '/healthz',
      ),
    ]);
    return {
      url: `http://127.0.0.1:${apiPort}`,
      destination: plane.url,
      pids: () => Object.fromEntries(parts.map(({ name, pid }) => [name, pid])),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startRedis(options: ArgocdOptions, port: number): Promise<Part> {
  const { runFolder } = options.plane;
  return await startPart({
    name: 'redis',
    command: await toolPath('redis-server', options),
    args: ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--dir', runFolder],
    runFolder,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}

interface Component {
  readonly name: string;
  /** Where it answers `path` once it is ready. */
  readonly port: number;
  readonly path: string;
  readonly args: readonly string[];
  readonly redisPort: number;
}

async function startComponent(options: ArgocdOptions, component: Component): Promise<Part> {
  const { runFolder } = options.plane;
  const home = join(runFolder, `argocd-${component.name}`);
  await mkdir(home, { recursive: true });
  const name = `argocd-${component.name}`;
  return await startPart({
    name,
    command: await toolPath('argocd', options),
    args: [...component.args, `--redis=127.0.0.1:${component.redisPort}`, '--logformat=text'],
    runFolder,
    env: {
      ARGOCD_BINARY_NAME: name,
      ARGOCD_GPG_ENABLED: 'false',
      ARGOCD_GNUPGHOME: home,
      ARGOCD_TLS_DATA_PATH: home,
      ARGOCD_SSH_DATA_PATH: home,
      ARGOCD_PLUGINSOCKFILEPATH: home,
      HOME: home,
      TMPDIR: home,
    },
    cwd: home,
    isReady: async (signal) =>
      (await fetch(`http://127.0.0.1:${component.port}${component.path}`, { signal })).ok,
    readyWithinMs: 60_000,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}

/** What an installation of Argo CD has, as far as these parts read it. */
async function applySettings(client: ApiClient, options: ArgocdOptions): Promise<void> {
  const { plane } = options;
  await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: argocdNamespace } });
  const metadata = (name: string, labels: Record<string, string> = {}) => ({
    name,
    namespace: argocdNamespace,
    labels: { 'app.kubernetes.io/part-of': 'argocd', ...labels },
  });
  const maps = ['argocd-cm', 'argocd-rbac-cm', 'argocd-gpg-keys-cm', 'argocd-ssh-known-hosts-cm'];
  const objects: KubeObject[] = [
    ...[...maps, 'argocd-tls-certs-cm'].map((name) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: metadata(name),
    })),
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: metadata('argocd-secret'),
      // No one logs in.
      stringData: { 'admin.password': 'none', 'server.secretkey': 'dGVzdGJlZA==' },
    },
    { apiVersion: 'v1', kind: 'Secret', metadata: metadata('argocd-redis') },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: metadata('testbed', { 'argocd.argoproj.io/secret-type': 'cluster' }),
      stringData: {
        name: 'testbed',
        server: plane.url,
        config: JSON.stringify({
          bearerToken: plane.tokens['admin'],
          tlsClientConfig: { insecure: true },
        }),
      },
    },
    {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'AppProject',
      metadata: metadata('default'),
      spec: {
        sourceRepos: ['*'],
        destinations: [{ namespace: '*', server: '*' }],
        clusterResourceWhitelist: [{ group: '*', kind: '*' }],
      },
    },
  ];
  for (const object of objects) await client.apply(object, { manager: `argocd-install` });
}
