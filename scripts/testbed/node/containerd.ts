/** containerd with a store of its own: what runs the containers of the node, and takes images from archives. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { BuildOptions } from '#scripts/testbed/build.ts';
import { run } from '#scripts/testbed/command.ts';
import { cniFolder } from '#scripts/testbed/packages.ts';
import { type Part, startPart } from '#scripts/testbed/part.ts';
import { pauseImage } from './pause.ts';

/** Pods get their addresses here. */
export const podNetwork = '10.88.0.0/16';

/** In the namespace's own /run, so that the path is short: that of a socket may have 107 characters. */
export const containerdSocket = '/run/containerd/containerd.sock';

const readyWithinMs = 60_000;

export interface ContainerdOptions extends BuildOptions {
  readonly folder: string;
}

export async function startContainerd(options: ContainerdOptions): Promise<Part> {
  const { folder } = options;
  const networks = join(folder, 'cni');
  await mkdir(networks, { recursive: true });
  await writeFile(join(networks, '10-pods.conflist'), JSON.stringify(network(folder), null, 2));
  const config = join(folder, 'containerd.toml');
  await writeFile(config, configText(options, networks, await cniFolder()));
  return await startPart({
    name: 'containerd',
    command: 'containerd',
    args: ['--config', config],
    runFolder: folder,
    isReady: async () => (await ctr('version')) !== '',
    readyWithinMs,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}

/** Gives an archive of `docker save` or an OCI one to the kubelet. */
export async function importImage(archive: string): Promise<void> {
  await ctr('images', 'import', archive);
}

/** The same image under another name. */
export async function tagImage(tag: string, other: string): Promise<void> {
  await ctr('images', 'tag', '--force', tag, other);
}

async function ctr(...args: readonly string[]): Promise<string> {
  return await run('ctr', ['--address', containerdSocket, '--namespace', 'k8s.io', ...args]);
}

/** A pair of interfaces for each pod and routes between them: no bridge is needed. */
function network(folder: string): object {
  return {
    cniVersion: '1.0.0',
    name: 'pods',
    plugins: [
      {
        type: 'ptp',
        ipam: {
          type: 'host-local',
          ranges: [[{ subnet: podNetwork }]],
          routes: [{ dst: '0.0.0.0/0' }],
          dataDir: join(folder, 'cni-addresses'),
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

function configText(options: ContainerdOptions, networks: string, plugins: string): string {
  return `version = 2
root = "${join(options.folder, 'containerd')}"
state = "/run/containerd"

[grpc]
  address = "${containerdSocket}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  # Else runc fails where this process may not lower its own score: "can't get final child's PID".
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${plugins}"
    conf_dir = "${networks}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
`;
}
