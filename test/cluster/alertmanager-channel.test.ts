/** The Alertmanager channel against a real Alertmanager: an open incident is an active alert, closed it resolves. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createNotifier } from '#notifiers/index.ts';
import type { Message, Notifier } from '#ports/notifier.ts';
import { systemClock } from '#runtime/clock.ts';
import { type Alertmanager, startAlertmanager } from '#scripts/testbed/index.ts';
import { type ChannelServer, startChannelServer } from '#test/notifiers/channel-server.ts';
import { firing, stepEntered } from '#test/notifiers/messages.ts';
import { pollUntil } from './testbed-polling.ts';

interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly status: { readonly state: string };
}

let alertmanager: Alertmanager | undefined;
let receiver: ChannelServer;
let notifier: Notifier | undefined;

before(async () => {
  receiver = await startChannelServer();
  alertmanager = await startAlertmanager({ webhookUrl: receiver.url });
  notifier = createNotifier(
    {
      type: 'alertmanager',
      name: 'alerts',
      urls: [alertmanager.url],
      tls: { insecureSkipVerify: false },
    },
    { readSecret: () => Promise.reject(new Error('no secret')), clock: systemClock },
  );
});

after(async () => {
  await notifier?.close();
  await alertmanager?.stop();
  await receiver.close();
});

async function alerts(name: string): Promise<Alert[]> {
  const answer = await fetch(`${alertmanager?.url}/api/v2/alerts?active=true`);
  const all: Alert[] = JSON.parse(await answer.text());
  return all.filter(({ labels }) => labels['alertname'] === name);
}

const now = () => new Date(systemClock.now()).toISOString();
const send = (message: Message) => {
  assert.ok(notifier);
  return notifier.send(message, AbortSignal.timeout(20_000));
};

describe('a real Alertmanager', () => {
  const opened = {
    ...firing,
    at: now(),
    incident: { key: 'k', state: 'Open' as const, openedAt: now() },
  };

  test('has an open incident as one active alert, however often it is told', async () => {
    assert.deepEqual(await send(opened), { type: 'sent', answer: '200' });
    assert.equal((await send(opened)).type, 'sent');
    const found = await pollUntil(
      () => alerts('GenesisTriggerFiring'),
      (all) => all.length > 0,
      30_000,
    );
    assert.equal(found.length, 1);
    assert.equal(found[0]?.status.state, 'active');
    assert.equal(found[0]?.labels['severity'], 'critical');
    assert.equal(found[0]?.annotations['runbook_url'], firing.runbookUrl);
  });

  test('tells its receiver of the opening and of the end', async () => {
    const closed = { ...opened, incident: { ...opened.incident, state: 'Closed' as const } };
    assert.equal((await send(closed)).type, 'sent');
    const left = await pollUntil(
      () => alerts('GenesisTriggerFiring'),
      (all) => all.length === 0,
      30_000,
    );
    assert.deepEqual(left, []);
    const told = await pollUntil(
      async () => receiver.received.map(({ text }) => JSON.parse(text).status),
      (all) => all.includes('resolved'),
      30_000,
    );
    assert.ok(told.includes('firing') && told.includes('resolved'), told.join(' '));
  });

  test('takes what is no incident as an alert that ends by itself', async () => {
    assert.equal((await send({ ...stepEntered, at: now() })).type, 'sent');
    const found = await pollUntil(
      () => alerts('GenesisStepEntered'),
      (all) => all.length > 0,
      30_000,
    );
    assert.equal(found.length, 1);
  });
});
