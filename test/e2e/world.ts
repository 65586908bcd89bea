/** A cluster as people have one: a node with containers, a gateway, a Prometheus that finds pods by itself, and a shell with kubectl and helm. */
import { mkdir, symlink } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';

import { images } from '#scripts/images/images.ts';
import { run } from '#scripts/testbed/command.ts';
import {
  type ControlPlane,
  type Gateway,
  type Prometheus,
  startControlPlane,
  startGateway,
  startNode,
  startPrometheus,
  toolPath,
  type WholeNode,
} from '#scripts/testbed/index.ts';
import packageJson from '../../package.json' with { type: 'json' };

export interface E2eWorld {
  readonly plane: ControlPlane;
  readonly gateway: Gateway;
  readonly prometheus: Prometheus;
  /** What a person would type; resolves with standard output. */
  shell(command: string, input?: string): Promise<string>;
  stop(): Promise<void>;
}

/** The operator's image under the name that the chart has by default: what a registry will hold once it is published. */
const publishedName = `ghcr.io/genesis-rollout/genesis-rollout:${packageJson.version}`;

/** The operator's image under another name, as a newer version of it. */
export const newerTag = 'newer';

const root = join(import.meta.dirname, '../..');
const commandWithinMs = 180_000;

interface Parts {
  plane?: ControlPlane;
  node?: WholeNode;
  gateway?: Gateway;
  prometheus?: Prometheus;
}

export async function startE2eWorld(): Promise<E2eWorld> {
  const parts: Parts = {};
  const stop = async () => {
    await parts.gateway?.stop();
    await parts.prometheus?.stop();
    await parts.node?.stop();
    await parts.plane?.stop();
  };
  try {
    return { ...(await bringUp(parts)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function bringUp(parts: Parts): Promise<Omit<E2eWorld, 'stop'>> {
  const plane = await startControlPlane({ node: true });
  parts.plane = plane;
  const archives = [images.operator.archive, images.checkout.archive];
  const node = await startNode({ plane, images: archives });
  parts.node = node;
  await node.tagImage(images.operator.tag, images.operator.tag.replace(/:[^:]*$/, `:${newerTag}`));
  await node.tagImage(images.operator.tag, publishedName);
  const gateway = await startGateway({ plane });
  parts.gateway = gateway;
  const config = scrapePods(plane.kubeconfigPath);
  const prometheus = await startPrometheus({ address: node.address, config });
  parts.prometheus = prometheus;
  const env = { KUBECONFIG: plane.kubeconfigPath, PATH: await commandPath(plane.runFolder) };
  const shell = async (command: string, input?: string) =>
    await run('sh', ['-c', command], {
      cwd: root,
      env,
      signal: AbortSignal.timeout(commandWithinMs),
      ...(input === undefined ? {} : { input }),
    });
  return { plane, gateway, prometheus, shell };
}

/** kubectl finds `kubectl-genesis` on the PATH, as every plugin. */
async function commandPath(runFolder: string): Promise<string> {
  const plugins = join(runFolder, 'plugins');
  await mkdir(plugins, { recursive: true });
  await symlink(join(root, 'dist/kubectl-genesis.mjs'), join(plugins, 'kubectl-genesis'));
  const tools = [await toolPath('kubectl'), await toolPath('helm'), process.execPath];
  return [plugins, ...tools.map((tool) => dirname(tool)), '/usr/bin', '/bin'].join(delimiter);
}

/** By the annotations that many a Prometheus without its operator understands. */
function scrapePods(kubeconfig: string): object {
  const annotation = '__meta_kubernetes_pod_annotation_prometheus_io';
  return {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    scrape_configs: [
      {
        job_name: 'pods',
        kubernetes_sd_configs: [{ role: 'pod', kubeconfig_file: kubeconfig }],
        relabel_configs: [
          { source_labels: [`${annotation}_scrape`], regex: 'true', action: 'keep' },
          {
            source_labels: ['__meta_kubernetes_pod_ip', `${annotation}_port`],
            separator: ':',
            target_label: '__address__',
          },
          { source_labels: ['__meta_kubernetes_pod_name'], target_label: 'pod' },
        ],
      },
    ],
  };
}
