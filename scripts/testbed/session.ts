/** What the command line starts: a cluster of our own or the caller's, and Prometheus, as environment variables for others. */
import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { type ClusterFlags, UsageError } from './arguments.ts';
import { type BuildOptions, toolPath } from './build.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { connectTo } from './existing-cluster.ts';
import { gatewayApiCrds } from './manifests.ts';
import { startNode } from './node/node.ts';
import { isAlive } from './process-table.ts';
import { type Prometheus, startPrometheus } from './prometheus.ts';

export interface Session {
  /** For the environment of a command. */
  readonly variables: Readonly<Record<string, string>>;
  /** kubectl and promtool, for its PATH. */
  readonly toolFiles: readonly string[];
  /** The same for a person's shell. */
  readonly exports: string;
  readonly apiServerUrl: string;
  /** Resolves with what happened if a part ends by itself. */
  readonly broken: Promise<Error>;
  stop(): Promise<void>;
}

const watchEveryMs = 500;

export async function startSession(flags: ClusterFlags, options: BuildOptions): Promise<Session> {
  const files = [...flags.crds, ...(flags.gatewayApi ? await gatewayApiCrds(options) : [])];
  await Promise.all(flags.crds.map(async (path) => await mustExist('--crds', path)));
  await Promise.all(flags.images.map(async (path) => await mustExist('--image', path)));
  if (flags.kubeconfig !== undefined) await mustExist('--kubeconfig', flags.kubeconfig);
  const startedAt = performance.now();
  const toolFiles = [await toolPath('kubectl', options), await toolPath('promtool', options)];
  const [cluster, prometheus] = await both(
    startCluster(flags, files, options),
    flags.prometheus
      ? startPrometheus({ ...options, scrape: jobs(flags) })
      : Promise.resolve(undefined),
  );
  options.say?.(`ready after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  const variables = variablesOf(cluster, prometheus);
  const watch = new AbortController();
  return {
    variables,
    toolFiles,
    exports: Object.entries(variables)
      .map(([name, value]) => `export ${name}=${value}`)
      .join('\n'),
    apiServerUrl: cluster.url,
    broken: firstEnded(cluster, prometheus, watch.signal),
    stop: async () => {
      watch.abort();
      await Promise.all([cluster.stop(), prometheus?.stop()]);
    },
  };
}

type Cluster = Pick<ControlPlane, 'url' | 'kubeconfigPath' | 'auditLogPath' | 'pids' | 'stop'>;

async function startCluster(
  flags: ClusterFlags,
  crds: readonly string[],
  options: BuildOptions,
): Promise<Cluster> {
  if (flags.kubeconfig === undefined) {
    const plane = await startControlPlane({
      ...options,
      crds,
      kwok: flags.kwok,
      node: flags.node,
      ...(flags.audit ? { auditPolicy: 'Metadata' } : {}),
    });
    return flags.node ? await withNode(plane, flags, options) : plane;
  }
  const kubeconfigPath = resolve(flags.kubeconfig);
  const client = await connectTo(kubeconfigPath);
  try {
    await client.applyFiles(...crds);
  } finally {
    await client.close();
  }
  return {
    url: client.address.url,
    kubeconfigPath,
    auditLogPath: undefined,
    pids: () => ({}),
    stop: async () => undefined,
  };
}

async function withNode(
  plane: ControlPlane,
  { images }: ClusterFlags,
  options: BuildOptions,
): Promise<Cluster> {
  try {
    const node = await startNode({ ...options, plane, images });
    return {
      ...plane,
      pids: () => ({ ...plane.pids(), ...node.pids() }),
      stop: async () => {
        await node.stop();
        await plane.stop();
      },
    };
  } catch (error) {
    await plane.stop();
    throw error;
  }
}

function jobs({ scrape }: ClusterFlags) {
  const names = [...new Set(scrape.map(({ job }) => job))];
  return names.map((job) => ({
    job,
    targets: scrape.filter((entry) => entry.job === job).map(({ target }) => target),
  }));
}

/** If one fails, the other is stopped before the failure is reported. */
async function both<A extends Stoppable, B extends Stoppable | undefined>(
  first: Promise<A>,
  second: Promise<B>,
): Promise<[A, B]> {
  const [a, b] = await Promise.allSettled([first, second]);
  if (a.status === 'fulfilled' && b.status === 'fulfilled') return [a.value, b.value];
  await Promise.all(
    [a, b].map(async (result) =>
      result.status === 'fulfilled' ? await result.value?.stop() : undefined,
    ),
  );
  throw a.status === 'rejected' ? a.reason : (b as PromiseRejectedResult).reason;
}

interface Stoppable {
  stop(): Promise<void>;
}

function variablesOf(cluster: Cluster, prometheus: Prometheus | undefined): Record<string, string> {
  return {
    KUBECONFIG: cluster.kubeconfigPath,
    // The name that controller-runtime's and others' test suites look for.
    USE_EXISTING_CLUSTER: 'true',
    ...(prometheus === undefined ? {} : { PROMETHEUS_URL: prometheus.url }),
    ...(cluster.auditLogPath === undefined ? {} : { TESTBED_AUDIT_LOG: cluster.auditLogPath }),
  };
}

async function firstEnded(
  cluster: Cluster,
  prometheus: Prometheus | undefined,
  signal: AbortSignal,
): Promise<Error> {
  for (;;) {
    await sleep(watchEveryMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return new Error('stopped');
    const pids = {
      ...cluster.pids(),
      ...(prometheus === undefined ? {} : { prometheus: prometheus.pid() }),
    };
    for (const [name, pid] of Object.entries(pids)) {
      if (!(await isAlive(pid))) {
        return new Error(`${name} (process ${pid}) has ended by itself; everything is stopped`);
      }
    }
  }
}

async function mustExist(flag: string, path: string): Promise<void> {
  await access(path).catch((error: unknown) => {
    throw new UsageError(`${flag} ${path}: there is no such file or folder`, { cause: error });
  });
}
