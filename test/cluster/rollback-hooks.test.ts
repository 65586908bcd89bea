/** Hooks of a rollback on a real API server, whose own Job controller carries them out. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { z } from 'zod';
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
  for (const object of [...arm('stable'), ...arm('canary')]) await world.plane.client.apply(object);
});
after(async () => {
  await world.stop();
});

const jobTemplate = {
  metadata: { labels: { team: 'shop' } },
  spec: {
    backoffLimit: 0,
    ttlSecondsAfterFinished: 1,
    template: {
      spec: { restartPolicy: 'Never', containers: [{ name: 'restore', image: 'restore' }] },
    },
  },
};

/** Rolls back, and waits for the end. */
async function rolledBack(name: string, rollback: object) {
  const { client } = world.plane;
  world.value = 0;
  await client.apply(route(name));
  await client.apply(rollout(name, { rollback }));
  const reference = referenceTo('GenesisRollout', name);
  await client.waitFor(reference, (object) => statusOf(object).weight === 50, 30_000);
  world.value = 10;
  const found = await client.waitFor(
    reference,
    (object) => statusOf(object).phase === 'RolledBack',
    60_000,
  );
  return statusOf(found);
}

const jobSchema = z.object({
  metadata: z.object({
    name: z.string(),
    labels: z.record(z.string(), z.string()),
    ownerReferences: z.array(z.object({ name: z.string() })),
  }),
  spec: z.object({ ttlSecondsAfterFinished: z.number() }),
});

const jobsOf = async (name: string) => {
  const jobs = await world.plane.client.list('batch/v1', 'Job', namespace);
  return jobs
    .map((job) => jobSchema.parse(job))
    .filter(({ metadata }) => metadata.labels['genesis.dev/rollout'] === name);
};

describe('hooks of a rollback', () => {
  test('are Jobs of the rollout, each created once, and waited for', async () => {
    const since = new Date();
    const status = await rolledBack('hooked', {
      hooks: [
        { stage: 'StopTraffic', jobTemplate },
        { stage: 'Restore', jobTemplate },
      ],
    });
    assert.equal(status.rollback?.outcome, 'Succeeded', JSON.stringify(status.rollback));
    const hooks = status.rollback?.hooks ?? [];
    assert.deepEqual(
      hooks.map(({ stage, outcome }) => `${stage} ${outcome}`),
      ['StopTraffic Succeeded', 'Restore Succeeded'],
    );
    const jobs = await jobsOf('hooked');
    assert.deepEqual(
      jobs.map(({ metadata }) => metadata.name).sort(),
      hooks.map(({ job }) => job).sort(),
    );
    for (const { metadata, spec } of jobs) {
      assert.equal(metadata.labels['team'], 'shop');
      assert.equal(metadata.labels['genesis.dev/purpose'], 'rollback-hook');
      assert.equal(metadata.ownerReferences[0]?.name, 'hooked');
      assert.equal(spec.ttlSecondsAfterFinished, 24 * 3600);
    }
    const creations = (await readAudit(world.plane.auditLogPath ?? '', since)).filter(
      ({ verb, requestURI, userAgent }) =>
        verb === 'create' &&
        requestURI.includes('/jobs') &&
        userAgent?.startsWith('genesis-rollout/') === true,
    );
    assert.equal(creations.length, 2);
  });

  test('that the API server refuses are failed, and the rollback is Degraded but done', async () => {
    const status = await rolledBack('refused', {
      hooks: [{ stage: 'Restore', jobTemplate: { spec: { template: { spec: {} } } } }],
    });
    assert.equal(status.rollback?.outcome, 'Degraded');
    assert.equal(status.rollback?.hooks?.[0]?.outcome, 'Failed');
    assert.match(status.rollback?.hooks?.[0]?.message ?? '', /refused: .*containers/);
    assert.equal((await jobsOf('refused')).length, 0);
  });
});
