/**
 * The world of the chart's tests: a real API server with pods that become Ready, Helm, and the controller as a process of its own
 * that has nothing but the chart's ServiceAccount and the chart's configuration file.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildController } from '#scripts/demo/controller.ts';
import { chartNamespace, type HelmName } from '#scripts/gen/chart/render.ts';
import { run } from '#scripts/testbed/command.ts';
import {
  type ControlPlane,
  type ControlPlaneOptions,
  createRunFolder,
  gatewayApiCrds,
  type Part,
  prometheusOperatorCrds,
  startControlPlane,
  startPart,
  toolPath,
  withFreePorts,
} from '#scripts/testbed/index.ts';
import { startMetricsStub } from './metrics-stub.ts';

export const release = 'genesis-rollout';

export interface ChartWorld {
  readonly plane: ControlPlane;
  /** A folder of this world's own. */
  readonly folder: string;
  readonly prometheusUrl: string;
  /** What every query answers; undefined is no series. */
  value: number | undefined;
  /** What queries have borne as the header `authorization`. */
  readonly authorizations: ReadonlySet<string>;
  /** Resolves with what Helm printed. */
  helm(name: HelmName, ...args: readonly string[]): Promise<string>;
  /** As the pod of the installed release would: its ServiceAccount, its file. Resolves when it says that it is ready. */
  startOperator(): Promise<Part>;
  stop(): Promise<void>;
}

export async function startChartWorld(
  options: Pick<ControlPlaneOptions, 'users' | 'auditPolicy' | 'apiServerFlags'> = {},
): Promise<ChartWorld> {
  await buildController();
  const folder = await createRunFolder();
  const authorizations = new Set<string>();
  const stub = await startMetricsStub((headers) => {
    if (headers.authorization !== undefined) authorizations.add(headers.authorization);
    return world.value;
  });
  const plane = await startControlPlane({
    ...options,
    kwok: true,
    crds: [...(await gatewayApiCrds()), ...(await prometheusOperatorCrds())],
  });
  const world: ChartWorld = {
    plane,
    folder: folder.path,
    prometheusUrl: stub.url,
    value: 0,
    authorizations,
    helm: async (name, ...args) => {
      const home = (kind: string) => join(folder.path, name, kind);
      return await run(await toolPath(name), args, {
        env: {
          KUBECONFIG: plane.kubeconfigPath,
          HELM_CACHE_HOME: home('cache'),
          HELM_CONFIG_HOME: home('config'),
          HELM_DATA_HOME: home('data'),
        },
      });
    },
    startOperator: async () => await startOperator(plane, folder.path),
    stop: async () => {
      await plane.stop();
      stub.stop();
      await folder.remove();
    },
  };
  return world;
}

async function startOperator(plane: ControlPlane, folder: string): Promise<Part> {
  const { client } = plane;
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', namespace: chartNamespace };
  const map = await client.get({ ...reference, name: release });
  const config = join(folder, 'config.yaml');
  await writeFile(config, String(Reflect.get(Object(map?.['data']), 'config.yaml')));
  const token = await client.serviceAccountToken(chartNamespace, release);
  const kubeconfig = await plane.kubeconfigFor('chart', token);
  return await withFreePorts(2, async ([metrics = 0, health = 0]) =>
    startPart({
      name: 'controller',
      command: process.execPath,
      args: [
        join(import.meta.dirname, '../../dist/controller.mjs'),
        `--config=${config}`,
        `--kubeconfig=${kubeconfig}`,
        // The pod has ports of its own; here they are shared with everybody.
        `--metrics-address=127.0.0.1:${metrics}`,
        `--health-address=127.0.0.1:${health}`,
      ],
      env: { POD_NAMESPACE: chartNamespace },
      runFolder: folder,
      isReady: async (signal) => (await fetch(`http://127.0.0.1:${health}/readyz`, { signal })).ok,
      readyWithinMs: 30_000,
    }),
  );
}
