/** Workloads that are restarted with a flag, on a real API server whose own controllers replace the pods. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { readAudit } from '#scripts/testbed/index.ts';
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

let world: OperatorWorld;

before(async () => {
  world = await startOperatorWorld();
  const workloads = [...arm('stable'), ...arm('canary'), ...arm('a2a')];
  for (const object of workloads) await world.plane.client.apply(object);
});
after(async () => {
  await world.stop();
});

const name = 'flagged';
const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'a2a' };

interface DeploymentParts {
  readonly template: { readonly metadata: { readonly annotations?: Record<string, string> } };
}

async function marks(): Promise<unknown> {
  const found = await world.plane.client.get(deployment);
  const spec = Reflect.get(found ?? {}, 'spec') as DeploymentParts;
  const text = spec.template.metadata.annotations?.['genesis.dev/flag-weights'];
  return text === undefined ? undefined : JSON.parse(text);
}

describe('a Deployment that reads the flag at its start', () => {
  test('is rolled by its own controller with the step, and back with the rollback', async () => {
    const { client } = world.plane;
    const since = new Date();
    await client.apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'flags', namespace },
      data: { share: '0' },
    });
    await client.apply(route(name));
    const spec = {
      traffic: {
        stable: { service: 'stable', port: 80 },
        canary: { service: 'canary', port: 80 },
        routes: [{ kind: 'HTTPRoute', name }],
        featureFlag: {
          configMap: 'flags',
          key: 'share',
          format: 'Percent',
          restart: [
            { kind: 'Deployment', name: 'a2a' },
            { kind: 'DaemonSet', name: 'nowhere' },
          ],
        },
      },
    };
    await client.apply(rollout(name, spec));
    const reference = referenceTo('GenesisRollout', name);
    const isAtHalf = (object: Parameters<typeof statusOf>[0]) =>
      statusOf(object).plan?.find((one) => one.name === 'half')?.passedAt !== undefined;
    const risen = statusOf(await client.waitFor(reference, isAtHalf, 60_000));
    assert.deepEqual(await marks(), { 'flags/share': 50 });
    assert.deepEqual(risen.restarts, [
      { kind: 'Deployment', name: 'a2a', weight: 50 },
      {
        kind: 'DaemonSet',
        name: 'nowhere',
        problem: `DaemonSet ${namespace}/nowhere does not exist`,
      },
    ]);
    const sets = (await client.list('apps/v1', 'ReplicaSet', namespace)).filter(({ metadata }) =>
      metadata.name.startsWith('a2a-'),
    );
    assert.equal(sets.length, 2, 'the Deployment controller has made a second ReplicaSet');
    world.value = 10;
    const isOver = (object: Parameters<typeof statusOf>[0]) =>
      statusOf(object).phase === 'RolledBack';
    const ended = statusOf(await client.waitFor(reference, isOver, 60_000));
    assert.equal(ended.rollback?.stages[0]?.outcome, 'Succeeded', JSON.stringify(ended.rollback));
    assert.deepEqual(await marks(), { 'flags/share': 0 });
    const patches = (await readAudit(world.plane.auditLogPath ?? '', since)).filter(
      ({ verb, requestURI, userAgent }) =>
        verb === 'patch' &&
        requestURI.includes('/deployments/a2a') &&
        userAgent?.startsWith('genesis-rollout/') === true,
    );
    assert.equal(patches.length, 2, 'one write a change, and none in between');
  });
});
