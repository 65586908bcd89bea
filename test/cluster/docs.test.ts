/** The commands in this repository's pages, run as they stand, page by page from top to bottom. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  gatewayApiCrds,
  prometheusOperatorCrds,
  startControlPlane,
  startPrometheus,
} from '#scripts/testbed/index.ts';
import { runPages } from '#test/docs/run-pages.ts';
import { arm, startOperatorWorld } from './operator-world.ts';

const worlds = {
  clone: async () => ({ variables: {}, stop: async () => undefined }),

  unreachable: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'genesis-docs-'));
    const path = join(folder, 'kubeconfig');
    await writeFile(path, JSON.stringify(kubeconfigOfNobody));
    return {
      variables: { KUBECONFIG: path },
      stop: () => rm(folder, { recursive: true, force: true }),
    };
  },

  cluster: async () => {
    const plane = await startControlPlane({
      kwok: true,
      crds: [...(await gatewayApiCrds()), ...(await prometheusOperatorCrds())],
    });
    const prometheus = await startPrometheus({});
    return {
      variables: { KUBECONFIG: plane.kubeconfigPath, PROMETHEUS_URL: prometheus.url },
      stop: async () => {
        await Promise.all([prometheus.stop(), plane.stop()]);
      },
    };
  },

  operator: async () => {
    const world = await startOperatorWorld({ users: [{ name: 'alice' }] });
    const { plane } = world;
    await plane.client.applyFiles('deploy/cluster/admission-policies.yaml');
    for (const object of [...arm('checkout-stable'), ...arm('checkout-canary')]) {
      await plane.client.apply(object);
    }
    // A policy is enforced a moment after it was made, and what was made before that does not count.
    await sleep(6_000);
    return { variables: { KUBECONFIG: plane.kubeconfigPath }, stop: () => world.stop() };
  },
};

const kubeconfigOfNobody = {
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'nobody', cluster: { server: 'https://127.0.0.1:9' } }],
  users: [{ name: 'nobody', user: { token: 'none' } }],
  contexts: [{ name: 'nobody', context: { cluster: 'nobody', user: 'nobody' } }],
  'current-context': 'nobody',
};

runPages('clone', worlds.clone);
runPages('unreachable', worlds.unreachable);
runPages('cluster', worlds.cluster);
runPages('operator', worlds.operator);
