/** A real Kubernetes control plane on this machine: etcd, kube-apiserver, and if asked for kube-controller-manager and KWOK. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { stringify } from 'yaml';

import { ApiClient } from './api-client.ts';
import { type BuildOptions, toolPath } from './build.ts';
import {
  type Credentials,
  createCredentials,
  type TestbedUser,
  writeKubeconfig,
} from './credentials.ts';
import { startKwok } from './kwok.ts';
import { addAddress } from './namespace.ts';
import { type Part, type StopOptions, startPart, withFreePorts } from './part.ts';
import { createRunFolder, keepOrRemove, type RunFolder } from './run-folder.ts';

export interface ControlPlaneOptions extends BuildOptions {
  /** Writes one line for every request to `auditLogPath`. Default: no audit log. */
  readonly auditPolicy?: 'Metadata' | 'Request' | 'RequestResponse';
  /** Deployments, ReplicaSets, EndpointSlices, garbage collection, namespaces' ends. Default true. */
  readonly controllerManager?: boolean;
  /** A node on which pods become Ready at once. Needs the controller manager for Deployments. Default false. */
  readonly kwok?: boolean;
  /** For a whole node, which `startNode` adds: the API server is reached by pods and reaches the kubelet. Only inside the node's namespace. */
  readonly node?: boolean;
  /** Files or folders with CRDs (or any other objects), applied before it resolves. */
  readonly crds?: readonly string[];
  /** Users beside `admin`, without any rights but those of their groups and bindings. */
  readonly users?: readonly TestbedUser[];
  readonly apiServerFlags?: readonly string[];
}

export interface ControlPlane {
  readonly url: string;
  readonly caFile: string;
  /** The kubeconfig of `admin`. */
  readonly kubeconfigPath: string;
  /** Bearer tokens by user name. */
  readonly tokens: Readonly<Record<string, string>>;
  /** Undefined without `auditPolicy`. */
  readonly auditLogPath: string | undefined;
  /** Logs (`<part>.log`) and everything else of this run. */
  readonly runFolder: string;
  /** Acts as `admin`. */
  readonly client: ApiClient;
  /** Process ids by part name; they change with a restart. */
  readonly pids: () => Readonly<Record<string, number>>;
  /** A kubeconfig for one of `tokens`, or for any other token, such as one of a ServiceAccount. */
  kubeconfigFor(user: string, token?: string): Promise<string>;
  /** An outage: `SIGKILL` for a crash, default a polite stop, killed after a second since it waits for its watches. */
  stopApiServer(options?: StopOptions): Promise<void>;
  /** Ends the outage, at the same address with the same certificate. */
  startApiServer(): Promise<void>;
  stop(): Promise<void>;
}

/** Every part may be down in an outage test, so each stands here under its name. */
type Parts = Map<string, Part>;

interface Site {
  readonly folder: string;
  readonly credentials: Credentials;
  readonly etcdUrl: string;
  readonly port: number;
  readonly options: ControlPlaneOptions;
}

/** Where pods reach the API server; without a node nobody does, but it does not start without an address that is not loopback. */
const advertiseAddress = '192.0.2.1';
const excludedControllers = ['nodeipam', 'node-route-controller', 'cloud-node-lifecycle'];

/** Resolves when the API server is ready and the parts asked for work. Missing tools are built first, which takes minutes once. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  await Promise.all(neededTools(options).map(async (name) => await toolPath(name, options)));
  const folder = await createRunFolder();
  const parts: Parts = new Map();
  try {
    return await bringUp(folder, parts, options);
  } catch (error) {
    await stopParts(parts);
    await keepOrRemove(folder, options.signal);
    throw error;
  }
}

function neededTools(options: ControlPlaneOptions) {
  const { controllerManager = true, kwok = false } = options;
  return [
    'etcd' as const,
    'kube-apiserver' as const,
    ...(controllerManager ? (['kube-controller-manager'] as const) : []),
    ...(kwok ? (['kwok'] as const) : []),
  ];
}

async function bringUp(
  folder: RunFolder,
  parts: Parts,
  options: ControlPlaneOptions,
): Promise<ControlPlane> {
  if (options.node === true) await addAddress(advertiseAddress);
  const credentials = await createCredentials(folder.path, options.users ?? []);
  const etcdUrl = await startEtcd(folder.path, parts, options);
  const site = await withFreePorts(1, async ([port = 0]) => {
    const site = { folder: folder.path, credentials, etcdUrl, port, options };
    await startApiServer(site, parts);
    return site;
  });
  const plane = await describe(site, parts, folder);
  await allOrNone(options.signal, (signal) => [
    options.controllerManager === false
      ? undefined
      : startControllerManager({ ...site, options: { ...options, signal } }, plane, parts),
    options.kwok === true
      ? startKwok({ ...plane, signal }).then((part) => parts.set('kwok', part))
      : undefined,
    plane.client.applyFiles(...(options.crds ?? [])),
  ]);
  return plane;
}

/** The first failure ends the others, and they have ended before it is reported: nothing starts after the clean-up. */
async function allOrNone(
  outer: AbortSignal | undefined,
  begin: (signal: AbortSignal) => readonly unknown[],
): Promise<void> {
  const failed = new AbortController();
  const signal = outer === undefined ? failed.signal : AbortSignal.any([outer, failed.signal]);
  const work = begin(signal);
  try {
    await Promise.all(work);
  } catch (error) {
    failed.abort(error);
    await Promise.allSettled(work);
    throw error;
  }
}

async function describe(site: Site, parts: Parts, folder: RunFolder): Promise<ControlPlane> {
  const { credentials } = site;
  const url = urlOf(site);
  const caFile = certificateOf(site);
  const kubeconfigFor = async (user: string, token = credentials.tokens[user]) => {
    if (token === undefined) {
      throw new Error(
        `there is no user ${user}; there are ${Object.keys(credentials.tokens).join(', ')}`,
      );
    }
    return await writeKubeconfig({
      file: join(folder.path, `${user.replaceAll(/[^\w.-]/g, '_')}.kubeconfig`),
      url,
      caFile,
      user,
      token,
    });
  };
  const client = await adminClient(site);
  return {
    url,
    caFile,
    kubeconfigPath: await kubeconfigFor('admin'),
    tokens: credentials.tokens,
    auditLogPath:
      site.options.auditPolicy === undefined ? undefined : join(folder.path, 'audit.log'),
    runFolder: folder.path,
    client,
    pids: () => Object.fromEntries([...parts].map(([name, part]) => [name, part.pid])),
    kubeconfigFor,
    stopApiServer: async (stop = {}) =>
      await parts.get('kube-apiserver')?.stop({ killAfterMs: 1_000, ...stop }),
    startApiServer: async () => await startApiServer(site, parts),
    stop: async () => {
      await client.close();
      await stopParts(parts);
      await folder.remove();
    },
  };
}

/** The API server goes before its etcd: one that outlives it hangs. What talks to the API server goes first. */
async function stopParts(parts: Parts): Promise<void> {
  const last = ['kube-apiserver', 'etcd'];
  const clients = [...parts].filter(([name]) => !last.includes(name));
  await Promise.all(clients.map(async ([, part]) => await part.stop({ killAfterMs: 1_000 })));
  // Its data is thrown away, so nothing is won by waiting for a polite end.
  for (const name of last) await parts.get(name)?.stop({ signal: 'SIGKILL' });
}

async function startEtcd(
  folder: string,
  parts: Parts,
  options: ControlPlaneOptions,
): Promise<string> {
  return await withFreePorts(2, async ([clientPort = 0, peerPort = 0]) => {
    const url = `http://127.0.0.1:${clientPort}`;
    const peerUrl = `http://127.0.0.1:${peerPort}`;
    const part = await startPart({
      name: 'etcd',
      command: await toolPath('etcd', options),
      args: [
        '--name=testbed',
        `--data-dir=${join(folder, 'etcd')}`,
        `--listen-client-urls=${url}`,
        `--advertise-client-urls=${url}`,
        `--listen-peer-urls=${peerUrl}`,
        `--initial-advertise-peer-urls=${peerUrl}`,
        `--initial-cluster=testbed=${peerUrl}`,
        // The data lives for one run; waiting for the disk would only make tests slow.
        '--unsafe-no-fsync',
        '--log-level=warn',
      ],
      runFolder: folder,
      isReady: async (signal) => (await fetch(`${url}/readyz`, { signal })).ok,
      ...pass(options),
    });
    parts.set('etcd', part);
    return url;
  });
}

async function startApiServer(site: Site, parts: Parts): Promise<void> {
  const { folder, credentials, etcdUrl, port, options } = site;
  await mkdir(join(folder, 'certificates'), { recursive: true });
  const part = await startPart({
    name: 'kube-apiserver',
    command: await toolPath('kube-apiserver', options),
    args: [
      `--etcd-servers=${etcdUrl}`,
      `--bind-address=${options.node === true ? '0.0.0.0' : '127.0.0.1'}`,
      `--secure-port=${port}`,
      `--advertise-address=${advertiseAddress}`,
      // Not its name: there is no DNS.
      '--kubelet-preferred-address-types=InternalIP',
      `--cert-dir=${join(folder, 'certificates')}`,
      `--service-account-key-file=${credentials.serviceAccountKeyFile}`,
      `--service-account-signing-key-file=${credentials.serviceAccountKeyFile}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      '--service-cluster-ip-range=10.96.0.0/16',
      '--authorization-mode=RBAC',
      `--token-auth-file=${credentials.tokenFile}`,
      '--allow-privileged=true',
      // Without a controller manager nobody makes ServiceAccounts, and no pod could be created.
      ...(options.controllerManager === false
        ? ['--disable-admission-plugins=ServiceAccount']
        : []),
      ...(await auditFlags(site)),
      ...(options.apiServerFlags ?? []),
    ],
    runFolder: folder,
    isReady: async (signal) => await apiServerIsReady(site, signal),
    readyWithinMs: 60_000,
    ...pass(options),
  });
  parts.set('kube-apiserver', part);
}

async function apiServerIsReady(site: Site, signal: AbortSignal): Promise<boolean> {
  const client = await adminClient(site);
  try {
    return (await client.send('GET', '/readyz', { signal })).status === 200;
  } finally {
    await client.close();
  }
}

async function auditFlags({ folder, options }: Site): Promise<readonly string[]> {
  if (options.auditPolicy === undefined) return [];
  const file = join(folder, 'audit-policy.yaml');
  const policy = {
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived'],
    rules: [{ level: options.auditPolicy }],
  };
  await writeFile(file, stringify(policy));
  // Never rotated: a count over two files is easily wrong.
  return [
    `--audit-policy-file=${file}`,
    `--audit-log-path=${join(folder, 'audit.log')}`,
    '--audit-log-maxsize=100000',
  ];
}

async function startControllerManager(
  site: Site,
  plane: ControlPlane,
  parts: Parts,
): Promise<void> {
  const kubeconfig = await plane.kubeconfigFor('testbed-controller-manager');
  await withFreePorts(1, async ([port = 0]) => {
    const part = await startPart({
      name: 'kube-controller-manager',
      command: await toolPath('kube-controller-manager', site.options),
      args: [
        `--kubeconfig=${kubeconfig}`,
        `--service-account-private-key-file=${site.credentials.serviceAccountKeyFile}`,
        `--root-ca-file=${plane.caFile}`,
        '--leader-elect=false',
        `--controllers=${controllers(site.options)}`,
        // A benchmark makes thousands of pods; the default of 20 requests a second would be what is measured.
        '--kube-api-qps=500',
        '--kube-api-burst=1000',
        '--bind-address=127.0.0.1',
        `--secure-port=${port}`,
        `--cert-dir=${join(site.folder, 'controller-manager-certificates')}`,
      ],
      runFolder: site.folder,
      // The first ServiceAccount shows that its controllers run, and without it no pod can be made.
      isReady: async () =>
        (await plane.client.get({
          apiVersion: 'v1',
          kind: 'ServiceAccount',
          namespace: 'default',
          name: 'default',
        })) !== undefined,
      ...pass(site.options),
    });
    parts.set('kube-controller-manager', part);
  });
}

/** KWOK's node sends no heartbeats that anybody should wait for. */
function controllers({ node = false }: ControlPlaneOptions): string {
  const excluded = [...excludedControllers, ...(node ? [] : ['nodelifecycle'])];
  return ['*', ...excluded.map((name) => `-${name}`)].join(',');
}

/** The certificate of one that listens on all addresses names `localhost`, not 127.0.0.1. */
function urlOf({ port, options }: Site): string {
  return `https://${options.node === true ? 'localhost' : '127.0.0.1'}:${port}`;
}

/** The certificate that the API server signs for itself holds its authority too. */
function certificateOf({ folder }: Site): string {
  return join(folder, 'certificates', 'apiserver.crt');
}

async function adminClient(site: Site): Promise<ApiClient> {
  const token = site.credentials.tokens['admin'] ?? '';
  return new ApiClient({
    url: urlOf(site),
    ca: await readFile(certificateOf(site), 'utf8'),
    token,
  });
}

function pass({ signal }: BuildOptions): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
