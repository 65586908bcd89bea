/** The whole decision on the real parts: an operator process, an API server, a Prometheus; every story at once. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '#runtime/clock.ts';
import { readAudit } from '#scripts/testbed/index.ts';
import { rolloutNamed, type Stage, startStage } from './whole-stage.ts';
import { stories } from './whole-stories.ts';

const buildsColdWithinMs = 40 * 60_000;
const quietMs = 11_000;
const snapshotsEveryMs = 5_000;

let stage: Stage;

before(
  async () => {
    stage = await startStage({ auditPolicy: 'Metadata' });
  },
  { timeout: buildsColdWithinMs },
);

after(async () => {
  await stage.stop();
});

describe('a rollout', { concurrency: true, timeout: 120_000 }, () => {
  for (const [says, name, story] of stories) test(says, async () => await story(stage, name));
});

describe('afterwards', { timeout: 60_000 }, () => {
  test('nothing is written but a snapshot at a time, and the lease', async () => {
    const { client } = stage.world.plane;
    const all = await client.list('genesis.dev/v1alpha1', 'GenesisRollout', 'shop');
    for (const { metadata } of all) await client.delete(rolloutNamed(metadata.name));
    const interval = `${snapshotsEveryMs / 1_000}s`;
    const schedule = {
      steps: [
        { name: 'half', at: '0s', weight: 50 },
        { name: 'full', at: '1h', weight: 100 },
      ],
      end: '2h',
    };
    const subject = await stage.add('steady', schedule, { spec: { snapshots: { interval } } });
    await stage.until(subject, 'it is at half', ({ weight }) => weight === 50);
    // The events of what has just happened are told in the background.
    await systemClock.sleep(4_000);
    const since = new Date();
    await systemClock.sleep(quietMs);
    const written = (await readAudit(stage.world.plane.auditLogPath ?? '', since))
      .filter(({ userAgent }) => userAgent?.startsWith('genesis-rollout/') === true)
      .filter(({ verb }) => !['get', 'list', 'watch'].includes(verb))
      .map(({ verb, objectRef }) => `${verb} ${objectRef?.resource} ${objectRef?.name ?? ''}`);
    const evidence = written.filter((one) => / configmaps steady-/.test(one));
    const others = written.filter((one) => !/ (configmaps|leases) /.test(one));
    assert.deepEqual(others, []);
    const due = Math.floor(quietMs / snapshotsEveryMs);
    assert.ok([due, due + 1].includes(evidence.length), written.join('\n'));
  });
});
