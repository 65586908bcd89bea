/** Who may decide what, on the real API server: the admission policies with real users, and the operator that counts. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { decisionPolicyName } from '#api/decision-policy.ts';
import type { KubeObject } from '#scripts/testbed/index.ts';
import {
  arm,
  namespace,
  type OperatorWorld,
  referenceTo,
  rollout,
  route,
  startOperatorWorld,
  statusOf,
} from './operator-world.ts';
import { asUser, messageOf, nameOf, roleFor, statusFieldOf } from './people.ts';
import { pollUntil } from './testbed-polling.ts';

const decisions = `/apis/genesis.dev/v1alpha1/namespaces/${namespace}/genesisdecisions`;
const rollouts = `/apis/genesis.dev/v1alpha1/namespaces/${namespace}/genesisrollouts`;
/** `alice` may approve, `bob` may make decisions but has no verb, `ci` may name authors. */
const users = ['alice', 'bob', 'ci', 'carol'].map((name) => ({ name }));

let world: OperatorWorld;

before(async () => {
  world = await startOperatorWorld({ users });
  const { client } = world.plane;
  await client.applyFiles('deploy/cluster/admission-policies.yaml');
  for (const object of [...arm('stable'), ...arm('canary'), ...rights()])
    await client.apply(object);
  // A policy is enforced a moment after it was made, and what was made before that does not count.
  await sleep(6_000);
});
after(async () => {
  await world.stop();
});

function rights(): KubeObject[] {
  const rule = (resource: string, verbs: readonly string[]) => ({
    apiGroups: ['genesis.dev'],
    resources: [resource],
    verbs,
  });
  return [
    ...roleFor(namespace, 'decides', [rule('genesisdecisions', ['create'])], ['alice', 'bob']),
    ...roleFor(namespace, 'approves', [rule('genesisrollouts', ['approve'])], ['alice']),
    ...roleFor(
      namespace,
      'edits',
      [rule('genesisrollouts', ['create', 'update'])],
      ['carol', 'ci'],
    ),
    ...roleFor(namespace, 'authors', [rule('genesisrollouts', ['author'])], ['ci']),
  ];
}

function decision(spec: object): object {
  return {
    apiVersion: 'genesis.dev/v1alpha1',
    kind: 'GenesisDecision',
    metadata: { generateName: 'web-', namespace },
    spec: { rollout: 'web', revision: 'v2', decision: 'Approve', step: 'half', ...spec },
  };
}

function withApproval(name: string, approval: object): KubeObject {
  const steps = [
    { name: 'dark', at: '0s', weight: 0 },
    { name: 'half', at: '1s', weight: 50, approval },
    { name: 'full', at: '100h', weight: 100 },
  ];
  return rollout(name, { schedule: { steps, end: '101h' } });
}

describe('the policy for decisions', () => {
  const rows: readonly [string, string, object, number, RegExp][] = [
    ['lets through whoever may approve', 'alice', { by: 'alice' }, 201, /^/],
    [
      'stops them from aborting',
      'alice',
      { by: 'alice', decision: 'Abort', step: undefined },
      403,
      /alice may not abort rollout web: a Role must allow the verb abort on genesisrollouts/,
    ],
    ['stops whoever has no verb', 'bob', { by: 'bob' }, 403, /bob may not approve rollout web/],
    [
      'stops a forged name',
      'alice',
      { by: 'bob' },
      403,
      /spec.by must be your own name, alice; it is bob/,
    ],
    ['stops who may not make decisions at all', 'carol', { by: 'carol' }, 403, /cannot create/],
  ];
  for (const [name, user, spec, status, says] of rows) {
    test(name, async () => {
      const answer = await asUser(world.plane, user, decisions, decision(spec));
      assert.equal(answer.status, status, messageOf(answer.body));
      assert.match(messageOf(answer.body), says);
    });
  }
});

describe('the policy for authors', () => {
  const annotated = (name: string, author: string | undefined): KubeObject => {
    const object = withApproval(name, { notBy: 'Author' });
    const annotations = author === undefined ? {} : { 'genesis.dev/author': author };
    return { ...object, metadata: { ...object.metadata, annotations } };
  };
  const rows: readonly [string, string, string | undefined, number][] = [
    ['lets people name themselves', 'carol', 'carol', 201],
    ['stops people from naming another', 'carol', 'dave', 403],
    ['stops people from naming nobody', 'carol', undefined, 403],
    ['lets a program with the verb name another', 'ci', 'dave', 201],
  ];
  for (const [index, [name, user, author, status]] of rows.entries()) {
    test(name, async () => {
      const answer = await asUser(
        world.plane,
        user,
        rollouts,
        annotated(`authored-${index}`, author),
      );
      assert.equal(answer.status, status, messageOf(answer.body));
      if (status === 403) assert.match(messageOf(answer.body), /genesis.dev\/author: carol/);
    });
  }
});

describe('the operator', () => {
  const held = async (name: string) =>
    world.plane.client.waitFor(
      referenceTo('GenesisRollout', name),
      (object) => statusOf(object).holds?.[0]?.reason === 'ApprovalRequired',
      30_000,
    );

  const outcome = async (name: string) => {
    const reference = {
      apiVersion: 'genesis.dev/v1alpha1',
      kind: 'GenesisDecision',
      namespace,
      name,
    };
    const isSettled = (object: KubeObject | undefined) => statusFieldOf(object, 'outcome') !== '';
    const found = await world.plane.client.waitFor(reference, isSettled, 30_000);
    return [statusFieldOf(found, 'outcome'), statusFieldOf(found, 'message')];
  };

  test('takes an approval, writes what came of it, and goes on', async () => {
    const { client } = world.plane;
    await client.apply(route('taken'));
    await client.apply(withApproval('taken', {}));
    await held('taken');
    const made = await asUser(
      world.plane,
      'alice',
      decisions,
      decision({ rollout: 'taken', by: 'alice' }),
    );
    assert.deepEqual((await outcome(nameOf(made.body)))[0], 'Applied');
    await client.waitFor(
      referenceTo('GenesisRollout', 'taken'),
      (object) => statusOf(object).weight === 50,
      30_000,
    );
  });

  test('counts none while the policy is gone, and says why', async () => {
    const { client } = world.plane;
    await client.apply(route('unchecked'));
    await client.apply(withApproval('unchecked', {}));
    await held('unchecked');
    await client.delete({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      name: decisionPolicyName,
    });
    // The API server enforces what it has seen: until it has seen this, it stops a forged name.
    const forged = decision({ rollout: 'unchecked', by: 'alice' });
    const made = await pollUntil(
      () => asUser(world.plane, 'bob', decisions, forged),
      ({ status }) => status === 201,
      30_000,
    );
    const [refused, message = ''] = await outcome(nameOf(made.body));
    assert.equal(refused, 'Refused');
    assert.match(message, /ValidatingAdmissionPolicyBinding decisions.genesis.dev is not in the/);
    const why = /no approval counts: ValidatingAdmissionPolicyBinding/;
    const object = await client.waitFor(
      referenceTo('GenesisRollout', 'unchecked'),
      (found) => why.test(statusOf(found).message ?? ''),
      30_000,
    );
    assert.equal(statusOf(object).weight, 0);
  });
});
