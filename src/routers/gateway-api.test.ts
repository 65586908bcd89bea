/** What a Gateway API route says: shares, what hinders a rise, and whether its parents have accepted it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import type { KubeObject } from '#ports/cluster.ts';
import { silentLogger } from '#ports/logger.ts';
import type { RouteReading, RouteTarget, TrafficRouter } from '#ports/traffic-router.ts';
import { FakeCluster } from '#test/fakes/cluster.ts';
import { gatewayApiSplitter } from './gateway-api.ts';
import { createRouters, keepForRouters, routeResources } from './index.ts';

const key = { namespace: 'shop', name: 'checkout' };
const target: RouteTarget = {
  ...key,
  kind: 'HTTPRoute',
  apiVersion: 'gateway.networking.k8s.io/v1',
  stable: { service: 'old', port: 80 },
  canary: { service: 'new', port: 80 },
  flag: undefined,
};
const resource = routeResources[0]!;

interface Setting {
  readonly rules?: unknown;
  readonly parentRefs?: readonly object[];
  readonly parents?: readonly object[];
  readonly generation?: number;
  readonly annotations?: Record<string, string>;
}

function routeOf({ rules, parentRefs, parents, generation = 1, annotations }: Setting): KubeObject {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { ...key, generation, ...(annotations === undefined ? {} : { annotations }) },
    spec: { ...(parentRefs === undefined ? {} : { parentRefs }), rules },
    ...(parents === undefined ? {} : { status: { parents } }),
  };
}

function setUp(setting: Setting): { cluster: FakeCluster; router: TrafficRouter } {
  const cluster = new FakeCluster();
  cluster.server.seed(resource, routeOf(setting), 'gitops');
  const router = createRouters(cluster, silentLogger)('HTTPRoute');
  assert.ok(router);
  return { cluster, router };
}

function read(setting: Setting): RouteReading {
  return setUp(setting).router.read(target);
}

/** `['old', 100]`, or a whole reference. */
type Ref = readonly [name: string, weight?: number, more?: object];

function rule(...refs: readonly Ref[]): { backendRefs: object[] } {
  return {
    backendRefs: refs.map(([name, weight, more]) => ({
      name,
      port: 80,
      ...(weight === undefined ? {} : { weight }),
      ...more,
    })),
  };
}

function weightOf(reading: RouteReading): number | string {
  return reading.type === 'read' ? reading.weight : reading.type;
}

function problemsOf(reading: RouteReading): string[] {
  if (reading.type === 'refused') return [reading.reason];
  if (reading.type === 'missing') return [];
  return reading.problems
    .filter((problem) => problem.reason !== 'NoParents')
    .map(({ reason, blocking }) => (blocking ? `${reason}!` : reason));
}

const limit = () => ({ signal: AbortSignal.timeout(5_000) });

describe('a route is read', () => {
  const mesh = { group: 'mesh.example.com', kind: 'Backend' };
  const rows: readonly {
    says: string;
    rules: unknown;
    weight: number | string;
    uniform?: boolean;
    problems?: string[];
  }[] = [
    { says: 'in whole percent', rules: [rule(['old', 80], ['new', 20])], weight: 20 },
    { says: 'whatever the total is', rules: [rule(['old', 9], ['new', 1])], weight: 10 },
    {
      says: 'as 1 % when it is less, because it is not 0',
      rules: [rule(['old', 9999], ['new', 1])],
      weight: 1,
    },
    {
      says: 'as 99 % when it is more, because it is not all',
      rules: [rule(['old', 1], ['new', 9999])],
      weight: 99,
    },
    { says: 'as 0 when canary has none', rules: [rule(['old', 1], ['new', 0])], weight: 0 },
    { says: 'as 100 when canary has all', rules: [rule(['old', 0], ['new', 7])], weight: 100 },
    {
      says: 'by its highest rule where rules differ',
      rules: [rule(['old', 90], ['new', 10]), rule(['old', 40], ['new', 60])],
      weight: 60,
      uniform: false,
    },
    {
      says: 'with a backend that takes nothing beside the two',
      rules: [rule(['old', 50], ['new', 50], ['other', 0])],
      weight: 50,
    },
    {
      says: 'as blocked when a third backend takes a share',
      rules: [rule(['old', 50], ['new', 25], ['other', 25])],
      weight: 25,
      problems: ['ThirdBackend!'],
    },
    {
      says: 'as blocked when a third backend has no weight, which counts 1',
      rules: [rule(['old', 50], ['new', 50], ['other'])],
      weight: 50,
      problems: ['ThirdBackend!'],
    },
    {
      says: 'as blocked when both have no weight',
      rules: [rule(['old'], ['new'])],
      weight: 50,
      problems: ['WeightsNotDeclared!'],
    },
    {
      says: 'as blocked when both have the 1 that the schema fills in',
      rules: [rule(['old', 1], ['new', 1])],
      weight: 50,
      problems: ['WeightsNotDeclared!'],
    },
    { says: 'with a default on one side only', rules: [rule(['old'], ['new', 0])], weight: 0 },
    {
      says: 'as blocked when it names a Service twice',
      rules: [rule(['old', 50], ['new', 25], ['new', 25])],
      weight: 50,
      problems: ['DuplicateBackend!'],
    },
    {
      says: 'with a word about rules that follow no weight',
      rules: [rule(['old', 80], ['new', 20]), rule(['old']), rule(['new'])],
      weight: 20,
      problems: ['PartialCoverage', 'PartialCoverage'],
    },
    {
      says: 'with a word about weights that are all 0',
      rules: [rule(['old', 0], ['new', 0])],
      weight: 0,
      problems: ['NoTraffic'],
    },
    {
      says: 'with a word about sticky sessions',
      rules: [{ ...rule(['old', 80], ['new', 20]), sessionPersistence: { sessionName: 'x' } }],
      weight: 20,
      problems: ['SessionPersistence'],
    },
    {
      says: 'as 0 where canary is not named at all',
      rules: [rule(['old', 1])],
      weight: 0,
      problems: ['NoSuchBackends!'],
    },
    {
      says: 'as refused where canary is named without stable',
      rules: [rule(['new', 1])],
      weight: 'refused',
      problems: ['NoSuchBackends'],
    },
    {
      says: 'without the Services of another namespace',
      rules: [rule(['old', 1], ['new', 5, { namespace: 'elsewhere' }])],
      weight: 0,
      problems: ['NoSuchBackends!'],
    },
    {
      says: 'without namesakes of another kind',
      rules: [rule(['old', 1], ['new', 5, mesh])],
      weight: 0,
      problems: ['NoSuchBackends!'],
    },
    {
      says: 'without namesakes of another kind in the same group',
      rules: [rule(['old', 1], ['new', 5, { kind: 'ServiceImport' }])],
      weight: 0,
      problems: ['NoSuchBackends!'],
    },
    {
      says: 'with group, kind and namespace written out',
      rules: [
        rule(
          ['old', 60, { group: '', kind: 'Service', namespace: 'shop' }],
          ['new', 40, { kind: 'Service' }],
        ),
      ],
      weight: 40,
    },
    { says: 'as 0 without any rules', rules: [], weight: 0, problems: ['NoSuchBackends!'] },
    {
      says: 'as refused when it is not as its schema says',
      rules: [{ backendRefs: [{ name: 'old', weight: 'many' }] }],
      weight: 'refused',
      problems: ['Malformed'],
    },
  ];
  for (const { says, rules, weight, uniform = true, problems = [] } of rows) {
    test(says, () => {
      const reading = read({ rules });
      assert.equal(weightOf(reading), weight);
      assert.deepEqual(problemsOf(reading), problems);
      if (reading.type === 'read') assert.equal(reading.uniform, uniform);
    });
  }

  test('with the last of several who own the weights', () => {
    const entry = (manager: string, time: string, field = 'f:rules') => ({
      manager,
      operation: 'Update',
      time,
      fieldsV1: { 'f:spec': { [field]: {} } },
    });
    const managedFields = [
      entry('argocd', '2026-11-22T10:00:00Z'),
      entry('kubectl', '2026-11-22T11:00:00Z'),
      entry('helm', '2026-11-22T10:30:00Z'),
      entry('terraform', '2026-11-22T12:00:00Z', 'f:hostnames'),
    ];
    const object = routeOf({ rules: [rule(['old', 80], ['new', 20])] });
    const metadata = { ...object.metadata, managedFields };
    const reading = gatewayApiSplitter.reading({ ...object, metadata }, target);
    assert.equal(reading.type === 'read' && reading.writtenBy, 'kubectl');
    const nobody = gatewayApiSplitter.reading(object, target);
    assert.equal(nobody.type === 'read' && nobody.writtenBy, undefined);
  });

  test('with sentences that name the rule and what is allowed', () => {
    const reading = read({
      rules: [rule(['old', 1]), rule(['old', 50], ['new', 25], ['other', 25])],
    });
    assert.ok(reading.type === 'read');
    assert.equal(
      reading.problems[0]?.message,
      'spec.rules[1] sends a share to a third backend, other (weight 25); allowed are the two Services of the rollout, others with weight 0',
    );
  });

  test('as the cache keeps it, without the entries of its status', () => {
    const { cluster } = setUp({ rules: [rule(['old', 80], ['new', 20])] });
    const object = cluster.cached(resource, key)!;
    const statusEntry = {
      manager: 'envoy',
      operation: 'Update',
      subresource: 'status',
      fieldsV1: {},
    };
    const managedFields = [...(object.metadata.managedFields ?? []), statusEntry];
    const kept = keepForRouters({ ...object, metadata: { ...object.metadata, managedFields } });
    assert.deepEqual(kept, object);
    assert.deepEqual(keepForRouters(kept), kept);
  });
});

describe('a route has settled', () => {
  const gateway = { name: 'public' };
  const accepted = (generation: number, changes: Record<string, string> = {}) =>
    ['Accepted', 'ResolvedRefs'].map((type) => ({
      type,
      status: changes[type] ?? 'True',
      reason: 'Because',
      observedGeneration: generation,
    }));
  const rows: readonly {
    says: string;
    parentRefs: object[];
    parents?: object[];
    settled: boolean;
    problems?: string[];
  }[] = [
    {
      says: 'when its only parent has accepted this generation',
      parentRefs: [gateway],
      parents: [{ parentRef: gateway, conditions: accepted(3) }],
      settled: true,
    },
    {
      says: 'when a controller is ahead of our cache',
      parentRefs: [gateway],
      parents: [{ parentRef: gateway, conditions: accepted(4) }],
      settled: true,
    },
    {
      says: 'not while it has accepted only the one before, and nothing is amiss',
      parentRefs: [gateway],
      parents: [{ parentRef: gateway, conditions: accepted(2) }],
      settled: false,
    },
    {
      says: 'not when nobody has answered',
      parentRefs: [gateway],
      settled: false,
      problems: ['NotAccepted!'],
    },
    {
      says: 'not when it is not accepted',
      parentRefs: [gateway],
      parents: [{ parentRef: gateway, conditions: accepted(3, { Accepted: 'False' }) }],
      settled: false,
      problems: ['NotAccepted!'],
    },
    {
      says: 'not when a backend cannot be found',
      parentRefs: [gateway],
      parents: [{ parentRef: gateway, conditions: accepted(3, { ResolvedRefs: 'False' }) }],
      settled: false,
      problems: ['NotAccepted!'],
    },
    {
      says: 'not on an old refusal, which says nothing of this generation',
      parentRefs: [gateway],
      parents: [{ parentRef: gateway, conditions: accepted(2, { Accepted: 'False' }) }],
      settled: false,
    },
    {
      says: 'not when one of two parents is missing',
      parentRefs: [gateway, { name: 'inner' }],
      parents: [{ parentRef: gateway, conditions: accepted(3) }],
      settled: false,
      problems: ['NotAccepted!'],
    },
    {
      says: 'in spite of what is left of a parent that it no longer names',
      parentRefs: [gateway],
      parents: [
        { parentRef: { name: 'gone' }, conditions: accepted(1, { Accepted: 'False' }) },
        { parentRef: gateway, conditions: accepted(3) },
      ],
      settled: true,
    },
    {
      says: 'when the controller writes out what the route leaves to defaults',
      parentRefs: [gateway],
      parents: [
        {
          parentRef: {
            group: 'gateway.networking.k8s.io',
            kind: 'Gateway',
            namespace: 'shop',
            name: 'public',
          },
          conditions: accepted(3),
        },
      ],
      settled: true,
    },
    {
      says: 'not when another section of the parent has accepted',
      parentRefs: [{ ...gateway, sectionName: 'https' }],
      parents: [{ parentRef: { ...gateway, sectionName: 'http' }, conditions: accepted(3) }],
      settled: false,
      problems: ['NotAccepted!'],
    },
    {
      says: 'for a mesh, whose parent is a Service',
      parentRefs: [{ group: '', kind: 'Service', name: 'shop' }],
      parents: [
        { parentRef: { group: '', kind: 'Service', name: 'shop' }, conditions: accepted(3) },
      ],
      settled: true,
    },
    { says: 'when it names no parent that could accept it', parentRefs: [], settled: true },
  ];
  for (const { says, parentRefs, parents, settled, problems = [] } of rows) {
    test(says, () => {
      const rules = [rule(['old', 80], ['new', 20])];
      const reading = read({
        rules,
        parentRefs,
        generation: 3,
        ...(parents === undefined ? {} : { parents }),
      });
      assert.ok(reading.type === 'read');
      assert.equal(reading.settled, settled);
      assert.deepEqual(problemsOf(reading), problems);
    });
  }

  test('or not, lowering to 0 does not wait for it', async () => {
    const { router } = setUp({ rules: [rule(['old', 50], ['new', 50])], parentRefs: [gateway] });
    const write = await router.setWeight(target, 0, limit());
    assert.equal(write.type === 'written' && weightOf(write.reading), 0);
  });
});

describe('a route that must not be raised', () => {
  const rows: readonly { says: string; rules: object[]; reason: string; after: object[] }[] = [
    {
      says: 'with a third backend',
      rules: [rule(['old', 50], ['new', 25], ['other', 25])],
      reason: 'ThirdBackend',
      after: [rule(['old', 100], ['new', 0], ['other', 25])],
    },
    {
      says: 'without weights',
      rules: [rule(['old'], ['new'])],
      reason: 'WeightsNotDeclared',
      after: [rule(['old', 100], ['new', 0])],
    },
    {
      says: 'with a Service named twice',
      rules: [rule(['new', 30], ['old', 50], ['old', 50], ['new', 20])],
      reason: 'DuplicateBackend',
      after: [rule(['new', 0], ['old', 100], ['old', 0], ['new', 0])],
    },
  ];
  for (const { says, rules, reason, after } of rows) {
    test(`${says}, is refused with its reason, and lowered all the same`, async () => {
      const { cluster, router } = setUp({ rules });
      const raised = await router.setWeight(target, 60, limit());
      assert.equal(raised.type === 'refused' && raised.reason, reason);
      assert.equal(cluster.writes.length, 0);
      const lowered = await router.setWeight(target, 0, limit());
      assert.equal(lowered.type === 'written' && weightOf(lowered.reading), 0);
      assert.deepEqual(specOf(cluster).rules, after);
    });
  }

  test('answers errors because all weights are 0: to 0 gives stable everything', async () => {
    const { cluster, router } = setUp({ rules: [rule(['old', 0], ['new', 0])] });
    await router.setWeight(target, 0, limit());
    assert.deepEqual(specOf(cluster).rules, [rule(['old', 100], ['new', 0])]);
  });

  test('names no canary: to 0 is nothing to do, above it is refused', async () => {
    const { cluster, router } = setUp({ rules: [rule(['old', 1])] });
    assert.equal((await router.setWeight(target, 0, limit())).type, 'written');
    const raised = await router.setWeight(target, 5, limit());
    assert.equal(raised.type === 'refused' && raised.reason, 'NoSuchBackends');
    assert.equal(cluster.writes.length, 0);
  });

  test('names canary alone: neither can be done, and it says so', async () => {
    const { cluster, router } = setUp({ rules: [rule(['new', 1])] });
    for (const weight of [0, 50]) {
      const write = await router.setWeight(target, weight, limit());
      assert.equal(write.type === 'refused' && write.reason, 'NoSuchBackends');
    }
    assert.equal((await router.isolate(target, limit().signal)).type, 'refused');
    assert.equal(cluster.writes.length, 0);
  });
});

describe('a race with another writer', () => {
  const split = [rule(['old', 50], ['new', 50])];

  test('that moves the rules to other places: lowering finds them again', async () => {
    const { cluster, router } = setUp({ rules: split });
    once(cluster, () =>
      write(cluster, { rules: [rule(['legacy', 1]), rule(['new', 50], ['old', 50])] }),
    );
    await router.setWeight(target, 0, limit());
    assert.deepEqual(specOf(cluster).rules, [rule(['legacy', 1]), rule(['new', 0], ['old', 100])]);
  });

  test('that adds a rule which the cache has not seen: lowering reaches it too', async () => {
    const { cluster, router } = setUp({ rules: split });
    cluster.pauseWatch();
    write(cluster, { rules: [...split, rule(['old', 20], ['new', 80])] });
    const lowered = await router.setWeight(target, 0, limit());
    assert.equal(lowered.type === 'written' && weightOf(lowered.reading), 0);
    assert.deepEqual(specOf(cluster).rules, [
      rule(['old', 100], ['new', 0]),
      rule(['old', 100], ['new', 0]),
    ]);
  });

  test('that puts canary into a route which the cache knows without it: lowering looks before it refuses', async () => {
    const { cluster, router } = setUp({ rules: [rule(['new', 1])] });
    cluster.pauseWatch();
    write(cluster, { rules: split });
    const lowered = await router.setWeight(target, 0, limit());
    assert.equal(lowered.type === 'written' && weightOf(lowered.reading), 0);
    assert.deepEqual(specOf(cluster).rules, [rule(['old', 100], ['new', 0])]);
  });

  test('that makes the object between two looks: lowering looks before it says missing', async () => {
    const cluster = new FakeCluster();
    cluster.pauseWatch();
    cluster.server.seed(resource, routeOf({ rules: split }));
    const router = createRouters(cluster, silentLogger)('HTTPRoute')!;
    assert.equal((await router.setWeight(target, 0, limit())).type, 'written');
    assert.deepEqual(specOf(cluster).rules, [rule(['old', 100], ['new', 0])]);
  });

  test('that deletes the object: lowering says so', async () => {
    const { cluster, router } = setUp({ rules: split });
    once(cluster, () => cluster.server.delete(resource, key));
    const lowered = await router.setWeight(target, 0, limit());
    assert.equal(lowered.type === 'refused' && lowered.reason, 'RouteNotFound');
  });

  test('that never ends: lowering gives back a conflict after some tries, for the next wake', async () => {
    const { cluster, router } = setUp({ rules: split });
    let round = 0;
    cluster.before = ({ verb }) => {
      round += 1;
      const swapped = [rule(['new', 50], ['old', 50])];
      if (verb === 'jsonPatch') write(cluster, { rules: round % 4 === 1 ? swapped : split });
    };
    assert.equal((await router.setWeight(target, 0, limit())).type, 'conflict');
    assert.ok(cluster.writes.length <= 5, `${cluster.writes.length} writes`);
  });

  test('that writes annotations where there were none: isolation does not wipe them', async () => {
    const { cluster, router } = setUp({ rules: split });
    once(cluster, () => write(cluster, { rules: split, annotations: { note: 'keep me' } }));
    await router.isolate(target, limit().signal);
    const live = cluster.server.get(resource, key)!;
    assert.equal(live.metadata.annotations?.['note'], 'keep me');
    assert.deepEqual(specOf(cluster).rules, [rule(['old', 100])]);
  });
});

describe('isolation', () => {
  test('takes canary out of every rule that names both, and release puts it back in its place', async () => {
    const canary: Ref = ['new', 50, { filters: [{ type: 'URLRewrite' }] }];
    const rules = [
      rule(canary, ['old', 50]),
      rule(['old', 1]),
      rule(['old', 50], ['other', 0], canary),
    ];
    const { cluster, router } = setUp({ rules });
    await router.isolate(target, limit().signal);
    assert.deepEqual(specOf(cluster).rules, [
      rule(['old', 100]),
      rule(['old', 1]),
      rule(['old', 100], ['other', 0]),
    ]);
    assert.deepEqual(problemsOf(router.read(target)), ['Isolated!']);
    await router.release(target, 0, limit().signal);
    const returned: Ref = ['new', 0, { filters: [{ type: 'URLRewrite' }] }];
    assert.deepEqual(specOf(cluster).rules, [
      rule(returned, ['old', 100]),
      rule(['old', 1]),
      rule(['old', 100], ['other', 0], returned),
    ]);
    assert.equal(
      cluster.server.get(resource, key)!.metadata.annotations?.['genesis.dev/isolated'],
      undefined,
    );
  });

  test('takes out a canary that is named twice, and brings one back', async () => {
    const rules = [rule(['new', 10], ['old', 80], ['new', 10], ['other', 0])];
    const { cluster, router } = setUp({ rules });
    await router.isolate(target, limit().signal);
    assert.deepEqual(specOf(cluster).rules, [rule(['old', 100], ['other', 0])]);
    await router.release(target, 0, limit().signal);
    assert.deepEqual(specOf(cluster).rules, [rule(['new', 0], ['old', 100], ['other', 0])]);
  });

  test('leaves a rule of canary alone, since it is not split, and counts as done', async () => {
    const { cluster, router } = setUp({
      rules: [rule(['old', 50], ['new', 50]), rule(['new', 1])],
    });
    const write = await router.isolate(target, limit().signal);
    assert.equal(write.type === 'written' && weightOf(write.reading), 0);
    assert.deepEqual(specOf(cluster).rules, [rule(['old', 100]), rule(['new', 1])]);
    assert.equal((await router.isolate(target, limit().signal)).type, 'written');
  });

  test('remembers the first rule when a second is isolated later', async () => {
    const { cluster, router } = setUp({
      rules: [rule(['old', 50], ['new', 50]), rule(['old', 1])],
    });
    await router.isolate(target, limit().signal);
    write(cluster, {
      rules: [rule(['old', 100]), rule(['old', 10], ['new', 90])],
      annotations: annotationsOf(cluster),
    });
    await router.isolate(target, limit().signal);
    await router.release(target, 0, limit().signal);
    assert.deepEqual(specOf(cluster).rules, [
      rule(['old', 100], ['new', 0]),
      rule(['old', 100], ['new', 0]),
    ]);
  });

  test('that Git has undone is forgotten, and a rule rewritten since stays as its author wants it', async () => {
    const { cluster, router } = setUp({ rules: [rule(['old', 50], ['new', 50])] });
    await router.isolate(target, limit().signal);
    write(cluster, {
      rules: [rule(['legacy', 1]), rule(['old', 100], ['new', 0])],
      annotations: annotationsOf(cluster),
    });
    assert.deepEqual(problemsOf(router.read(target)), []);
    await router.release(target, 0, limit().signal);
    assert.deepEqual(specOf(cluster).rules, [rule(['legacy', 1]), rule(['old', 100], ['new', 0])]);
  });

  test('of one rollout is not disturbed by another on the same route, nor is its mark', async () => {
    const cart: RouteTarget = {
      ...target,
      stable: { service: 'cart-old', port: 80 },
      canary: { service: 'cart-new', port: 80 },
    };
    const rules = [rule(['old', 50], ['new', 50]), rule(['cart-old', 50], ['cart-new', 50])];
    const { cluster, router } = setUp({ rules });
    await router.setWeight(target, 0, { ...limit(), rollbackOf: 'run-1' });
    await router.isolate(target, limit().signal);
    await router.setWeight(cart, 0, { ...limit(), rollbackOf: 'run-2' });
    await router.isolate(cart, limit().signal);
    await router.release(cart, 10, limit().signal);
    const [reading, cartReading] = [router.read(target), router.read(cart)];
    assert.deepEqual(problemsOf(reading), ['Isolated!']);
    assert.equal(reading.type === 'read' && reading.rolledBackRun, 'run-1');
    assert.equal(cartReading.type === 'read' && cartReading.rolledBackRun, undefined);
    assert.deepEqual(specOf(cluster).rules, [
      rule(['old', 100]),
      rule(['cart-old', 90], ['cart-new', 10]),
    ]);
    await router.release(target, 0, limit().signal);
    assert.deepEqual(specOf(cluster).rules, [
      rule(['old', 100], ['new', 0]),
      rule(['cart-old', 90], ['cart-new', 10]),
    ]);
    assert.deepEqual(annotationsOf(cluster), {});
  });

  test('is survived by a memory that somebody has broken', async () => {
    const annotations = { 'genesis.dev/isolated': '{"not": a list' };
    const { cluster, router } = setUp({ rules: [rule(['old', 100])], annotations });
    assert.deepEqual(problemsOf(router.read(target)), ['NoSuchBackends!']);
    assert.equal((await router.release(target, 0, limit().signal)).type, 'written');
    assert.deepEqual(specOf(cluster).rules, [rule(['old', 100])]);
  });
});

test('whatever the weights were, a share that is set is read back, and 0 is never read of a canary with weight', async () => {
  const weight = fc.integer({ min: 0, max: 1_000_000 });
  await fc.assert(
    fc.asyncProperty(
      weight,
      weight,
      fc.integer({ min: 0, max: 100 }),
      async (old, canary, asked) => {
        const { router } = setUp({ rules: [rule(['old', old], ['new', canary])] });
        const before = router.read(target);
        assert.equal(weightOf(before) === 0, canary === 0);
        assert.equal(weightOf(before) === 100, canary > 0 && old === 0);
        const write = await router.setWeight(target, asked, limit());
        const isUndeclared = old === 1 && canary === 1 && asked > 0;
        assert.equal(write.type, isUndeclared ? 'refused' : 'written');
        if (write.type === 'written') assert.equal(weightOf(write.reading), asked);
      },
    ),
    { numRuns: 300 },
  );
});

function specOf(cluster: FakeCluster): { rules: unknown } {
  const spec: unknown = cluster.server.get(resource, key)?.['spec'];
  assert.ok(typeof spec === 'object' && spec !== null && 'rules' in spec);
  return spec;
}

function annotationsOf(cluster: FakeCluster): Record<string, string> {
  return { ...cluster.server.get(resource, key)?.metadata.annotations };
}

/** Another writer, who overwrites. */
function write(cluster: FakeCluster, setting: Setting): void {
  const { resourceVersion } = cluster.server.get(resource, key)!.metadata;
  const object = routeOf(setting);
  const metadata = {
    ...object.metadata,
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  cluster.server.replace(resource, { ...object, metadata }, { fieldManager: 'kubectl' });
}

/** Before the next write of ours and no other. */
function once(cluster: FakeCluster, act: () => unknown): void {
  cluster.before = ({ verb }) => {
    if (verb !== 'jsonPatch') return;
    cluster.before = undefined;
    act();
  };
}
