/** Rollouts whose route is applied again and again by Flux's own apply module, as a Kustomization does at every interval. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import type { RolloutStatus } from '#api/status.ts';
import { startWatch } from '#scripts/demo/watch.ts';
import { acceptRoute } from '#test/stub-gateway.ts';
import { serviceManifests } from '../argocd/manifests.ts';
import { blocksOf } from '../gitops/guide.ts';
import { applyAsFlux } from '../gitops/judge.ts';
import {
  canaryWeight,
  namespace,
  type OperatorWorld,
  referenceTo,
  startOperatorWorld,
  statusOf,
} from './operator-world.ts';
import { pollUntil } from './testbed-polling.ts';

const withinMs = 60_000;
const step = (name: string, at: string, weight: number) => ({ name, at, weight });
const schedule = {
  steps: [step('dark', '0s', 0), step('half', '3s', 50), step('full', '6s', 100)],
  end: '8s',
};

describe('a route kept in Git under Flux', () => {
  let world: OperatorWorld;
  before(async () => {
    world = await startOperatorWorld();
  });
  after(async () => await world.stop());

  test("keeps its weights with the guide's annotation", async () => {
    const text = (await blocksOf('docs/gitops-flux.md', 'yaml')).find((one) =>
      /HTTPRoute/.test(one),
    );
    const { metadata } = parse(text ?? '') as { metadata: { annotations: object } };
    const { weights, drift, routeActions } = await applyUntil(
      ({ phase }) => phase === 'Succeeded',
      world,
      'kept',
      metadata.annotations,
    );
    assert.deepEqual(weights, [0, 50, 100]);
    assert.equal(drift, 0);
    assert.deepEqual([...routeActions], ['created', 'skipped']);
  });

  test('loses them at every interval without it', async () => {
    const { weights } = await applyUntil((status) => driftOf(status) > 0, world, 'lost', {});
    assert.ok(
      weights.some((weight, index) => weight < (weights[index - 1] ?? 0)),
      JSON.stringify(weights),
    );
  });
});

/** Applies what is in Git again and again, until the rollout is as wanted, and once more. */
async function applyUntil(
  isWanted: (status: RolloutStatus) => boolean,
  { plane }: OperatorWorld,
  name: string,
  annotations: object,
) {
  const { client, kubeconfigPath } = plane;
  const weights: number[] = [];
  const watch = startWatch({
    client,
    path: `/apis/gateway.networking.k8s.io/v1/namespaces/${namespace}/httproutes`,
    name,
    onObject: (object) => {
      const weight = canaryWeight(object, `${name}-canary`);
      if (weight !== undefined && weights.at(-1) !== weight) weights.push(weight);
      // A write that fails is made good by the next event of the watch.
      void acceptRoute(client, object).catch(() => undefined);
    },
  });
  const objects = serviceManifests(name, { schedule }).map((object) =>
    ['HTTPRoute', 'ConfigMap'].includes(object.kind)
      ? { ...object, metadata: { ...object.metadata, annotations } }
      : object,
  );
  const routeActions = new Set<string>();
  const apply = async () => {
    const actions = await applyAsFlux(kubeconfigPath, objects);
    routeActions.add(actions[`HTTPRoute/${namespace}/${name}`] ?? 'none');
    return statusOf(await client.get(referenceTo('GenesisRollout', name)));
  };
  const reached = await pollUntil(apply, isWanted, withinMs);
  assert.ok(isWanted(reached), `${reached.phase}: ${reached.message}`);
  const status = await apply();
  await watch.stop();
  return { weights, drift: driftOf(status), routeActions };
}

function driftOf({ routes }: RolloutStatus): number {
  return routes?.find(({ kind }) => kind === 'HTTPRoute')?.drift ?? 0;
}
