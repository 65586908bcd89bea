/** kube-proxy: addresses of Services lead to pods. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { stringify } from 'yaml';

import { type BuildOptions, toolPath } from '#scripts/testbed/build.ts';
import type { ControlPlane } from '#scripts/testbed/control-plane.ts';
import { type Part, startPart, withFreePorts } from '#scripts/testbed/part.ts';
import { podNetwork } from './containerd.ts';
import { nodeAddress, nodeName } from './kubelet.ts';

export interface KubeProxyOptions extends BuildOptions {
  readonly plane: Pick<ControlPlane, 'kubeconfigFor'>;
  readonly folder: string;
}

export async function startKubeProxy(options: KubeProxyOptions): Promise<Part> {
  const { plane, folder } = options;
  const kubeconfig = await plane.kubeconfigFor('testbed-kube-proxy');
  const config = join(folder, 'kube-proxy.yaml');
  return await withFreePorts(2, async ([health = 0, metrics = 0]) => {
    const configuration = {
      apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
      kind: 'KubeProxyConfiguration',
      clientConnection: { kubeconfig },
      mode: 'nftables',
      hostnameOverride: nodeName,
      bindAddress: nodeAddress,
      clusterCIDR: podNetwork,
      healthzBindAddress: `127.0.0.1:${health}`,
      metricsBindAddress: `127.0.0.1:${metrics}`,
      // The limits of the machine's connection tracking are not ours to change.
      conntrack: { maxPerCore: 0, min: 0 },
    };
    await writeFile(config, stringify(configuration));
    return await startPart({
      name: 'kube-proxy',
      command: await toolPath('kube-proxy', options),
      args: [`--config=${config}`],
      runFolder: folder,
      isReady: async (signal) => (await fetch(`http://127.0.0.1:${health}/healthz`, { signal })).ok,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  });
}
