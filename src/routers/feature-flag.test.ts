/** What a feature flag's ConfigMap says, and what can be done to it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ClusterError } from '#ports/cluster.ts';
import { silentLogger } from '#ports/logger.ts';
import type { RouteTarget, TrafficRouter } from '#ports/traffic-router.ts';
import { FakeCluster } from '#test/fakes/cluster.ts';
import { createRouters, routeResources } from './index.ts';

const key = { namespace: 'shop', name: 'flags' };
const resource = routeResources.find(({ kind }) => kind === 'ConfigMap')!;
const common = {
  ...key,
  kind: 'ConfigMap',
  apiVersion: 'v1',
  stable: undefined,
  canary: undefined,
};
const percent: RouteTarget = {
  ...common,
  flag: { key: 'cart', format: 'Percent', flag: undefined },
};
const flagd: RouteTarget = {
  ...common,
  flag: { key: 'flags.json', format: 'Flagd', flag: 'cart' },
};
const limit = () => ({ signal: AbortSignal.timeout(5_000) });

function setUp(fields: object): { cluster: FakeCluster; router: TrafficRouter } {
  const cluster = new FakeCluster();
  cluster.server.seed(resource, { apiVersion: 'v1', kind: 'ConfigMap', metadata: key, ...fields });
  const router = createRouters(cluster, silentLogger)('ConfigMap');
  assert.ok(router);
  return { cluster, router };
}

function dataOf(cluster: FakeCluster): unknown {
  return cluster.server.get(resource, key)?.['data'];
}

function document(flag: object): string {
  return JSON.stringify({
    flags: { cart: { state: 'ENABLED', variants: { on: true, off: false }, ...flag } },
  });
}

const split = {
  targeting: {
    fractional: [
      ['on', 20],
      ['off', 80],
    ],
  },
};

describe('a percentage', () => {
  const rows: readonly { says: string; text: string; weight?: number; refusal?: string }[] = [
    { says: 'is a whole number', text: '20', weight: 20 },
    { says: 'may have white space around it', text: ' 20\n', weight: 20 },
    { says: 'may be 0', text: '0', weight: 0 },
    { says: 'may be 100', text: '100', weight: 100 },
    {
      says: 'is no more than 100',
      text: '101',
      refusal: 'ConfigMap shop/flags data.cart is "101"; allowed is a whole number from 0 to 100',
    },
    {
      says: 'has no sign',
      text: '20%',
      refusal: 'ConfigMap shop/flags data.cart is "20%"; allowed is a whole number from 0 to 100',
    },
    {
      says: 'is not empty',
      text: '',
      refusal: 'ConfigMap shop/flags data.cart is ""; allowed is a whole number from 0 to 100',
    },
  ];
  for (const { says, text, weight, refusal } of rows) {
    test(says, () => {
      const reading = setUp({ data: { cart: text } }).router.read(percent);
      if (refusal === undefined) assert.equal(reading.type === 'read' && reading.weight, weight);
      else assert.deepEqual(reading, { type: 'refused', reason: 'Malformed', message: refusal });
    });
  }

  test('keeps its white space', async () => {
    const { cluster, router } = setUp({ data: { cart: '\t20 \n' } });
    await router.setWeight(percent, 100, limit());
    assert.deepEqual(dataOf(cluster), { cart: '\t100 \n' });
  });

  const gone: readonly { says: string; fields: object }[] = [
    { says: 'whose text is nonsense', fields: { data: { cart: 'many' } } },
    { says: 'whose key is not there', fields: { data: { other: '1' } } },
    { says: 'in a ConfigMap without data', fields: {} },
  ];
  for (const { says, fields } of gone) {
    test(`${says} is not raised, and lowered to 0 all the same`, async () => {
      const { cluster, router } = setUp(fields);
      assert.equal((await router.setWeight(percent, 50, limit())).type, 'refused');
      const write = await router.setWeight(percent, 0, limit());
      assert.equal(
        write.type === 'written' && write.reading.type === 'read' && write.reading.weight,
        0,
      );
      assert.equal(Reflect.get(Object(dataOf(cluster)), 'cart'), '0');
    });
  }

  test('that another writer adds meanwhile is read again before it is overwritten', async () => {
    const { cluster, router } = setUp({});
    cluster.before = ({ verb }) => {
      if (verb !== 'jsonPatch') return;
      cluster.before = undefined;
      cluster.server.mergePatch(resource, key, { data: { cart: '70\n', note: 'keep me' } }, {});
    };
    await router.setWeight(percent, 0, limit());
    assert.deepEqual(dataOf(cluster), { cart: '0\n', note: 'keep me' });
  });
});

describe('a flag', () => {
  const rows: readonly { says: string; fields: object; reason: string; lowers: boolean }[] = [
    {
      says: 'that is disabled',
      fields: { data: { 'flags.json': document({ ...split, state: 'DISABLED' }) } },
      reason: 'FlagDisabled',
      lowers: true,
    },
    {
      says: 'with a third variant',
      fields: {
        data: {
          'flags.json': document({
            targeting: {
              fractional: [
                ['on', 1],
                ['off', 1],
                ['maybe', 1],
              ],
            },
          }),
        },
      },
      reason: 'ThirdVariant',
      lowers: true,
    },
    {
      says: 'without numbers',
      fields: {
        data: { 'flags.json': document({ targeting: { fractional: [['on'], ['off']] } }) },
      },
      reason: 'WeightsNotDeclared',
      lowers: true,
    },
    {
      says: 'without a split',
      fields: { data: { 'flags.json': document({}) } },
      reason: 'NoFractional',
      lowers: false,
    },
    {
      says: 'in a broken document',
      fields: { data: { 'flags.json': '{' } },
      reason: 'Malformed',
      lowers: false,
    },
    { says: 'that is not there', fields: { data: {} }, reason: 'NoSuchFlag', lowers: false },
  ];
  for (const { says, fields, reason, lowers } of rows) {
    test(`${says} is not raised, for a reason, and ${lowers ? 'is' : 'cannot be'} lowered`, async () => {
      const { cluster, router } = setUp(fields);
      const raised = await router.setWeight(flagd, 50, limit());
      assert.equal(raised.type === 'refused' && raised.reason, reason);
      assert.equal(cluster.writes.length, 0);
      const lowered = await router.setWeight(flagd, 0, limit());
      assert.equal(lowered.type, lowers ? 'written' : 'refused');
      if (lowered.type === 'written') {
        assert.equal(lowered.reading.type === 'read' && lowered.reading.weight, 0);
      }
    });
  }

  test('is lowered in a document that another writer changes meanwhile, whose change stays', async () => {
    const { cluster, router } = setUp({ data: { 'flags.json': document(split) } });
    const changed = document({ ...split, metadata: { owner: 'cart' } });
    cluster.before = ({ verb }) => {
      if (verb !== 'jsonPatch') return;
      cluster.before = undefined;
      cluster.server.mergePatch(resource, key, { data: { 'flags.json': changed } }, {});
    };
    await router.setWeight(flagd, 0, limit());
    assert.deepEqual(dataOf(cluster), {
      'flags.json': changed.replace('["on",20],["off",80]', '["on",0],["off",100]'),
    });
  });

  test('is released even where its document can no longer be read', async () => {
    const { cluster, router } = setUp({ data: { 'flags.json': document(split) } });
    await router.setWeight(flagd, 50, limit());
    cluster.server.mergePatch(
      resource,
      key,
      { data: { 'flags.json': '{', note: 'x' } },
      { fieldManager: 'kubectl' },
    );
    await router.setWeight(flagd, 0, { ...limit(), rollbackOf: 'run' });
    assert.equal((await router.release(flagd, 0, limit().signal)).type, 'written');
    const managers = cluster.server
      .get(resource, key)
      ?.metadata.managedFields?.map((entry) => entry.manager);
    assert.deepEqual(managers, ['kubectl']);
  });

  test('goes back to what was declared even if it must not be raised', async () => {
    const { router } = setUp({ data: { 'flags.json': document({ ...split, state: 'DISABLED' }) } });
    await router.setWeight(flagd, 0, limit());
    const write = await router.release(flagd, 20, limit().signal);
    assert.equal(
      write.type === 'written' && write.reading.type === 'read' && write.reading.weight,
      20,
    );
  });

  test('in an immutable ConfigMap is reported, and a write fails as the server says', async () => {
    const { cluster, router } = setUp({ immutable: true, data: { 'flags.json': document(split) } });
    const raised = await router.setWeight(flagd, 50, limit());
    assert.equal(raised.type === 'refused' && raised.reason, 'Immutable');
    cluster.before = ({ verb }) => {
      if (verb === 'jsonPatch')
        throw new ClusterError('invalid', 'field is immutable', { status: 422 });
    };
    await assert.rejects(
      router.setWeight(flagd, 0, limit()),
      (error) => error instanceof ClusterError && error.fault === 'invalid',
    );
  });

  test('needs to be named', () => {
    const { router } = setUp({ data: { 'flags.json': document(split) } });
    const nameless = {
      ...flagd,
      flag: { key: 'flags.json', format: 'Flagd', flag: undefined },
    } as const;
    assert.deepEqual(router.read(nameless), {
      type: 'refused',
      reason: 'InvalidTarget',
      message:
        'ConfigMap shop/flags data.flags.json is a flagd document: traffic.featureFlag.flag must name the flag in it',
    });
    assert.equal(router.read({ ...flagd, flag: undefined }).type, 'refused');
  });
});
