/**
 * What a user does, on a real cluster: `helm install`, `kubectl apply` of a rollout, and real customers' requests through a real
 * gateway. A good version takes over while the operator is upgraded; a bad one is rolled back although the leader is lost meanwhile.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import type { RolloutStatus } from '#api/status.ts';
import { systemClock } from '#runtime/clock.ts';
import { type Load, startLoad } from '#scripts/demo/load.ts';
import { type Share, shareBetween } from '#scripts/demo/observation.ts';
import { pollUntil } from '#test/cluster/testbed-polling.ts';

import {
  type Colour,
  colours,
  deploymentObject,
  hostname,
  namespaceObject,
  type RolloutOptions,
  rolloutObject,
  routeObject,
  serviceObject,
  serviceOf,
  shop,
  yamlOf,
} from './shop.ts';
import { suiteConfigMap, suiteOf } from './suite.ts';
import { type E2eWorld, newerTag, startE2eWorld } from './world.ts';

const system = 'genesis-system';
const release = 'genesis-rollout';
const holdMs = 25_000;
/** Busy machines: what takes seconds may take so long. */
const soonMs = 60_000;
const requestsPerSecond = 40;
/** Long enough for some hundred requests, so that a share is known to a few percent. */
const measureMs = 6_000;

describe('from helm install to a rollback', { timeout: 600_000 }, () => {
  let world: E2eWorld;
  let load: Load | undefined;
  before(async () => {
    world = await startE2eWorld();
  });
  after(async () => {
    await load?.stop();
    await world?.stop();
  });

  const apply = async (yaml: string) => await world.shell('kubectl apply -f -', yaml);
  const statusNow = async (): Promise<RolloutStatus> => {
    const text = await world.shell(`kubectl -n ${shop} get genesisrollout checkout -o json`);
    return (JSON.parse(text) as { status?: RolloutStatus }).status ?? {};
  };
  const untilStatus = async (isWanted: (status: RolloutStatus) => boolean, withinMs = soonMs) => {
    const status = await pollUntil(statusNow, isWanted, withinMs);
    assert.ok(isWanted(status), JSON.stringify(status, null, 1));
    return status;
  };
  const point = ({ plan = [] }: RolloutStatus, name: string) =>
    plan.find((one) => one.name === name);
  const entered = (name: string) => (status: RolloutStatus) =>
    point(status, name)?.passedAt !== undefined;
  const leader = async () => {
    const path = '{.spec.holderIdentity}';
    return await world.shell(`kubectl -n ${system} get lease ${release} -o jsonpath='${path}'`);
  };
  /** Of what customers get from now on. */
  const measured = async (version: string) => {
    const fromMs = systemClock.now();
    await systemClock.sleep(measureMs);
    return shareBetween(load?.responses ?? [], version, fromMs, systemClock.now());
  };
  /** A changed weight is in force within a second or so after it is on the route. */
  const customersGet = async (version: string, percent: number) => {
    const tolerance = percent === 50 ? 15 : 0;
    const isWanted = ({ percent: found = -1 }: Share) => Math.abs(found - percent) <= tolerance;
    const share = await pollUntil(async () => await measured(version), isWanted, soonMs);
    assert.ok(isWanted(share), `${percent}% is wanted: ${JSON.stringify(share)}`);
    return share;
  };
  const deploy = async (colour: Colour, version: string) => {
    await apply(yamlOf(deploymentObject(colour, version)));
    await world.shell(
      `kubectl -n ${shop} rollout status deployment/${serviceOf(colour)} --timeout=90s`,
    );
  };

  test('helm install brings up two replicas, of which one leads', async () => {
    const values = [
      'image.registry=',
      'image.repository=localhost/genesis-rollout',
      'image.tag=local',
      `config.prometheusUrl=${world.prometheus.url}`,
    ].map((value) => `--set ${value}`);
    const notes = await world.shell(
      `helm install ${release} charts/genesis-rollout --namespace ${system} --create-namespace --wait --timeout 120s ${values.join(' ')}`,
    );
    assert.match(notes, /Genesis Rollout \S+ looks after all namespaces/);
    const pods = await world.shell(`kubectl -n ${system} get pods`);
    assert.equal(pods.match(/ 1\/1 +Running /g)?.length, 2, pods);
    assert.match(await pollUntil(leader, (name) => name !== ''), /^genesis-rollout-/);
    await world.shell(`helm test ${release} --namespace ${system} --timeout 60s`);
  });

  test('a good version takes over at its steps, as customers see it, while the operator is upgraded', async () => {
    await apply(yamlOf(namespaceObject, ...colours.map(serviceObject)));
    await Promise.all([deploy('blue', 'v1'), deploy('green', 'v2')]);
    await apply(yamlOf(routeObject(world.gateway.parentRef, 'blue')));
    load = startLoad({ url: world.gateway.url, hostname, requestsPerSecond });
    await untilAnswered('v1');
    const startedAtMs = systemClock.now();
    const arms = { revision: 'v2', stable: 'blue', canary: 'green' } as const;
    const suite = await suiteOf('green', arms.revision);
    await apply(
      yamlOf(await suiteConfigMap(), rollout({ ...arms, suite }, ['0s', '10s', '60s'], '66s')),
    );

    const half = await untilStatus(entered('half'));
    await untilLogged(/health suite smoke: 36 of 36 tests passed"/);
    const ends = '{.items[*].status.containerStatuses[*].state.terminated}';
    const found = await world.shell(
      `kubectl -n ${shop} get pods -l genesis.dev/purpose=suite -o jsonpath='${ends}'`,
    );
    assert.match(found, /"exitCode":0/);
    assert.doesNotMatch(found, /"message"/, 'the log alone has the result');
    await customersGet('v2', 50);
    const page = await world.shell(`kubectl genesis status checkout -n ${shop}`);
    assert.match(page, /^Progressing, canary 50%$/m);
    assert.match(page, /▶ full +step +100%/);

    await world.shell(
      `helm upgrade ${release} charts/genesis-rollout --namespace ${system} --reuse-values --set image.tag=${newerTag} --wait --timeout 120s`,
    );
    const pods = await world.shell(
      `kubectl -n ${system} get pods -o jsonpath='{.items[*].spec.containers[*].image}'`,
    );
    assert.match(pods, new RegExp(`:${newerTag}`));

    const full = await untilStatus(entered('full'), 2 * soonMs);
    assert.equal(full.runId, half.runId, 'the same run goes on');
    const plannedAt = point(half, 'full')?.dueAt ?? '';
    const lateMs = Date.parse(point(full, 'full')?.passedAt ?? '') - Date.parse(plannedAt);
    assert.ok(lateMs >= 0 && lateMs < 30_000, `as planned, and ${lateMs} ms late`);
    await customersGet('v2', 100);

    const end = await untilStatus(({ phase }) => phase === 'Succeeded');
    assert.equal(end.weight, 100);
    const all = shareBetween(load.responses, 'v2', startedAtMs, systemClock.now());
    assert.ok(isRare(all), `customers have noticed: ${JSON.stringify(all)}`);
  });

  test('a bad version is rolled back at its time, although the leader is lost while it is proved', async () => {
    await deploy('blue', 'v3');
    await apply(
      yamlOf(
        rollout({ revision: 'v3', stable: 'green', canary: 'blue' }, ['0s', '8s', '10m'], '11m'),
      ),
    );
    await untilStatus((status) => status.revision === 'v3' && entered('half')(status));
    await customersGet('v3', 50);

    await fail('blue', 0.4);
    const pending = await untilStatus((status) => trigger(status)?.state === 'Pending');
    const lost = await leader();
    await world.shell(`kubectl -n ${system} delete pod ${podOf(lost)} --wait=false`);
    assert.equal(trigger(await statusNow())?.state, 'Pending', 'it is in mid-hold');
    const next = await pollUntil(leader, (name) => name !== '' && name !== lost, soonMs);
    assert.notEqual(podOf(next), podOf(lost));

    const end = await untilStatus(({ phase }) => phase === 'RolledBack', 2 * soonMs);
    const { activeAt = '', firingAt = '' } = trigger(end) ?? {};
    assert.equal(activeAt, trigger(pending)?.activeAt, 'what was proved before counts');
    const heldMs = Date.parse(firingAt) - Date.parse(activeAt);
    assert.ok(heldMs >= holdMs && heldMs < holdMs + 15_000, `it was held for ${heldMs} ms`);
    assert.equal(end.weight, 0);
    assert.equal(end.rollback?.trigger, 'error-rate');
    const share = await customersGet('v3', 0);
    assert.ok(isRare(share), JSON.stringify(share));
  });

  test('status, events and logs say what has happened and why', async () => {
    const page = await world.shell(`kubectl genesis status checkout -n ${shop}`);
    assert.match(page, /^RolledBack, canary 0%$/m);
    assert.match(page, /because: error-rate [\d.]+% > 1%/);
    assert.match(page, /v3: RolledBack/);
    assert.match(page, /v2: Succeeded/);
    const list = await world.shell(`kubectl get genesisrollouts -A`);
    assert.match(list, /shop +checkout +RolledBack/);
    const events = await world.shell(`kubectl -n ${shop} events --for genesisrollout/checkout`);
    for (const said of [/TriggerFired/, /RolledBack/, /error-rate/]) assert.match(events, said);
    const logs = await operatorLogs();
    const lines = logs
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { msg?: string });
    assert.ok(
      lines.some(({ msg }) => msg?.includes('error-rate') === true),
      logs,
    );
  });

  async function operatorLogs(): Promise<string> {
    return await world.shell(
      `kubectl -n ${system} logs -l app.kubernetes.io/name=genesis-rollout --tail=-1 --prefix=false`,
    );
  }

  async function untilLogged(said: RegExp): Promise<void> {
    const logs = await pollUntil(operatorLogs, (text) => said.test(text), soonMs);
    assert.match(logs, said);
  }

  async function untilAnswered(version: string): Promise<void> {
    const newest = async () => load?.responses.at(-1);
    const answer = await pollUntil(newest, (one) => one?.version === version, soonMs);
    assert.equal(answer?.version, version);
  }

  /** Through the API server, which reaches every pod. */
  async function fail(colour: Colour, errorRate: number): Promise<void> {
    const path = `/api/v1/namespaces/${shop}/services/${serviceOf(colour)}:admin/proxy/fault`;
    const { status, body } = await world.plane.client.send('POST', path, { body: { errorRate } });
    assert.equal(status, 200, JSON.stringify(body));
  }
});

type Arms = Pick<RolloutOptions, 'revision' | 'stable' | 'canary' | 'suite'>;

function rollout(arms: Arms, [dark = '', half = '', full = '']: readonly string[], end: string) {
  const steps = [
    { name: 'dark', at: dark, weight: 0 },
    { name: 'half', at: half, weight: 50 },
    { name: 'full', at: full, weight: 100 },
  ];
  return rolloutObject({ ...arms, steps, end, holdFor: `${holdMs / 1_000}s` });
}

function trigger({ triggers = [] }: RolloutStatus) {
  return triggers.find(({ name }) => name === 'error-rate');
}

/** The identity in the Lease is the pod's name and something that tells its processes apart. */
function podOf(identity: string): string {
  return identity.split('_')[0] ?? identity;
}

/** A busy machine may let a request run out of time; a mistake of ours would show in many. */
function isRare({ failed, requests }: Share): boolean {
  return failed <= requests / 200;
}
