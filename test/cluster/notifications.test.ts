/** People are told by the whole operator on a real API server, and a channel that hangs delays no rollback. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type ChannelServer, startChannelServer } from '#test/notifiers/channel-server.ts';
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
import { pollUntil } from './testbed-polling.ts';

const KEY = 'signing-key-of-the-test';
const WITHIN_MS = 60_000;

let world: OperatorWorld;
let hook: ChannelServer;
let hanging: ChannelServer;
let folder: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'notifications-'));
  const file = join(folder, 'key');
  writeFileSync(file, `${KEY}\n`);
  hook = await startChannelServer();
  hanging = await startChannelServer();
  hanging.answer = 'hang';
  const signed = (url: string) => ({ webhook: { url, secret: { file } } });
  world = await startOperatorWorld({
    notifications: {
      channels: [
        {
          name: 'hook',
          webhook: { url: hook.url, secret: { secret: { name: 'people', key: 'key' } } },
        },
        { name: 'hanging', ...signed(hanging.url) },
        { name: 'gone', ...signed('http://127.0.0.1:9/') },
      ],
      routing: { releaseOwner: ['hanging'], responders: { hudson: ['hanging', 'gone'] } },
    },
  });
  const { client } = world.plane;
  for (const object of [...arm('stable'), ...arm('canary')]) await client.apply(object);
  await client.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'people', namespace },
    stringData: { key: KEY },
  });
});

after(async () => {
  await world.stop();
  await hook.close();
  await hanging.close();
  rmSync(folder, { recursive: true });
});

interface Told {
  readonly type: string;
  readonly id: string;
  readonly data: {
    readonly rollout: string;
    readonly kind: string;
    readonly text: string;
    readonly body?: string;
  };
}

function told(name: string): Told[] {
  return hook.received
    .map(({ text }): Told => JSON.parse(text))
    .filter(({ data }) => data.rollout === name);
}

const atHalf = async (name: string, spec: object) => {
  const { client } = world.plane;
  await client.apply(route(name));
  await client.apply(rollout(name, spec));
  await client.waitFor(
    referenceTo('GenesisRollout', name),
    (object) => statusOf(object).weight === 50 && statusOf(object).stepEnteredAt !== undefined,
    WITHIN_MS,
  );
};

/** How long the first stage took, from the decision to the routes at 0, in ms. */
const stoppedIn = async (name: string): Promise<number> => {
  const object = await world.plane.client.waitFor(
    referenceTo('GenesisRollout', name),
    (one) => statusOf(one).rollback?.stages[0]?.finishedAt !== undefined,
    WITHIN_MS,
  );
  const { rollback } = statusOf(object);
  assert.equal(canaryWeight(await world.plane.client.get(referenceTo('HTTPRoute', name))), 0);
  return Date.parse(rollback?.stages[0]?.finishedAt ?? '') - Date.parse(rollback?.startedAt ?? '');
};

describe('people', () => {
  test('a channel that hangs and one that is gone delay a rollback by nothing', async (context) => {
    const everything = ['hanging', 'gone', 'hook'].map((channel) => ({ channel }));
    await atHalf('silent', { notify: [] });
    await atHalf('loud', { notify: everything });
    world.value = 5;
    const [silentMs, loudMs] = await Promise.all([stoppedIn('silent'), stoppedIn('loud')]);
    world.value = 0;
    context.diagnostic(
      `traffic at 0 after ${silentMs} ms without channels, ${loudMs} ms with one that hangs`,
    );
    // A channel has 15 s; a rollback that waited for one try would be far beyond this.
    assert.ok(loudMs <= silentMs + 5_000, `${loudMs} ms, and ${silentMs} ms without channels`);
    assert.ok(hanging.received.length > 0, 'the channel was tried');
  });

  test('are told each thing once, signed, from the start to the end', async () => {
    const kinds = () => told('loud').map(({ data }) => data.kind);
    await pollUntil(
      async () => kinds(),
      (all) => all.includes('RollbackFinished'),
      WITHIN_MS,
    );
    for (const kind of ['RunStarted', 'TriggerFiring', 'RollbackStarted', 'RollbackFinished']) {
      assert.equal(
        kinds().filter((one) => one === kind).length,
        1,
        `${kind} in ${kinds().join(' ')}`,
      );
    }
    const firing = told('loud').find(({ data }) => data.kind === 'TriggerFiring');
    assert.match(firing?.data.text ?? '', /errors .* > /);
    const end = told('loud').find(({ data }) => data.kind === 'RollbackFinished');
    assert.match(end?.data.body ?? '', /^# Incident report: loud v2\n/);
    for (const { headers, text } of hook.received) {
      const timestamp = String(headers['x-genesis-timestamp']);
      const hmac = createHmac('sha256', KEY).update(`${timestamp}.${text}`).digest('hex');
      assert.equal(headers['x-genesis-signature'], `sha256=${hmac}`);
    }
    assert.deepEqual(told('silent'), []);
  });

  test('what was told is kept beside the rollout, without secrets', async () => {
    const kept = await pollUntil(
      () => world.plane.client.get(referenceTo('ConfigMap', 'loud-notices')),
      (found) => JSON.stringify(found ?? {}).includes('rolled-back'),
      WITHIN_MS,
    );
    assert.match(JSON.stringify(kept?.metadata), /"kind":"GenesisRollout","name":"loud"/);
    assert.ok(!JSON.stringify(kept).includes(KEY));
  });

  test('a channel that is not there is refused, with those that are', async () => {
    const { client } = world.plane;
    await client.apply(route('unknown'));
    await client.apply(rollout('unknown', { notify: [{ channel: 'hok' }] }));
    const object = await client.waitFor(
      referenceTo('GenesisRollout', 'unknown'),
      (one) => statusOf(one).conditions?.some(({ reason }) => reason === 'InvalidSpec') ?? false,
      WITHIN_MS,
    );
    const accepted = statusOf(object).conditions?.find(({ type }) => type === 'Accepted');
    assert.equal(accepted?.status, 'False');
    assert.match(
      accepted?.message ?? '',
      /spec\.notify\[0\]\.channel: "hok" is no channel of the operator's configuration: there are hook, hanging, gone; did you mean hook\?/,
    );
    assert.equal(canaryWeight(await client.get(referenceTo('HTTPRoute', 'unknown'))), 0);
  });
});
