/** Runs of one suite that two have told of: nothing counts twice, nothing is lost. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SuiteRun } from '#core/suite-state.ts';
import { mergeRuns } from './suite-runs.ts';

const run = (startedAtMs: number, finishedAtMs: number): SuiteRun => ({
  startedAtMs,
  finishedAtMs,
  outcome: { type: 'failed', message: 'gone' },
});

describe('runs from two sources', () => {
  test('that overlap are one run, seen by two clocks: the first counts', () => {
    // A Job's times have no fractions of a second.
    const own = [run(60_250, 63_700), run(120_300, 124_100)];
    const ofJobs = [run(60_000, 63_000), run(120_000, 124_000), run(180_000, 184_000)];
    assert.deepEqual(mergeRuns(own, ofJobs), [...own, ofJobs[2]]);
  });

  test('that only follow each other are all kept, in order', () => {
    assert.deepEqual(mergeRuns([run(10, 20)], [run(20, 30), run(0, 10)]), [
      run(0, 10),
      run(10, 20),
      run(20, 30),
    ]);
  });

  test('that took no time at all are not kept twice', () => {
    assert.deepEqual(mergeRuns([run(10, 10)], [run(10, 10)]), [run(10, 10)]);
  });
});
