/** Whom an alert reaches, as it is told from the configuration of a real Alertmanager, and as that one then routes it. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createAlertRouter } from '#alertmanager/alert-router.ts';
import type { AlertRouter } from '#ports/monitoring-systems.ts';
import { systemClock } from '#runtime/clock.ts';
import { type Alertmanager, startAlertmanager } from '#scripts/testbed/index.ts';
import { type TestServices, testServices } from '#test/monitoring/services.ts';
import { forever } from '#test/prometheus/source.ts';
import { pollUntil } from './testbed-polling.ts';

const webhook = [{ url: 'http://127.0.0.1:9/' }];

const config = {
  route: {
    receiver: 'everybody',
    group_wait: '1h',
    routes: [
      { receiver: 'archive', match_re: { severity: 'critical|warning' }, continue: true },
      {
        matchers: ['team="web"'],
        routes: [
          { receiver: 'web-critical', match: { severity: 'critical' } },
          { receiver: 'web-rest', matchers: ['severity=~"warning|info", env!="test"'] },
        ],
      },
      {
        receiver: 'database',
        match: { team: 'db', code: '0500' },
        routes: [
          { receiver: 'zone-a', matchers: ['{zone=~"a.*"}'], continue: true },
          { matchers: ['owner=~".+"'] },
        ],
      },
      { receiver: 'odd', matchers: ['note="say \\"hi\\", \\\\ and go"'] },
      { receiver: 'odd', match: { team: 'on' } },
    ],
  },
  receivers: [
    { name: 'everybody', webhook_configs: webhook },
    { name: 'archive', webhook_configs: webhook },
    { name: 'web-critical', webhook_configs: webhook },
    { name: 'web-rest' },
    { name: 'database', webhook_configs: webhook },
    { name: 'zone-a', webhook_configs: webhook },
    { name: 'odd', webhook_configs: webhook },
  ],
};

const cases: readonly Readonly<Record<string, string>>[] = [
  { team: 'x' },
  { severity: 'critical' },
  { severity: 'criticals' },
  { team: 'web', severity: 'critical' },
  { team: 'web', severity: 'warning' },
  { team: 'web', severity: 'warning', env: 'test' },
  { team: 'web', severity: 'page' },
  { team: 'db', code: '0500' },
  { team: 'db', code: '500' },
  { team: 'db', code: '0500', zone: 'a1' },
  { team: 'db', code: '0500', zone: 'a1', owner: 'ann' },
  { note: 'say "hi", \\ and go' },
  { team: 'on' },
];

let alertmanager: Alertmanager | undefined;
let services: TestServices;
let router: AlertRouter;

before(async () => {
  alertmanager = await startAlertmanager({ config });
  services = testServices();
  router = createAlertRouter(services.of('Alertmanager', alertmanager.url));
});

after(async () => {
  await services[Symbol.asyncDispose]();
  await alertmanager?.stop();
});

describe('a real Alertmanager', () => {
  test('is well', async () => {
    assert.equal((await router.health(forever)).type, 'told');
  });

  for (const [index, given] of cases.entries()) {
    test(`routes ${JSON.stringify(given)} as it was told`, async () => {
      const labels = { alertname: `Case${index}`, ...given };
      assert.deepEqual(await router.known(labels, forever), { type: 'told', value: undefined });
      const now = systemClock.now();
      const alert = { labels, annotations: {}, startsAtMs: now, endsAtMs: now + 600_000 };
      assert.equal((await router.post(alert, forever)).type, 'told');
      const known = await pollUntil(
        () => router.known(labels, forever),
        (answer) => answer.type === 'told' && answer.value !== undefined,
        30_000,
      );
      const foreseen = await router.receiversOf(labels, forever);
      assert.ok(known.type === 'told' && foreseen.type === 'told', JSON.stringify(foreseen));
      assert.deepEqual(
        new Set(foreseen.value.map(({ name }) => name)),
        new Set(known.value),
        JSON.stringify(foreseen),
      );
    });
  }

  test('has a receiver that tells nobody', async () => {
    const labels = { team: 'web', severity: 'info' };
    assert.deepEqual(await router.receiversOf(labels, forever), {
      type: 'told',
      value: [{ name: 'web-rest', reachesSomebody: false }],
    });
  });

  test('refuses an alert without labels, in its own words', async () => {
    const now = systemClock.now();
    const alert = { labels: {}, annotations: {}, startsAtMs: now, endsAtMs: undefined };
    const answer = await router.post(alert, forever);
    assert.ok(answer.type === 'failed');
    assert.match(answer.message, /answered 400: .*label/);
  });
});
