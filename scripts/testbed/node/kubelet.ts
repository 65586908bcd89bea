/** The kubelet: what makes a node of a container runtime. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { stringify } from 'yaml';

import { conditionIs } from '#scripts/testbed/api-client.ts';
import { type BuildOptions, toolPath } from '#scripts/testbed/build.ts';
import type { ControlPlane } from '#scripts/testbed/control-plane.ts';
import { type Part, startPart } from '#scripts/testbed/part.ts';
import { containerdSocket } from './containerd.ts';

export const nodeName = 'node';
/** Pods and the API server reach the node here. */
export const nodeAddress = '192.0.2.10';

/** Behind the names of Services. */
export const clusterDomain = 'cluster.local';

const readyWithinMs = 90_000;

export interface KubeletOptions extends BuildOptions {
  readonly plane: Pick<ControlPlane, 'client' | 'kubeconfigFor'>;
  readonly folder: string;
  /** All containers are below it; it must be there. */
  readonly cgroup: string;
}

/** Resolves when the node is Ready. */
export async function startKubelet(options: KubeletOptions): Promise<Part> {
  const { plane, folder } = options;
  const config = join(folder, 'kubelet.yaml');
  await mkdir(join(folder, 'pod-logs'), { recursive: true });
  await writeFile(config, stringify(configuration(options)));
  return await startPart({
    name: 'kubelet',
    command: await toolPath('kubelet', options),
    args: [
      `--config=${config}`,
      `--kubeconfig=${await plane.kubeconfigFor('testbed-kubelet')}`,
      `--hostname-override=${nodeName}`,
      `--node-ip=${nodeAddress}`,
      `--root-dir=${join(folder, 'kubelet')}`,
      `--cert-dir=${join(folder, 'kubelet-certificates')}`,
    ],
    runFolder: folder,
    isReady: async () => {
      const node = await plane.client.get({ apiVersion: 'v1', kind: 'Node', name: nodeName });
      return node !== undefined && conditionIs(node, 'Ready', 'True');
    },
    readyWithinMs,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}

function configuration({ folder, cgroup }: KubeletOptions): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: nodeAddress,
    healthzBindAddress: '127.0.0.1',
    containerRuntimeEndpoint: `unix://${containerdSocket}`,
    // Nobody but this namespace reaches it; for logs and exec the API server comes without a certificate.
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    cgroupDriver: 'cgroupfs',
    cgroupRoot: cgroup,
    failCgroupV1: false,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    podLogsDir: join(folder, 'pod-logs'),
    clusterDNS: [nodeAddress],
    clusterDomain,
    resolvConf: '',
    // The machine's disk may be full to its own liking; an image that is gone could not be pulled again.
    evictionHard: { 'memory.available': '0%', 'nodefs.available': '0%', 'imagefs.available': '0%' },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    nodeStatusUpdateFrequency: '5s',
  };
}
