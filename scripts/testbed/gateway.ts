/** A real gateway, Contour with Envoy, that splits requests by the weights of HTTPRoutes and GRPCRoutes, inside the network namespace. */
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';

import { stringify } from 'yaml';

import { type ApiClient, conditionIs } from './api-client.ts';
import { type BuildOptions, toolPath } from './build.ts';
import { run } from './command.ts';
import type { ControlPlane } from './control-plane.ts';
import { contourCrds, gatewayApiCrds } from './manifests.ts';
import { addAddress } from './namespace.ts';
import { type Part, startPart, withFreePorts } from './part.ts';

export interface GatewayOptions extends BuildOptions {
  readonly plane: Pick<ControlPlane, 'client' | 'kubeconfigFor' | 'runFolder'>;
}

export interface Gateway {
  /** Where requests go, for example `http://192.0.2.10:16080`. Envoy picks the route by the Host header. */
  readonly url: string;
  /** For `parentRefs` of routes. */
  readonly parentRef: { readonly name: string; readonly namespace: string };
  readonly pids: () => Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

/** One local process that stands for a pod. */
export interface Backend {
  readonly address: string;
  readonly port: number;
}

export interface BackendServiceOptions {
  readonly client: ApiClient;
  readonly namespace: string;
  readonly service: string;
  /** The Service's own port; default 80. */
  readonly port?: number;
  readonly backends: readonly Backend[];
}

const contourNamespace = 'projectcontour';
const gatewayName = 'gw';
const gatewayAddress = '192.0.2.10';
const listenerPort = 8080;
/** Contour adds 8,000 to a listener's port, so that Envoy needs no privilege for 80 and 443. */
const envoyPort = listenerPort + 8000;

/** Builds and fetches what the gateway needs; to be called before the namespace is entered. */
export async function prepareGateway(options: BuildOptions = {}): Promise<void> {
  await toolPath('contour', options);
  await toolPath('envoy', options);
  await gatewayApiCrds(options);
  await contourCrds(options);
}

/** Resolves when the Gateway is programmed and Envoy is ready. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { client } = options.plane;
  await addAddress(gatewayAddress);
  await client.applyFiles(...(await gatewayApiCrds(options)), ...(await contourCrds(options)));
  for (const object of objects) await client.apply(object);
  const contour = await startContour(options);
  try {
    const envoy = await startEnvoy(options, contour.xdsPort);
    const parts = [contour.part, envoy];
    return {
      url: `http://${gatewayAddress}:${envoyPort}`,
      parentRef: { name: gatewayName, namespace: contourNamespace },
      pids: () => Object.fromEntries(parts.map(({ name, pid }) => [name, pid])),
      stop: async () => {
        await Promise.all(parts.map(async (part) => await part.stop({ killAfterMs: 1_000 })));
      },
    };
  } catch (error) {
    await contour.part.stop();
    throw error;
  }
}

/** A Service without a selector, whose EndpointSlice names local processes. Applying it again moves the Service to other backends. */
export async function applyBackendService(options: BackendServiceOptions): Promise<void> {
  const { client, namespace, service, port = 80, backends } = options;
  for (const { address } of backends) await addAddress(address);
  const ports = [...new Set(backends.map((backend) => backend.port))];
  await client.apply({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: service, namespace },
    spec: { ports: [{ name: 'http', port, protocol: 'TCP' }] },
  });
  // A slice has one list of ports for all its addresses, so there is one slice for each port.
  for (const targetPort of ports) {
    await client.apply({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: `${service}-${targetPort}`,
        namespace,
        labels: {
          'kubernetes.io/service-name': service,
          'endpointslice.kubernetes.io/managed-by': 'testbed',
        },
      },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: targetPort, protocol: 'TCP' }],
      endpoints: backends
        .filter((backend) => backend.port === targetPort)
        .map(({ address }) => ({ addresses: [address], conditions: { ready: true } })),
    });
  }
}

async function startContour(options: GatewayOptions): Promise<{ part: Part; xdsPort: number }> {
  const { plane } = options;
  const config = join(plane.runFolder, 'contour.yaml');
  await writeFile(
    config,
    stringify({
      gateway: { gatewayRef: { namespace: contourNamespace, name: gatewayName } },
      // One line for every request of a load generator is of no use to anybody.
      'accesslog-level': 'disabled',
    }),
  );
  const kubeconfig = await plane.kubeconfigFor('testbed-contour');
  const parent = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    namespace: contourNamespace,
    name: gatewayName,
  };
  return await withFreePorts(
    4,
    async ([xdsPort = 0, metricsPort = 0, healthPort = 0, debugPort = 0]) => {
      const part = await startPart({
        name: 'contour',
        command: await toolPath('contour', options),
        args: [
          'serve',
          `--kubeconfig=${kubeconfig}`,
          `--config-path=${config}`,
          '--insecure',
          '--disable-leader-election',
          '--xds-address=127.0.0.1',
          `--xds-port=${xdsPort}`,
          `--envoy-service-http-address=${gatewayAddress}`,
          '--http-address=127.0.0.1',
          `--http-port=${metricsPort}`,
          '--health-address=127.0.0.1',
          `--health-port=${healthPort}`,
          '--debug-http-address=127.0.0.1',
          `--debug-http-port=${debugPort}`,
        ],
        runFolder: plane.runFolder,
        isReady: async () => {
          const gateway = await plane.client.get(parent);
          return gateway !== undefined && conditionIs(gateway, 'Programmed', 'True');
        },
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
      return { part, xdsPort };
    },
  );
}

async function startEnvoy(options: GatewayOptions, xdsPort: number): Promise<Part> {
  const { runFolder } = options.plane;
  const bootstrap = join(runFolder, 'envoy.json');
  const admin = join(runFolder, 'envoy-admin.sock');
  const contour = await toolPath('contour', options);
  await run(contour, [
    'bootstrap',
    bootstrap,
    '--xds-address=127.0.0.1',
    `--xds-port=${xdsPort}`,
    `--admin-address=${admin}`,
  ]);
  return await startPart({
    name: 'envoy',
    command: await toolPath('envoy', options),
    args: [
      `--config-path`,
      bootstrap,
      '--service-cluster',
      contourNamespace,
      '--service-node',
      'envoy-1',
      '--log-level',
      'warning',
      // Hot restart shares memory among all Envoys of the machine by number.
      '--disable-hot-restart',
    ],
    runFolder,
    isReady: async (signal) => (await adminStatus(admin, '/ready', signal)) === 200,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}

async function adminStatus(
  socketPath: string,
  path: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  request({ socketPath, path, signal }, (response) => {
    response.resume();
    resolve(response.statusCode);
  })
    .on('error', reject)
    .end();
  return await promise;
}

const objects = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: contourNamespace } },
  // Contour looks up the address of its Envoy here.
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'envoy', namespace: contourNamespace },
    spec: { ports: [{ name: 'http', port: listenerPort, targetPort: envoyPort }] },
  },
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: { name: 'contour' },
    spec: { controllerName: 'projectcontour.io/gateway-controller' },
  },
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: gatewayName, namespace: contourNamespace },
    spec: {
      gatewayClassName: 'contour',
      listeners: [
        {
          name: 'http',
          protocol: 'HTTP',
          port: listenerPort,
          allowedRoutes: { namespaces: { from: 'All' } },
        },
      ],
    },
  },
];
