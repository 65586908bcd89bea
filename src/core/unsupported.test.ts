/** Nothing that a spec says is ignored in silence: it is refused, or the Accepted condition names it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutSpecInput } from '#api/rollout.ts';
import { HOUR, resolved, rolloutSpec, runSpec, T0 } from '#test/builders.ts';
import { EngineHarness } from '#test/engine-harness.ts';

const suite = { name: 'smoke', timeout: '1m', http: { url: 'http://h/run' } };

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

describe('what has no effect on traffic yet', () => {
  const spec: Partial<RolloutSpecInput> = {
    healthSuites: [suite],
    preflight: { alertRules: ['A'], dashboards: [{ uid: 'd' }], targets: [{ job: 'j' }] },
    rollback: { healthSuite: 'smoke', health: { url: 'http://h' } },
  };

  test('is named in the Accepted condition, and the run goes on', () => {
    const run = new EngineHarness({ spec });
    run.runUntil(T0 + HOUR / 2);
    const accepted = run.condition('Accepted');
    assert.equal(accepted?.status, 'True');
    assert.match(
      accepted?.message ?? '',
      /does not act on spec\.preflight\.alertRules, spec\.preflight\.dashboards, spec\.preflight\.targets$/,
    );
    assert.equal(run.status.step, 'dark');
  });

  test('and what is not set is not named', () => {
    assert.deepEqual(runSpec().notActedOn, []);
  });
});
