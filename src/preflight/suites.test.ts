/** Health suites as a link of the chain: what their newest runs came to. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SuiteRun, SuiteState } from '#core/suite-state.ts';
import { runSpec, T0 } from '#test/builders.ts';
import { checkOf, healthy, never } from '#test/chain-check.ts';
import { monitoringSystems } from '#test/fakes/monitoring-world.ts';
import { checkChain } from './check-chain.ts';

describe('a health suite', () => {
  const run = runSpec({
    analysis: {},
    triggers: [],
    healthSuites: [
      { name: 'smoke', interval: '10m', timeout: '1m', http: { url: 'http://smoke/run' } },
    ],
  });
  const at = (outcome: SuiteRun['outcome']): SuiteRun => ({
    startedAtMs: T0 - 5_000,
    finishedAtMs: T0,
    outcome,
  });
  const done = at({
    type: 'done',
    total: 36,
    passed: 35,
    failed: 1,
    skipped: 0,
    knownFlaky: 0,
    newFailures: 1,
    failures: ['login'],
  });
  const failed = at({ type: 'failed', message: 'HTTP status 500' });
  const found = async (suites: ReadonlyMap<string, SuiteState> | undefined) => {
    const { systems } = monitoringSystems(healthy);
    const check = { ...checkOf({}), run, ...(suites && { suites }) };
    const { findings } = await checkChain(systems, check, never);
    return findings.map(({ of, link, verdict, message }) => ({ of, link, verdict, message }));
  };
  const of = { of: 'suite smoke', link: 'suite' };

  for (const [name, suites, verdict, says] of [
    ['that came to a result works, whatever that is', [failed, done], 'fine', /35 of 36 passed/],
    [
      'whose newest run could not be carried out is worth a look',
      [done, failed],
      'advice',
      /HTTP status 500/,
    ],
    ['that has not ended yet cannot be told', [], 'cannotTell', /no run of it has ended yet/],
    [
      'of which only the operator knows cannot be told',
      undefined,
      'cannotTell',
      /only the operator/,
    ],
  ] as const) {
    test(name, async () => {
      const findings = await found(suites && new Map([['smoke', { runs: suites }]]));
      const [{ message, ...finding } = { message: '' }] = findings;
      assert.deepEqual(finding, { ...of, verdict });
      assert.match(message, says);
      assert.equal(findings.length, 1);
    });
  }
});
