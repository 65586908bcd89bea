/**
 * The API server and the operator judge random specs alike. Every rule exists twice, so this is the test that
 * finds where the two halves differ: an object that only one of them refuses.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as fc from 'fast-check';
import { operatorRules } from '#api/operator-rules.ts';
import { validateSpec } from '#api/validate.ts';
import { type ControlPlane, startControlPlane } from '#scripts/testbed/index.ts';
import { arbitraryBroken, arbitrarySpec } from '#test/arbitraries.ts';
import { create, ensureNamespace } from './bad-objects/api.ts';
import { goodRollout } from './bad-objects/good.ts';

/** A fixed seed, so that a difference found once is found again. */
const seed = 20_261_122;
const operatorOnly = new Set(operatorRules.map(({ name }) => name));

describe('random specs', () => {
  let plane: ControlPlane;

  before(async () => {
    plane = await startControlPlane({ controllerManager: false, crds: ['crds'] });
    await ensureNamespace(plane, 'fuzz');
  });
  after(async () => {
    await plane.stop();
  });

  test('every valid one is accepted by the API server too', async () => {
    await fc.assert(
      fc.asyncProperty(arbitrarySpec(), async (spec) => {
        const answer = await dryRun(spec);
        assert.equal(answer.status, 201, JSON.stringify(answer.body));
      }),
      { numRuns: 100, seed },
    );
  });

  test('a damaged one is refused by both, or by neither', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryBroken(junk), async (spec) => {
        const problems = validateSpec(spec).filter(({ rule }) => !operatorOnly.has(rule));
        const { status, body } = await dryRun(spec);
        assert.ok(status === 201 || status === 422, JSON.stringify(body));
        assert.equal(
          status === 201,
          problems.length === 0,
          JSON.stringify({ body, problems }, null, 1),
        );
        assert.doesNotMatch(JSON.stringify(body), / evaluating rule: /);
      }),
      { numRuns: 400, seed },
    );
  });

  async function dryRun(spec: unknown) {
    return await create(
      plane,
      { namespace: 'fuzz', dryRun: true, strict: false },
      { ...goodRollout, spec },
    );
  }
});

/** What a person might write in the wrong place. No null: the API server takes it for an absent field. */
const junk = fc.oneof(
  fc.integer({ min: -1, max: 70_000 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.string(),
  fc.constantFrom(
    '',
    '0s',
    '5m',
    '100h',
    '> 5%',
    '> 5furlongs',
    'Rollback',
    'a'.repeat(64),
    '$(namespace)',
    '$(x)',
    'http://x/',
  ),
  fc.constant({}),
  fc.constant([]),
);
