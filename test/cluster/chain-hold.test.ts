/**
 * A rollout that names an alerting rule which Prometheus has not loaded, on a real API server and a real Prometheus: it is held,
 * the status names the rule and the mend, and once the rule is there the run begins by itself.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { stringify } from 'yaml';
import { type Prometheus, startAlertmanager, startPrometheus } from '#scripts/testbed/index.ts';
import { listenLocally } from '#test/local-server.ts';
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

const name = 'chained';
const RULE = 'ShopErrors';
const WITHIN_MS = 60_000;
/** What is broken is looked at again after a minute, and a list of rules is good for half a minute. */
const MENDED_WITHIN_MS = 150_000;

let world: OperatorWorld;
let prometheus: Prometheus;
let alertmanager: Awaited<ReturnType<typeof startAlertmanager>>;
let exporter: Awaited<ReturnType<typeof listenLocally>>;
let folder: string;

const ruleGroup = (alerts: readonly string[]) => ({
  groups: [
    {
      name: 'shop',
      interval: '1s',
      rules: [
        { record: 'shop:errors:sum', expr: 'sum(errors)' },
        ...alerts.map((alert) => ({ alert, expr: 'errors > 100' })),
      ],
    },
  ],
});

before(async () => {
  exporter = await listenLocally(
    createServer((_, response) => {
      response
        .writeHead(200, { 'content-type': 'text/plain; version=0.0.4' })
        .end('errors{service="stable"} 0\nerrors{service="canary"} 0\n');
    }),
  );
  folder = await mkdtemp(join(tmpdir(), 'chain-hold-'));
  await writeFile(join(folder, 'rules.yaml'), stringify(ruleGroup([])));
  alertmanager = await startAlertmanager({ webhookUrl: `${exporter.url}/told` });
  prometheus = await startPrometheus({
    config: {
      // The exporter lives in this process: on a busy machine it may need seconds, and one scrape that fails breaks the chain.
      global: { scrape_interval: '5s', scrape_timeout: '5s', evaluation_interval: '1s' },
      rule_files: [join(folder, 'rules.yaml')],
      alerting: {
        alertmanagers: [{ static_configs: [{ targets: [new URL(alertmanager.url).host] }] }],
      },
      scrape_configs: [
        { job_name: 'shop', static_configs: [{ targets: [`127.0.0.1:${exporter.port}`] }] },
      ],
    },
  });
  await prometheus.untilScraped();
  world = await startOperatorWorld({ prometheusUrl: prometheus.url });
  const arms = ['stable', 'canary'].flatMap((one) => arm(one));
  for (const object of [...arms, route(name)]) await world.plane.client.apply(object);
});

after(async () => {
  await world.stop();
  await Promise.all([prometheus.stop(), alertmanager.stop()]);
  exporter.stop();
  await rm(folder, { recursive: true });
});

describe('a rollout whose alerting rule is missing', () => {
  const held = () => referenceTo('GenesisRollout', name);

  test('is held before its first step, and the status names the rule and what to do', async () => {
    const { client } = world.plane;
    await client.apply(rollout(name, { preflight: { alertRules: [RULE] } }));
    const object = await client.waitFor(
      held(),
      (one) => statusOf(one).holds?.some(({ reason }) => reason === 'ChainBroken') === true,
      WITHIN_MS,
    );
    const { phase, holds, step } = statusOf(object);
    assert.equal(phase, 'Preflight');
    assert.equal(step, undefined);
    const hold = holds?.find(({ reason }) => reason === 'ChainBroken');
    assert.equal(hold?.by, `alert rule ${RULE}`);
    assert.match(hold?.message ?? '', /ShopErrors is missing.*rule_files/);
    assert.deepEqual(
      hold?.links?.map((link) => link.split(' ')[0]),
      ['rule'],
    );
    assert.equal(object.metadata.namespace, namespace);
  });

  test('begins by itself once Prometheus has loaded it', async () => {
    await writeFile(join(folder, 'rules.yaml'), stringify(ruleGroup([RULE])));
    await fetch(`${prometheus.url}/-/reload`, { method: 'POST' });
    const object = await world.plane.client.waitFor(
      held(),
      (one) => statusOf(one).weight === 50,
      MENDED_WITHIN_MS,
    );
    assert.equal(
      statusOf(object).holds?.find(({ reason }) => reason === 'ChainBroken'),
      undefined,
    );
  });
});
