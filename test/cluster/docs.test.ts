/** The commands in this repository's pages, run as they stand, page by page from top to bottom. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
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
    for (const { part, wanted } of partsOf(block)) {
      test(`line ${block.line}: ${part.text.split('\n')[0]}`, async () => {
        const { code, text } = await place.run(part);
        assert.equal(code, wanted, text);
      });
    }
  }
}

/** Where nobody answers, each command for itself must come as far as saying so, with exit code 1 and not 2. */
function partsOf(block: Block): readonly { readonly part: Block; readonly wanted: number }[] {
  if (block.runner !== 'unreachable') return [{ part: block, wanted: 0 }];
  const lines = block.text.split('\n').filter((line) => line.startsWith('kubectl '));
  return lines.map((text) => ({ part: { ...block, text }, wanted: 1 }));
}
