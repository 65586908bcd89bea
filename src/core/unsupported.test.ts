/** Nothing that a spec says is ignored in silence: what is not carried out is refused. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutSpecInput } from '#api/rollout.ts';
import { resolved, rolloutSpec } from '#test/builders.ts';

describe('what this version does not carry out is refused:', () => {
  const rows: readonly (readonly [what: string, spec: Partial<RolloutSpecInput>, says: RegExp])[] =
    [
      [
        'a workload',
        { workload: { kind: 'Deployment', name: 'checkout' } },
        /spec\.workload: keeping a stable copy of a workload is not carried out/,
      ],
      [
        'a kind of route without a router',
        {
          traffic: {
            stable: { service: 'old', port: 80 },
            canary: { service: 'new', port: 80 },
            routes: [{ kind: 'VirtualService', name: 'web' }],
          },
        },
        /kind: "VirtualService" is not steered by this version; steered are HTTPRoute, GRPCRoute/,
      ],
    ];
  for (const [what, spec, says] of rows) {
    test(what, () => {
      const outcome = resolved(rolloutSpec(spec));
      assert.equal(outcome.type, 'invalid');
      assert.match(outcome.type === 'invalid' ? outcome.problems.join('; ') : '', says);
    });
  }
});
