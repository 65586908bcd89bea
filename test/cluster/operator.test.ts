/** The operator on a real API server: what people see of it in the situations that the main job is made of. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { podFateLabel, readAudit } from '#scripts/testbed/index.ts';
import {
  arm,
  canaryWeight,
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

const phaseOf = async (name: string, phase: string, withinMs = 30_000) => {
  const { client } = world.plane;
  const found = await client.waitFor(
    referenceTo('GenesisRollout', name),
    (object) => statusOf(object).phase === phase,
    withinMs,
  );
  return statusOf(found);
};

const atHalf = async (name: string) => {
  const { client } = world.plane;
  await client.waitFor(
    referenceTo('GenesisRollout', name),
    (object) => statusOf(object).weight === 50 && statusOf(object).stepEnteredAt !== undefined,
    30_000,
  );
};

const started = async (name: string, spec: object = {}) => {
  const { client } = world.plane;
  await client.apply(route(name));
  await client.apply(rollout(name, spec));
  await atHalf(name);
};

describe('the operator', () => {
  test('writes nothing in a steady state', async () => {
    await started('steady');
    await sleep(2_000);
    const since = new Date();
    await sleep(8_000);
    const events = (await readAudit(world.plane.auditLogPath ?? '', since)).filter((event) =>
      event.userAgent?.startsWith('genesis-rollout/'),
    );
    assert.deepEqual(
      events.map(({ verb, requestURI }) => `${verb} ${requestURI}`),
      [],
    );
    await world.plane.client.delete(referenceTo('GenesisRollout', 'steady'));
  });

  test('rolls back a canary whose pods all crash, although no query says anything', async () => {
    const { client } = world.plane;
    for (const object of arm('canary')) await client.apply(object);
    await started('crashing', { canaryDown: { for: '3s' } });
    const pods = await client.list('v1', 'Pod', namespace);
    for (const pod of pods.filter(({ metadata }) => metadata.name.startsWith('canary-'))) {
      const labels = { [podFateLabel]: 'crash-loop' };
      await client.patch(referenceTo('Pod', pod.metadata.name), { metadata: { labels } });
    }
    const status = await phaseOf('crashing', 'RolledBack');
    assert.equal(status.rollback?.trigger, 'canary-down');
    assert.match(status.rollback?.message ?? '', /no Ready endpoint for 3s/);
    assert.equal(canaryWeight(await client.get(referenceTo('HTTPRoute', 'crashing'))), 0);
    for (const pod of pods.filter(({ metadata }) => metadata.name.startsWith('canary-'))) {
      await client.delete(referenceTo('Pod', pod.metadata.name));
    }
    await client.delete(referenceTo('GenesisRollout', 'crashing'));
  });

  test('keeps a snapshot at every interval, and a report that the history names', async () => {
    const { client } = world.plane;
    await started('recorded', { snapshots: { interval: '2s' } });
    await sleep(9_000);
    world.value = 10;
    const status = await phaseOf('recorded', 'RolledBack');
    world.value = 0;
    const { snapshots, runId, history, rollback } = status;
    assert.ok((snapshots?.expected ?? 0) >= 5, JSON.stringify(snapshots));
    assert.equal(snapshots?.missing, 0, JSON.stringify(snapshots));
    assert.equal(history?.[0]?.report, `configmap/recorded-${runId}-report`);
    const stage = rollback?.stages.find(({ name }) => name === 'Report');
    assert.equal(stage?.outcome, 'Succeeded', stage?.message);
    const segment = referenceTo('ConfigMap', `recorded-${runId}-s0000`);
    const closed = await client.waitFor(segment, (object) => object['immutable'] === true, 10_000);
    const annotations = closed.metadata['annotations'] ?? {};
    assert.match(String(Reflect.get(annotations, 'genesis.dev/recorded')), /^1-[0-9]+$/);
    const report = await client.get(referenceTo('ConfigMap', `recorded-${runId}-report`));
    const markdown = String(Reflect.get(Object(report?.['data']), 'report.md'));
    assert.match(markdown, /^# Incident report: recorded v2\n/);
    assert.match(markdown, /\| Report \| Succeeded \|/);
    assert.match(markdown, /errors 10 > 1 for 3s/);
    await client.delete(referenceTo('GenesisRollout', 'recorded'));
  });

  test('moves a route and a feature flag together, and both back', async () => {
    const { client } = world.plane;
    const flags = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'flags', namespace } };
    await client.apply({ ...flags, data: { share: '0' } });
    const featureFlag = { configMap: 'flags', key: 'share', format: 'Percent' };
    const traffic = {
      stable: { service: 'stable', port: 80 },
      canary: { service: 'canary', port: 80 },
      routes: [{ kind: 'HTTPRoute', name: 'flagged' }],
      featureFlag,
    };
    const shareOf = async () =>
      (await client.get(referenceTo('ConfigMap', 'flags')))?.['data'] as { share: string };
    await started('flagged', { traffic });
    assert.deepEqual(await shareOf(), { share: '50' });
    world.value = 10;
    await phaseOf('flagged', 'RolledBack');
    world.value = 0;
    assert.deepEqual(await shareOf(), { share: '0' });
    assert.equal(canaryWeight(await client.get(referenceTo('HTTPRoute', 'flagged'))), 0);
    await client.delete(referenceTo('GenesisRollout', 'flagged'));
  });

  test('gives traffic and ownership back when a rollout is deleted', async () => {
    const { client } = world.plane;
    await started('deleted');
    await client.delete(referenceTo('GenesisRollout', 'deleted'));
    for (let n = 0; n < 200; n += 1) {
      if ((await client.get(referenceTo('GenesisRollout', 'deleted'))) === undefined) break;
      await sleep(100);
    }
    assert.equal(await client.get(referenceTo('GenesisRollout', 'deleted')), undefined);
    const found = await client.get(referenceTo('HTTPRoute', 'deleted'));
    assert.equal(canaryWeight(found), 0);
    const metadata = found?.metadata as { managedFields?: { manager: string }[] } | undefined;
    const managers = metadata?.managedFields?.map(({ manager }) => manager) ?? [];
    assert.ok(!managers.includes('genesis'), managers.join(', '));
  });

  test('leaves a route to the older of two rollouts, and says so', async () => {
    const { client } = world.plane;
    await started('older');
    const traffic = {
      stable: { service: 'stable', port: 80 },
      canary: { service: 'canary', port: 80 },
      routes: [{ kind: 'HTTPRoute', name: 'older' }],
    };
    await client.apply(rollout('younger', { traffic }));
    const status = await phaseOf('younger', 'Pending');
    const accepted = status.conditions?.find(({ type }) => type === 'Accepted');
    assert.deepEqual([accepted?.status, accepted?.reason], ['False', 'RouteConflict']);
    assert.match(accepted?.message ?? '', /GenesisRollout older is older/);
    await client.delete(referenceTo('GenesisRollout', 'younger'));
    await client.delete(referenceTo('GenesisRollout', 'older'));
  });

  test('refuses a query that is not PromQL with a sentence, and touches nothing', async () => {
    const { client } = world.plane;
    await client.apply(route('broken'));
    const triggers = [
      { name: 'x', severity: 'Critical', query: 'sum(rate(a[5m])', condition: '> 1' },
    ];
    await client.apply(rollout('broken', { triggers }));
    const status = await phaseOf('broken', 'Pending');
    const stalled = status.conditions?.find(({ type }) => type === 'Stalled');
    assert.deepEqual([stalled?.status, stalled?.reason], ['True', 'InvalidSpec']);
    assert.match(stalled?.message ?? '', /spec\.triggers\[0\] \(x\): query: not PromQL/);
    assert.equal(canaryWeight(await client.get(referenceTo('HTTPRoute', 'broken'))), 0);
    await client.delete(referenceTo('GenesisRollout', 'broken'));
  });

  test('takes a broken edit for what it is: the watch goes on under the recorded spec', async () => {
    const { client } = world.plane;
    await started('edited');
    const broken = [{ name: 'errors', severity: 'Critical', query: 'sum(', condition: '> 1' }];
    await client.patch(referenceTo('GenesisRollout', 'edited'), { spec: { triggers: broken } });
    await client.waitFor(
      referenceTo('GenesisRollout', 'edited'),
      (object) =>
        statusOf(object).conditions?.some(
          ({ type, status }) => type === 'Accepted' && status === 'False',
        ) === true,
    );
    world.value = 10;
    const status = await phaseOf('edited', 'RolledBack');
    world.value = 0;
    assert.equal(status.rollback?.trigger, 'errors');
    await client.delete(referenceTo('GenesisRollout', 'edited'));
  });
});
