/** What a Gateway API route says: the share of canary, and what hinders a rise. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  key,
  problemsOf,
  readingOf,
  resource,
  routeOf,
  rule,
  setUp,
  target,
  weightOf,
} from '#test/routers/gateway-route.ts';
import { gatewayApiSplitter } from './gateway-api.ts';
import { keepForRouters } from './index.ts';

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
      const reading = readingOf({ rules });
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
    const reading = readingOf({
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
