/** Every bad object is refused by the real API server, with a sentence that names field, value and what is allowed. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type ControlPlane, startControlPlane } from '#scripts/testbed/index.ts';
import { badDecisions } from './bad-objects/decisions.ts';
import { badFields } from './bad-objects/fields.ts';
import { goodDecision, goodRollout } from './bad-objects/good.ts';
import { patched } from './bad-objects/patch.ts';
import type { BadObject } from './bad-objects/row.ts';
import { brokenRules } from './bad-objects/rules.ts';

const rollouts = '/apis/genesis.dev/v1alpha1/namespaces/shop/genesisrollouts';
const decisions = '/apis/genesis.dev/v1alpha1/namespaces/shop/genesisdecisions';

interface Cause {
  readonly field: string;
  readonly message: string;
}

describe('admission', () => {
  let plane: ControlPlane;

  before(async () => {
    plane = await startControlPlane({ controllerManager: false, crds: ['crds'] });
    await plane.client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  });
  after(async () => {
    await plane.stop();
  });

  test('the good objects are accepted', async () => {
    assert.equal((await create(rollouts, goodRollout)).status, 201);
    assert.equal((await create(decisions, goodDecision)).status, 201);
  });

  test('the table holds at least 60 bad objects', () => {
    assert.ok(badFields.length + brokenRules.length + badDecisions.length >= 60);
  });

  for (const row of [...badFields, ...brokenRules]) {
    test(`refused: a rollout with ${row.name}`, async () => {
      assertRefused(await create(rollouts, patched(goodRollout, row.patch)), row);
    });
  }
  for (const row of badDecisions) {
    test(`refused: a decision: ${row.name}`, async () => {
      assertRefused(await create(decisions, patched(goodDecision, row.patch)), row);
    });
  }

  test('refused: a field that is mistyped, when the client asks for strict validation', async () => {
    const { status, body } = await create(
      rollouts,
      patched(goodRollout, { 'spec.triggers[0].severty': 'Info' }),
    );
    assert.equal(status, 400);
    assert.match(messageOf(body), /unknown field "spec.triggers\[0\].severty"/);
  });

  test('refused: a rollout whose name cannot be a label', async () => {
    const named = patched(goodRollout, { 'metadata.name': 'a'.repeat(64) });
    const { status, body } = await create(rollouts, named);
    assert.equal(status, 422);
    assert.match(messageOf(body), /metadata.name: Too long: may not be more than 63 bytes/);
  });

  test('refused: a workload whose stable copy would have too long a name', async () => {
    const workload = { kind: 'Deployment', name: 'a'.repeat(57) };
    const { status, body } = await create(
      rollouts,
      patched(goodRollout, { 'spec.workload': workload }),
    );
    assert.equal(status, 422);
    assert.match(messageOf(body), /spec.workload.name: Too long: may not be more than 56 bytes/);
  });

  async function create(path: string, object: object) {
    return await plane.client.send('POST', `${path}?dryRun=All&fieldValidation=Strict`, {
      body: object,
    });
  }
});

function assertRefused(answer: { status: number; body: unknown }, { server }: BadObject): void {
  assert.equal(answer.status, 422, JSON.stringify(answer.body));
  const causes = causesOf(answer.body);
  const shown = causes.map(({ field, message }) => `${field}: ${message}`).join('\n');
  const cause = causes.find(
    ({ field, message }) =>
      field === server.field && server.says.every((text) => message.includes(text)),
  );
  assert.ok(cause, `no cause at ${server.field} says ${JSON.stringify(server.says)} in\n${shown}`);
  // A rule that stumbles instead of answering would bury the sentence under the interpreter's own words.
  assert.doesNotMatch(shown, / evaluating rule: /);
}

function causesOf(body: unknown): readonly Cause[] {
  const { details } = body as { details?: { causes?: readonly Cause[] } };
  return details?.causes ?? [];
}

function messageOf(body: unknown): string {
  return (body as { message: string }).message;
}
