/**
 * No right too many and none too few: the operator runs under the chart's ServiceAccount through whole lives of rollouts, and what the
 * API server's audit log says it has done is compared with what the chart's roles allow.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { chartFolder, chartNamespace } from '#scripts/gen/chart/render.ts';
import type { KubeObject, Part } from '#scripts/testbed/index.ts';
import { approve, furnish, goBack, spoil, succeed, unwatched } from './chart-life.ts';
import { type ChartWorld, release, startChartWorld } from './chart-world.ts';
import { namespace } from './operator-world.ts';
import { granted, mayUser, usedBy } from './rights.ts';
import { pollUntil } from './testbed-polling.ts';

const account = `system:serviceaccount:${chartNamespace}:${release}`;
const rbac = 'rbac.authorization.k8s.io/v1';

const explained = [
  // What no test can bring about at will: a patch that another writer comes before, after which the object is read live.
  ...['deployments', 'statefulsets', 'daemonsets'].map((kind) => `get ${kind}.apps`),
  // A server-side apply of what is not there yet is a patch in the log, and needs both.
  ...['prometheusrules', 'servicemonitors'].map((kind) => `create ${kind}.monitoring.coreos.com`),
];

let world: ChartWorld;
const operators: Part[] = [];

before(async () => {
  world = await startChartWorld({
    auditPolicy: 'Metadata',
    // Where watches bring what is there along, nothing is listed; not every API server does that.
    apiServerFlags: ['--feature-gates=WatchList=false'],
    users: [{ name: 'alice' }, { name: 'bob' }],
  });
  await furnish(world);
});
after(async () => {
  await stopOperators();
  await world.stop();
});

async function stopOperators(): Promise<void> {
  // The leader last: as soon as it ends, another would take over.
  for (const operator of operators.splice(0).reverse()) {
    await operator.stop({ killAfterMs: 30_000 });
  }
}

async function install(command: string, ...settings: readonly string[]): Promise<void> {
  const place = ['--namespace', chartNamespace, '--create-namespace'];
  // The stub takes whatever is posted.
  const secret = { name: 'channel', key: 'signature' };
  const webhook = { url: world.prometheusUrl, secret: { secret } };
  const notifications = {
    channels: [{ name: 'hook', webhook }],
    routing: { default: [{ channel: 'hook' }] },
  };
  const config = { prometheusUrl: world.prometheusUrl, notifications };
  const values = ['--set-json', `config=${JSON.stringify(config)}`];
  await world.helm('helm', command, release, chartFolder, ...place, ...values, ...settings);
}

describe('for all namespaces', () => {
  test('every right that is given is used, and every one that is used is given', async () => {
    await install('install');
    await world.plane.client.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'channel', namespace: chartNamespace },
      stringData: { signature: 'of the hook' },
    });
    await bindPeople();
    operators.push(await world.startOperator(), await world.startOperator());
    await Promise.all([succeed(world, 'good'), approve(world, 'waiting', 'alice')]);
    await untilUsed('get pods/log');
    await spoil(world, 'waiting');
    // The one that stood by takes the runs up, and knows this one only from what is recorded of it.
    await operators.shift()?.stop({ killAfterMs: 30_000 });
    await install(
      'upgrade',
      '--set',
      'config.monitoring.prometheusRules=false',
      '--set',
      'config.monitoring.serviceMonitors=false',
    );
    operators.push(await world.startOperator());
    await operators.shift()?.stop({ killAfterMs: 30_000 });
    await unwatched(world);
    await goBack(world, 'bad', 'bob');
    await stopOperators();
    const given = granted(await rolesOf(['ClusterRole', 'Role']));
    const { rights, forbidden } = await usedBy(account, world.plane.auditLogPath ?? '', given);
    assert.deepEqual(forbidden, []);
    assert.deepEqual(
      rights.filter((right) => !given.includes(right)),
      [],
      'used and not given',
    );
    assert.deepEqual(
      given.filter((right) => !rights.includes(right) && !explained.includes(right)),
      [],
      'given and not used',
    );
  });
});

describe('for one namespace', () => {
  test('the same rollouts live with a Role there', async () => {
    const since = new Date();
    await install('upgrade', '--set', `watchNamespaces={${namespace}}`);
    operators.push(await world.startOperator());
    await Promise.all([succeed(world, 'good-too'), approve(world, 'waiting-too', 'alice')]);
    await goBack(world, 'bad-too', 'bob');
    await stopOperators();
    const given = granted(await rolesOf(['ClusterRole', 'Role']));
    const used = await usedBy(account, world.plane.auditLogPath ?? '', given, since);
    assert.deepEqual(used.forbidden, []);
    assert.deepEqual(
      used.rights.filter((right) => !given.includes(right)),
      [],
    );
  });

  for (const [verb, group, resource, where, isAllowed] of [
    ['patch', 'gateway.networking.k8s.io', 'httproutes', namespace, true],
    ['patch', 'gateway.networking.k8s.io', 'httproutes', 'default', false],
    ['get', '', 'secrets', namespace, true],
    ['get', '', 'secrets', chartNamespace, false],
    ['list', '', 'secrets', namespace, false],
    ['get', '', 'pods/log', namespace, true],
    ['get', '', 'pods/log', 'default', false],
    ['create', '', 'pods', namespace, false],
    ['update', 'genesis.dev', 'genesisrollouts', namespace, false],
    ['create', 'genesis.dev', 'genesisdecisions', namespace, false],
    ['approve', 'genesis.dev', 'genesisrollouts', namespace, false],
  ] as const) {
    const may = isAllowed ? 'may' : 'may not';
    test(`it ${may} ${verb} ${resource} in ${where}`, async () => {
      const attributes = { verb, group, resource, namespace: where };
      assert.equal(await mayUser(world.plane, account, attributes), isAllowed);
    });
  }
});

describe('for people', () => {
  for (const [user, verb, isAllowed] of [
    ['alice', 'approve', true],
    ['alice', 'abort', false],
    ['alice', 'patch', false],
    ['bob', 'abort', true],
    ['bob', 'patch', true],
    ['bob', 'approve', false],
    ['bob', 'author', false],
  ] as const) {
    const who = user === 'alice' ? 'an approver' : 'an editor';
    test(`${who} ${isAllowed ? 'may' : 'may not'} ${verb} a rollout`, async () => {
      const attributes = { verb, group: 'genesis.dev', resource: 'genesisrollouts', namespace };
      assert.equal(await mayUser(world.plane, user, attributes), isAllowed);
    });
  }
});

/** The Job of a suite ends when it ends, and its pod has left no other result. */
async function untilUsed(right: string): Promise<void> {
  const used = await pollUntil(
    async () => await usedBy(account, world.plane.auditLogPath ?? '', []),
    ({ rights }) => rights.includes(right),
    60_000,
  );
  assert.ok(used.rights.includes(right), used.rights.join('\n'));
}

/** Of the chart's ServiceAccount: those of people have names of their own. */
async function rolesOf(kinds: readonly string[]): Promise<readonly KubeObject[]> {
  const { client } = world.plane;
  const lists = await Promise.all(
    kinds.flatMap((kind) =>
      kind === 'ClusterRole'
        ? [client.list(rbac, kind)]
        : [chartNamespace, namespace].map(async (where) => await client.list(rbac, kind, where)),
    ),
  );
  return lists
    .flat()
    .filter(({ metadata }) =>
      ['', '-leader', '-channels'].includes(metadata.name.replace(release, '')),
    );
}

/** Alice approves; Bob edits by the role that every cluster has. */
async function bindPeople(): Promise<void> {
  for (const [user, role] of [
    ['alice', `${release}-approve`],
    ['bob', 'edit'],
  ] as const) {
    await world.plane.client.apply({
      apiVersion: rbac,
      kind: 'RoleBinding',
      metadata: { name: user, namespace },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [{ kind: 'User', name: user, apiGroup: 'rbac.authorization.k8s.io' }],
    });
  }
}
