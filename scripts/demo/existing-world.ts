/** The demo on a cluster that somebody else runs: versions are Deployments, the gateway and the Prometheus are the cluster's own. */
import { join, resolve } from 'node:path';

import { systemClock } from '#runtime/clock.ts';

import {
  type ApiClient,
  connectTo,
  type KubeObject,
  type ObjectReference,
} from '#scripts/testbed/index.ts';
import { type ExistingCluster, UsageError } from './arguments.ts';
import {
  adminPortName,
  deploymentObject,
  namespaceObject,
  ownerLabel,
  programObject,
  serviceMonitorObject,
  serviceObject,
} from './existing-objects.ts';
import { app, type Colour, hostname, rolloutReference, serviceOf } from './objects.ts';
import type { World } from './world.ts';

export interface ExistingOptions {
  readonly cluster: ExistingCluster;
  readonly say: (sentence: string) => void;
  readonly signal: AbortSignal;
}

interface Site extends ExistingOptions {
  readonly client: ApiClient;
}

const namespace = 'genesis-demo';
const namespaceReference = { apiVersion: 'v1', kind: 'Namespace', name: namespace };
const crds = join(import.meta.dirname, '../../crds');
/** An image may have to be pulled. */
const availableWithinMs = 180_000;
const goneWithinMs = 90_000;
const pollEveryMs = 250;

export async function createExistingWorld(options: ExistingOptions): Promise<World> {
  const { cluster, say } = options;
  const kubeconfigPath = resolve(cluster.kubeconfig);
  const client = await connectTo(kubeconfigPath);
  const site: Site = { ...options, client };
  try {
    await checkCluster(site);
    say('applying the CRDs of genesis.dev; they stay when the demo has ended');
    await client.applyFiles(crds);
  } catch (error) {
    await client.close();
    throw error;
  }
  try {
    await furnish(site);
  } catch (error) {
    await stop(site);
    throw error;
  }
  return {
    client,
    kubeconfigPath,
    prometheusUrl: cluster.prometheusUrl,
    namespace,
    gateway: { url: cluster.gatewayUrl, parentRef: cluster.gateway },
    howToLook: [
      `  kubectl --kubeconfig ${kubeconfigPath} -n ${namespace} describe genesisrollout ${app}`,
      `  curl -i -H 'Host: ${hostname}' ${cluster.gatewayUrl}`,
    ],
    logFolders: [],
    deploy: async (colour, version) => await deploy(site, colour, version),
    fail: async (colour, errorRate) => await fail(site, colour, errorRate),
    ended: async () => undefined,
    leave: async () => await leave(site),
    stop: async () => await stop(site),
  };
}

async function furnish({ client, cluster }: Site): Promise<void> {
  await client.apply(namespaceObject(namespace));
  await client.apply(await programObject(namespace));
  if (await serves(client, 'monitoring.coreos.com/v1')) {
    await client.apply(serviceMonitorObject(namespace, cluster.scrapeIntervalMs));
  }
}

async function checkCluster({ client, cluster }: Site): Promise<void> {
  const { gateway, prometheusUrl } = cluster;
  if (!(await serves(client, 'gateway.networking.k8s.io/v1'))) {
    throw new UsageError(
      `--kubeconfig ${cluster.kubeconfig}: this cluster has no Gateway API (gateway.networking.k8s.io/v1)`,
    );
  }
  const reference = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', ...gateway };
  if ((await client.get(reference)) === undefined) {
    throw new UsageError(
      `--gateway ${gateway.namespace}/${gateway.name}: there is no such Gateway`,
    );
  }
  await askPrometheus(prometheusUrl);
  const found = await client.get(namespaceReference);
  if (found === undefined) return;
  const labels = (found.metadata['labels'] ?? {}) as Record<string, string>;
  const isOurs = Object.entries(ownerLabel).every(([name, value]) => labels[name] === value);
  const hint = isOurs
    ? 'another demo left it or still runs; wait for its end, or delete it'
    : 'it is not the demo’s, which therefore leaves it alone';
  throw new UsageError(`the cluster has a namespace ${namespace} already: ${hint}`);
}

async function askPrometheus(url: string): Promise<void> {
  const answer = await fetch(`${url}/api/v1/query?query=1`, {
    signal: AbortSignal.timeout(10_000),
  }).catch((error: unknown) => {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    throw new UsageError(`--prometheus-url ${url} cannot be reached: ${String(cause)}`, {
      cause: error,
    });
  });
  if (!answer.ok) {
    throw new UsageError(`--prometheus-url ${url} answered ${answer.status} to the query 1`);
  }
}

async function serves(client: ApiClient, apiVersion: string): Promise<boolean> {
  return (await client.send('GET', `/apis/${apiVersion}`)).status === 200;
}

async function deploy(site: Site, colour: Colour, version: string): Promise<void> {
  const { client, cluster, signal } = site;
  const { image } = cluster;
  await client.apply(serviceObject(namespace, colour));
  await client.apply(deploymentObject({ namespace, colour, version, image }));
  const reference: ObjectReference = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    namespace,
    name: serviceOf(colour),
  };
  const deadlineMs = systemClock.monotonic() + availableWithinMs;
  while (!isAvailable(await client.get(reference))) {
    if (systemClock.monotonic() > deadlineMs) {
      throw new Error(
        `Deployment ${namespace}/${reference.name} is not available after ${availableWithinMs / 1_000} s: ${await podTrouble(client, colour)}`,
      );
    }
    await systemClock.sleep(pollEveryMs, signal);
  }
}

interface DeploymentStatus {
  readonly observedGeneration?: number;
  readonly replicas?: number;
  readonly updatedReplicas?: number;
  readonly availableReplicas?: number;
}

function isAvailable(deployment: KubeObject | undefined): boolean {
  const status = (deployment?.['status'] ?? {}) as DeploymentStatus;
  return (
    deployment !== undefined &&
    status.observedGeneration === deployment.metadata['generation'] &&
    status.replicas === 1 &&
    status.updatedReplicas === 1 &&
    status.availableReplicas === 1
  );
}

/** Why its pods are not ready, as the kubelet says it. */
async function podTrouble(client: ApiClient, colour: Colour): Promise<string> {
  const pods = await client.list('v1', 'Pod', namespace);
  const reasons = pods
    .filter(({ metadata }) => (metadata['labels'] as Record<string, string>)['colour'] === colour)
    .map((pod) => {
      const { phase = 'unknown', containerStatuses = [] } = pod['status'] as PodStatus;
      const waiting = containerStatuses.flatMap(({ state }) => state?.waiting ?? []);
      const why = waiting.map(({ reason, message }) => `${reason}: ${message ?? ''}`).join('; ');
      return `${pod.metadata.name} is ${phase}${why === '' ? '' : ` (${why})`}`;
    });
  return reasons.length === 0 ? 'it has no pods' : reasons.join('; ');
}

interface PodStatus {
  readonly phase?: string;
  readonly containerStatuses?: readonly {
    readonly state?: { readonly waiting?: { readonly reason: string; readonly message?: string } };
  }[];
}

/** Through the API server, which reaches every pod. */
async function fail({ client }: Site, colour: Colour, errorRate: number): Promise<void> {
  const service = `${serviceOf(colour)}:${adminPortName}`;
  const path = `/api/v1/namespaces/${namespace}/services/${service}/proxy/fault`;
  const { status, body } = await client.send('POST', path, { body: { errorRate } });
  if (status !== 200)
    throw new Error(`the fault was refused with ${status}: ${JSON.stringify(body)}`);
}

/** The rollout's finalizer is the controller's to remove. */
async function leave({ client, say }: Site): Promise<void> {
  const reference = rolloutReference(namespace);
  await client.delete(reference);
  if (await isGone(client, reference)) return;
  say(`the controller does not let go of GenesisRollout ${app}; its finalizer is removed by force`);
  await client.patch(reference, { metadata: { finalizers: null } });
}

async function stop({ client, say }: Site): Promise<void> {
  say(`deleting namespace ${namespace}`);
  await client.delete(namespaceReference);
  if (!(await isGone(client, namespaceReference))) {
    say(`namespace ${namespace} is still being deleted; the cluster goes on with that by itself`);
  }
  await client.close();
}

async function isGone(client: ApiClient, reference: ObjectReference): Promise<boolean> {
  const deadlineMs = systemClock.monotonic() + goneWithinMs;
  while ((await client.get(reference)) !== undefined) {
    if (systemClock.monotonic() > deadlineMs) return false;
    await systemClock.sleep(pollEveryMs);
  }
  return true;
}
