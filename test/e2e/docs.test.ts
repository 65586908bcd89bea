/** The pages that a newcomer follows, with real pods: what stands in them is run as it stands. */
import { runPages } from '#test/docs/run-pages.ts';
import { startE2eWorld } from './world.ts';

runPages('node', async () => {
  const world = await startE2eWorld();
  const { plane, prometheus, gateway } = world;
  return {
    variables: {
      KUBECONFIG: plane.kubeconfigPath,
      PROMETHEUS_URL: prometheus.url,
      GATEWAY_URL: gateway.url,
    },
    stop: () => world.stop(),
  };
});
