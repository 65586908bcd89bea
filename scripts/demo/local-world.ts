/** Everything on this machine: a control plane, Prometheus, Contour with Envoy, and versions of the service as local processes. */
import { join } from 'node:path';

import { type InnerDoors, openInnerDoors } from '#scripts/testbed/doors.ts';
import {
  applyBackendService,
  type Backend,
  type ControlPlane,
  type Gateway,
  isAlive,
  type Part,
  type Prometheus,
  startControlPlane,
  startGateway,
  startPart,
  startPrometheus,
} from '#scripts/testbed/index.ts';
import { saveLogs } from './logs.ts';
import { app, type Colour, colours, hostname, serviceOf } from './objects.ts';
import type { World } from './world.ts';

export interface LocalOptions {
  readonly folder: string;
  /** The folder of the doors out of the network namespace, if a person is to look inside. */
  readonly doors: string | undefined;
  readonly say: (sentence: string) => void;
  readonly signal: AbortSignal;
}

/** An endpoint may not be a loopback address; these are documentation's own, and local inside the network namespace. */
const addresses: Readonly<Record<Colour, string>> = { blue: '192.0.2.21', green: '192.0.2.22' };
const trafficPort = 8080;
const adminPort = 9090;
const namespace = 'shop';
const service = join(import.meta.dirname, 'service.ts');
const crds = join(import.meta.dirname, '../../crds');

interface Parts {
  doors?: InnerDoors;
  plane?: ControlPlane;
  prometheus?: Prometheus;
  gateway?: Gateway;
  readonly versions: Map<Colour, Part>;
}

/** To be called inside the testbed's network namespace. */
export async function createLocalWorld(options: LocalOptions): Promise<World> {
  const parts: Parts = { versions: new Map() };
  try {
    return await bringUp(parts, options);
  } catch (error) {
    await saveLogs(logFolders(parts), options.folder);
    await stopAll(parts);
    throw error;
  }
}

async function bringUp(parts: Parts, options: LocalOptions): Promise<World> {
  const { say, signal } = options;
  say('starting etcd and the API server');
  const plane = await startControlPlane({ say, signal, controllerManager: false, crds: [crds] });
  parts.plane = plane;
  say('starting Contour and Envoy, and Prometheus');
  const gateway = await startGateway({ plane, say, signal });
  parts.gateway = gateway;
  const prometheus = await startPrometheus({
    say,
    signal,
    scrape: [{ job: app, targets: colours.map((colour) => `${addresses[colour]}:${adminPort}`) }],
    scrapeInterval: '1s',
  });
  parts.prometheus = prometheus;
  const { client } = plane;
  await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  if (options.doors !== undefined) {
    parts.doors = await openInnerDoors(options.doors, {
      kubeconfigPath: plane.kubeconfigPath,
      apiServerUrl: plane.url,
      prometheusUrl: prometheus.url,
      gatewayUrl: gateway.url,
    });
  }
  return {
    client,
    kubeconfigPath: plane.kubeconfigPath,
    prometheusUrl: prometheus.url,
    namespace,
    gateway: { url: gateway.url, parentRef: gateway.parentRef },
    howToLook: lookThrough(parts.doors),
    logFolders: logFolders(parts),
    deploy: async (colour, version) => {
      await parts.versions.get(colour)?.stop();
      const backend: Backend = { address: addresses[colour], port: trafficPort };
      await applyBackendService({
        client,
        namespace,
        service: serviceOf(colour),
        backends: [backend],
      });
      parts.versions.set(colour, await startVersion(colour, version, options));
    },
    fail: async (colour, errorRate) => {
      const response = await fetch(`${adminUrl(colour)}/fault`, {
        method: 'POST',
        body: JSON.stringify({ errorRate }),
        signal: AbortSignal.timeout(2_000),
      });
      if (!response.ok) throw new Error(`the fault was refused: ${await response.text()}`);
    },
    ended: async () => await firstEnded(parts),
    // The whole cluster goes in a moment.
    leave: async () => undefined,
    stop: async () => await stopAll(parts),
  };
}

async function startVersion(
  colour: Colour,
  version: string,
  { folder, signal }: LocalOptions,
): Promise<Part> {
  return await startPart({
    name: `${serviceOf(colour)}-${version}`,
    command: process.execPath,
    args: [
      service,
      `--version=${version}`,
      `--namespace=${namespace}`,
      `--service=${serviceOf(colour)}`,
      `--address=${addresses[colour]}`,
      `--port=${trafficPort}`,
      `--admin-port=${adminPort}`,
    ],
    runFolder: folder,
    isReady: async (ready) => (await fetch(`${adminUrl(colour)}/metrics`, { signal: ready })).ok,
    signal,
  });
}

function adminUrl(colour: Colour): string {
  return `http://${addresses[colour]}:${adminPort}`;
}

function logFolders({ plane, prometheus }: Parts): readonly string[] {
  return [plane?.runFolder, prometheus?.runFolder].filter((folder) => folder !== undefined);
}

async function firstEnded(parts: Parts): Promise<string | undefined> {
  const pids = { ...parts.plane?.pids(), ...parts.gateway?.pids() };
  for (const [name, pid] of Object.entries(pids)) {
    if (!(await isAlive(pid))) return name;
  }
  return [...parts.versions.values()].find((part) => !part.isRunning())?.name;
}

/** What sends requests goes before what answers them; the API server goes last. */
function lookThrough(doors: InnerDoors | undefined): readonly string[] {
  if (doors === undefined) return [];
  return [
    `  export KUBECONFIG=${doors.kubeconfigPath}`,
    `  kubectl -n ${namespace} get genesisrollouts,httproutes`,
    `  kubectl -n ${namespace} describe genesisrollout ${app}`,
    `  curl -i -H 'Host: ${hostname}' ${doors.gatewayUrl}`,
    `  ${doors.prometheusUrl}   Prometheus, in a browser`,
  ];
}

async function stopAll({ doors, versions, gateway, prometheus, plane }: Parts): Promise<void> {
  await doors?.close();
  await gateway?.stop();
  await Promise.all([
    ...[...versions.values()].map(async (part) => await part.stop({ killAfterMs: 1_000 })),
    prometheus?.stop(),
  ]);
  await plane?.stop();
}
