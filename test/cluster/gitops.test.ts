/** Argo CD's Lua runner and Flux's kstatus and CEL, on every state that the engine writes. No API server is needed. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';
import { requestVerbs } from '#core/requests.ts';
import { decisionObject, decisionStates } from '../gitops/decision-states.ts';
import { blockOf, root } from '../gitops/guide.ts';
import { actionPatch, judge, type Opinion, runTables, type Teaching } from '../gitops/judge.ts';
import { healthMessage, possibleVerbs, rolloutStates } from '../gitops/rollout-states.ts';
import { readTeaching } from '../gitops/teaching.ts';

const customizations = join(root, 'deploy/argocd/resource_customizations');

let teaching: Teaching;
before(async () => {
  teaching = await readTeaching();
});

test("the tables in the layout of Argo CD's resource_customizations hold in its Lua runner", async () => {
  const rows = await runTables(customizations);
  // A health, a discovery and some actions; a folder that was not found has none.
  assert.ok(rows.length >= 2 * rolloutStates.length + requestVerbs.length, `${rows.length} rows`);
  assert.deepEqual(
    rows.filter(({ problem }) => problem !== ''),
    [],
  );
});

describe('a GenesisRollout, with argocd-cm.yaml and the guide for Flux', () => {
  let opinions: readonly Opinion[];
  before(async () => {
    opinions = await judge(
      teaching,
      rolloutStates.map((state) => state.reach().object()),
    );
  });
  for (const [index, state] of rolloutStates.entries()) {
    const { name, health, kstatus, accepted } = state;
    test(`${name} is ${health} to Argo CD, ${kstatus} to kstatus, ${accepted} to the expressions`, () => {
      const opinion = opinions[index];
      assert.deepEqual(opinion?.argo, { status: health, message: healthMessage(state) });
      assert.equal(opinion.kstatus.status, kstatus, opinion.kstatus.message);
      assert.equal(opinion.flux?.status, accepted);
    });
  }

  for (const [index, state] of rolloutStates.entries()) {
    test(`${state.name} offers the actions that the operator would carry out`, () => {
      const offered = opinions[index]?.actions?.filter((action) => !action.disabled) ?? [];
      assert.deepEqual(offered.map(({ name }) => name).sort(), [...possibleVerbs(state)].sort());
    });
  }
});

test('the guide quotes deploy/argocd/application.yaml', async () => {
  const quoted = parse(await blockOf('docs/gitops-argo-cd.md', 'yaml')) as Application;
  const whole = parse(
    await readFile(join(root, 'deploy/argocd/application.yaml'), 'utf8'),
  ) as Application;
  assert.deepEqual(quoted.metadata.annotations, whole.metadata.annotations);
  assert.deepEqual(quoted.spec.syncPolicy, whole.spec.syncPolicy);
  const isMissing = (one: object) =>
    !whole.spec.ignoreDifferences.some((other) => isDeepStrictEqual(one, other));
  assert.deepEqual(quoted.spec.ignoreDifferences.filter(isMissing), []);
});

interface Application {
  readonly metadata: { readonly annotations: object };
  readonly spec: { readonly syncPolicy: object; readonly ignoreDifferences: readonly object[] };
}

describe('a GenesisDecision', () => {
  for (const state of decisionStates) {
    test(`that is ${state.name} is ${state.health} to Argo CD and ${state.kstatus} to kstatus`, async () => {
      const [opinion] = await judge(teaching, [decisionObject(state)]);
      assert.equal(opinion?.argo.status, state.health);
      assert.equal(opinion.kstatus.status, state.kstatus);
    });
  }
});

test('an action asks by one annotation, with a token that names the state that was seen', async () => {
  const object = {
    apiVersion: 'genesis.dev/v1alpha1',
    kind: 'GenesisRollout',
    // Lua knows no difference between an empty list and an empty object.
    metadata: { name: 'checkout', namespace: 'shop', resourceVersion: '77', finalizers: [] },
    spec: { revision: 'v2', triggers: [], traffic: {} },
    status: { holds: [] },
  };
  for (const verb of requestVerbs) {
    assert.deepEqual(await actionPatch(teaching, object, verb), {
      metadata: { annotations: { 'genesis.dev/request': `${verb} argocd-77` } },
    });
  }
});
