/** Runs of suites as evidence: what comes back is what was kept, and nothing counts twice. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { suiteRecord, suiteRunsOf } from './suite-record.ts';
import type { SuiteRun } from './suite-state.ts';

const run = (startedAtMs: number, finishedAtMs: number, failures: readonly string[] = []) =>
  ({
    startedAtMs,
    finishedAtMs,
    outcome: {
      type: 'done',
      total: 100,
      passed: 100 - failures.length,
      failed: failures.length,
      skipped: 0,
      knownFlaky: 0,
      newFailures: failures.length,
      failures,
    },
  }) satisfies SuiteRun;

describe('the record of a suite', () => {
  test('says as a run again what the run was', () => {
    const runs = [
      run(1_000, 2_500, ['login']),
      { startedAtMs: 3_000, finishedAtMs: 3_001, outcome: { type: 'failed', message: 'gone' } },
    ] as const;
    const lines = runs.map((one) => suiteRecord('health', one)).toReversed();
    assert.deepEqual([...suiteRunsOf(lines)], [['health', runs]]);
  });

  test('names at most 20 failed tests, and counts them all', () => {
    const names = Array.from({ length: 50 }, (_, index) => `test ${index}`);
    const { outcome } = suiteRecord('health', run(0, 1, names));
    assert.ok(outcome.type === 'done');
    assert.equal(outcome.failures.length, 20);
    assert.equal(outcome.failed, 50);
  });

  test('of a time that nobody can read is left out', () => {
    const line = { ...suiteRecord('health', run(0, 1)), finishedAt: 'soon' };
    assert.equal(suiteRunsOf([line]).size, 0);
  });
});
