/** A whole node beside a control plane: containerd, kubelet, kube-scheduler, kube-proxy and CoreDNS, inside a namespace of its own. Pods run, logs and exec work. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { type BuildOptions, toolPath } from '#scripts/testbed/build.ts';
import type { ControlPlane } from '#scripts/testbed/control-plane.ts';
import { addAddress, isInNodeNamespace, outerPid } from '#scripts/testbed/namespace.ts';
import { ensurePackages, type PackageName } from '#scripts/testbed/packages.ts';
import { type Part, startPart } from '#scripts/testbed/part.ts';
import { makeCgroup, removeCgroup, sweepCgroups } from './cgroups.ts';
import { importImage, startContainerd, tagImage } from './containerd.ts';
import { endContainers, unmountBelow } from './containers.ts';
import { startDns } from './dns.ts';
import { startKubeProxy } from './kube-proxy.ts';
import { nodeAddress, nodeName, startKubelet } from './kubelet.ts';
import { makePauseArchive } from './pause.ts';

export interface NodeOptions extends BuildOptions {
  /** Started with `node: true`. */
  readonly plane: Pick<ControlPlane, 'client' | 'kubeconfigFor' | 'runFolder'>;
  /** Archives of images, as `docker save` writes them: nothing can be pulled. */
  readonly images?: readonly string[];
}

export interface WholeNode {
  readonly name: string;
  /** Pods reach what listens here, as on any node. */
  readonly address: string;
  readonly pids: () => Readonly<Record<string, number>>;
  importImage(archive: string): Promise<void>;
  tagImage(tag: string, other: string): Promise<void>;
  /** Before the control plane is stopped. */
  stop(): Promise<void>;
}

const packages: readonly PackageName[] = [
  'containerd',
  'runc',
  'containernetworking-plugins',
  'nftables',
  'conntrack',
];
const nodeTools = ['kubelet', 'kube-scheduler', 'kube-proxy', 'coredns'] as const;

/** Installs and builds what it needs; to be called before the namespace is entered. */
export async function prepareNode(options: BuildOptions = {}): Promise<void> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    throw new Error('a whole node runs containers and a kubelet: that needs Linux and root');
  }
  await ensurePackages(packages, options);
  for (const name of nodeTools) await toolPath(name, options);
  await sweepCgroups();
}

/** Resolves when the node is Ready and the images are there. */
export async function startNode(options: NodeOptions): Promise<WholeNode> {
  const owner = outerPid();
  if (!isInNodeNamespace() || owner === undefined) {
    throw new Error(
      'a whole node starts only inside: run the program with runInNamespace(…, { node: true })',
    );
  }
  const folder = join(options.plane.runFolder, 'node');
  await mkdir(folder, { recursive: true });
  await addAddress(nodeAddress);
  const parts: Part[] = [];
  const cgroup = await makeCgroup(owner);
  const stop = async () => {
    await Promise.all(parts.map(async (part) => await part.stop({ killAfterMs: 2_000 })));
    await endContainers();
    await unmountBelow(folder, '/run/containerd', '/run/netns');
    await removeCgroup(cgroup);
  };
  try {
    await bringUp(options, folder, cgroup, parts);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    name: nodeName,
    address: nodeAddress,
    pids: () => Object.fromEntries(parts.map(({ name, pid }) => [name, pid])),
    importImage,
    tagImage,
    stop,
  };
}

async function bringUp(
  options: NodeOptions,
  folder: string,
  cgroup: string,
  parts: Part[],
): Promise<void> {
  const add = async (part: Promise<Part>) => parts.push(await part);
  await add(startContainerd({ ...options, folder }));
  await importImage(await makePauseArchive(folder));
  const work = [
    add(startKubelet({ ...options, folder, cgroup })),
    add(startKubeProxy({ ...options, folder })),
    add(startScheduler(options, folder)),
    add(startDns({ ...options, folder })),
    ...(options.images ?? []).map(importImage),
  ];
  const results = await Promise.allSettled(work);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function startScheduler(options: NodeOptions, folder: string): Promise<Part> {
  return await startPart({
    name: 'kube-scheduler',
    command: await toolPath('kube-scheduler', options),
    args: [
      `--kubeconfig=${await options.plane.kubeconfigFor('testbed-kube-scheduler')}`,
      '--leader-elect=false',
      // Nobody asks it anything.
      '--secure-port=0',
    ],
    runFolder: folder,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}
