/** CoreDNS: pods find Services by their names. Names of the world outside are not known: there is no way out. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { type BuildOptions, toolPath } from '#scripts/testbed/build.ts';
import type { ControlPlane } from '#scripts/testbed/control-plane.ts';
import { type Part, startPart, withFreePorts } from '#scripts/testbed/part.ts';
import { clusterDomain, nodeAddress } from './kubelet.ts';

export interface DnsOptions extends BuildOptions {
  readonly plane: Pick<ControlPlane, 'kubeconfigFor'>;
  readonly folder: string;
}

export async function startDns(options: DnsOptions): Promise<Part> {
  const { plane, folder } = options;
  const kubeconfig = await plane.kubeconfigFor('testbed-coredns');
  const config = join(folder, 'Corefile');
  return await withFreePorts(1, async ([port = 0]) => {
    await writeFile(
      config,
      `.:53 {
  bind ${nodeAddress}
  errors
  ready 127.0.0.1:${port}
  kubernetes ${clusterDomain} in-addr.arpa {
    kubeconfig ${kubeconfig}
  }
}
`,
    );
    return await startPart({
      name: 'coredns',
      command: await toolPath('coredns', options),
      args: ['-conf', config],
      runFolder: folder,
      isReady: async (signal) => (await fetch(`http://127.0.0.1:${port}/ready`, { signal })).ok,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  });
}
