/** Counting answers, and reading a share from a route. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { routeObject } from './objects.ts';
import { failuresOf, type Response, shareBetween, weightOn } from './observation.ts';

const answer = (sentAtMs: number, version: string | undefined, status: number): Response => ({
  sentAtMs,
  receivedAtMs: sentAtMs + 5,
  version,
  status,
});

describe('a share', () => {
  const responses = [
    answer(10, 'v1', 200),
    answer(20, 'v2', 200),
    answer(30, 'v2', 500),
    answer(40, undefined, 503),
    answer(50, undefined, 0),
    answer(60, 'v1', 200),
  ];

  test('counts who asked within the time, its end not included', () => {
    assert.equal(shareBetween(responses, 'v2', 20, 60).requests, 4);
    assert.equal(shareBetween(responses, 'v2', 20, 61).requests, 5);
  });

  test('is that of the answers by a version, failed ones included', () => {
    assert.deepEqual(shareBetween(responses, 'v2', 0, 100), {
      requests: 6,
      canary: 2,
      failed: 3,
      percent: 50,
    });
  });

  test('failures are told apart by who made them', () => {
    assert.deepEqual(failuresOf(responses), {
      'status 500 from v2': 1,
      'status 503 from the gateway': 1,
      'no answer': 1,
    });
  });

  test('is unknown where nobody answered', () => {
    assert.equal(shareBetween(responses, 'v2', 40, 60).percent, undefined);
  });
});

describe('the weight on a route', () => {
  const route = (...refs: readonly (readonly [string, number | undefined])[]) => ({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'r' },
    spec: {
      rules: [
        {
          backendRefs: refs.map(([name, weight]) => ({
            name,
            ...(weight === undefined ? {} : { weight }),
          })),
        },
      ],
    },
  });
  const rows = [
    ['is canary’s part of both', route(['s', 60], ['c', 20]), 25],
    ['is half where no weight is written', route(['s', undefined], ['c', undefined]), 50],
    ['is 0 where both are 0', route(['s', 0], ['c', 0]), 0],
    ['is unknown where canary is not named', route(['s', 100]), undefined],
  ] as const;
  for (const [name, object, wanted] of rows) {
    test(name, () => {
      assert.equal(weightOn(object, 's', 'c'), wanted);
    });
  }

  test('of the demo’s own route is all for who serves', () => {
    const gateway = { namespace: 'infra', name: 'gw' };
    const object = routeObject({ namespace: 'shop', gateway, serving: 'blue' });
    assert.equal(weightOn(object, 'checkout-blue', 'checkout-green'), 0);
    assert.equal(weightOn(object, 'checkout-green', 'checkout-blue'), 100);
  });
});
