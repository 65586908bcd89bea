/**
 * The demo on "somebody else's" cluster, for demo.test.ts: a control plane with KWOK, a gateway and a Prometheus in a network
 * namespace, and in place of a kubelet a loop that runs each pod's command as a local process on the pod's address. Images
 * are not used; everything else goes the way it goes on a real cluster. Ends as the demo does, and prints what is left of it.
 *
 *   node test/cluster/demo-cluster.ts [flags of the demo]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  type ApiClient,
  isInNamespace,
  type KubeObject,
  runInNamespace,
  startControlPlane,
  startGateway,
  startPrometheus,
} from '#scripts/testbed/index.ts';
import { addAddress } from '#scripts/testbed/namespace.ts';

if (!isInNamespace()) {
  process.exit(await runInNamespace([process.execPath, ...process.argv.slice(1)]));
}

interface Pod extends KubeObject {
  readonly spec: {
    readonly containers: readonly {
      readonly command: readonly string[];
      readonly args: readonly string[];
      readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
    }[];
    readonly volumes?: readonly { readonly name: string; readonly configMap?: { name: string } }[];
  };
  readonly status: { readonly podIP?: string };
}

const demo = join(import.meta.dirname, '../../scripts/demo/main.ts');
const namespace = 'genesis-demo';
const pollEveryMs = 50;

const plane = await startControlPlane({ kwok: true });
const [gateway, prometheus] = await Promise.all([
  startGateway({ plane }),
  // The pods' addresses are known only later; as in many a cluster, labels come from the pods' annotations or their metrics.
  startPrometheus({ scrape: [] }),
]);
const folder = await mkdtemp(join(tmpdir(), 'genesis-demo-pods-'));
const ended = new AbortController();
const pods = new Map<string, ChildProcess>();
const kubelet = playKubelet(ended.signal);

const child = spawn(
  process.execPath,
  [
    demo,
    `--kubeconfig=${plane.kubeconfigPath}`,
    '--image=none.example/node:20',
    `--gateway=${gateway.parentRef.namespace}/${gateway.parentRef.name}`,
    `--gateway-url=${gateway.url}`,
    `--prometheus-url=${prometheus.url}`,
    '--scrape-interval=1',
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit' },
);
const [code] = (await once(child, 'exit')) as [number | null];
ended.abort();
await kubelet;
const left = await plane.client.get({ apiVersion: 'v1', kind: 'Namespace', name: namespace });
console.log(`left over: ${left === undefined ? 'nothing' : `namespace ${namespace}`}`);
for (const pod of pods.values()) pod.kill('SIGKILL');
await Promise.all([gateway.stop(), prometheus.stop()]);
await plane.stop();
await rm(folder, { recursive: true, force: true });
process.exitCode = code ?? 1;

async function playKubelet(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const wanted = (await plane.client.list('v1', 'Pod', namespace)) as readonly Pod[];
    const running = wanted.filter(
      ({ status, metadata }) =>
        status.podIP !== undefined && metadata['deletionTimestamp'] === undefined,
    );
    for (const [name, pod] of pods) {
      if (running.some(({ metadata }) => metadata.name === name)) continue;
      pod.kill('SIGTERM');
      pods.delete(name);
    }
    const started = running.filter(({ metadata }) => !pods.has(metadata.name));
    for (const pod of started) pods.set(pod.metadata.name, await runPod(plane.client, pod));
    if (started.length > 0) await scrape(running);
    await sleep(pollEveryMs);
  }
}

async function scrape(running: readonly Pod[]): Promise<void> {
  const targets = running.map(({ status, metadata }) => {
    const annotations = metadata['annotations'] as Record<string, string>;
    return `${status.podIP}:${annotations['prometheus.io/port']}`;
  });
  await prometheus.setScrape([{ job: 'pods', targets }]);
}

/** The ConfigMap becomes files, `$(POD_IP)` the address, and the command runs with our own Node in place of the image's. */
async function runPod(client: ApiClient, { spec, status }: Pod): Promise<ChildProcess> {
  const address = status.podIP ?? '';
  await addAddress(address);
  const [container] = spec.containers;
  if (container === undefined) throw new Error('a pod has a container');
  let command = [...container.command, ...container.args];
  for (const { name, mountPath } of container.volumeMounts ?? []) {
    const volume = spec.volumes?.find((one) => one.name === name);
    if (volume?.configMap === undefined) continue;
    const reference = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      namespace,
      name: volume.configMap.name,
    };
    const map = await client.get(reference);
    for (const [file, text] of Object.entries((map?.['data'] ?? {}) as Record<string, string>)) {
      await writeFile(join(folder, file), text);
    }
    command = command.map((word) => word.replace(mountPath, folder));
  }
  const [, ...args] = command.map((word) => word.replace('$(POD_IP)', address));
  return spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}
