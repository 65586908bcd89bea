/** The commands in this repository's pages, run as they stand, page by page from top to bottom. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { gatewayApiCrds, startControlPlane, startPrometheus } from '#scripts/testbed/index.ts';
import { type Block, blocksOf, pages, type Runner } from '#test/docs/blocks.ts';
import { createWorkplace, type Workplace } from '#test/docs/workplace.ts';
import { arm, startOperatorWorld } from './operator-world.ts';

interface World {
  readonly variables: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

const worlds: Partial<Record<Runner, () => Promise<World>>> = {
  clone: async () => ({ variables: {}, stop: async () => undefined }),

  cluster: async () => {
    const plane = await startControlPlane({ kwok: true, crds: await gatewayApiCrds() });
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
    await plane.client.applyFiles('deploy/author-policy.yaml', 'deploy/decision-policy.yaml');
    for (const object of [...arm('checkout-stable'), ...arm('checkout-canary')]) {
      await plane.client.apply(object);
    }
    return { variables: { KUBECONFIG: plane.kubeconfigPath }, stop: () => world.stop() };
  },
};

for (const [runner, start] of Object.entries(worlds)) {
  const byPage = pages()
    .map((page) => ({ page, blocks: blocksOf(page).filter((block) => block.runner === runner) }))
    .filter(({ blocks }) => blocks.length > 0);
  if (byPage.length === 0) continue;

  describe(`pages with commands for ${runner}`, () => {
    let world: World;
    before(async () => {
      world = await start();
    });
    after(async () => {
      await world.stop();
    });

    for (const { page, blocks } of byPage)
      describe(page, () => runAll(blocks, () => world.variables));
  });
}

function runAll(blocks: readonly Block[], variables: () => World['variables']): void {
  let place: Workplace;
  before(async () => {
    place = await createWorkplace(variables());
  });
  after(async () => {
    await place.remove();
  });

  for (const block of blocks) {
    test(`line ${block.line}: ${block.text.split('\n')[0]}`, async () => {
      const { code, text } = await place.run(block);
      assert.equal(code, 0, text);
    });
  }
}
