/** Whether the parents of a Gateway API route have accepted what it says now. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  limit,
  problemsOf,
  readingOf,
  rule,
  setUp,
  target,
  weightOf,
} from '#test/routers/gateway-route.ts';

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
      const reading = readingOf({
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
