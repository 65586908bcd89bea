/** Preflight says what the sequential judge can find at the traffic there is, and warns where that is nothing. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MINUTE, sequentialTrigger, T0, threeSteps } from '#test/builders.ts';
import { EngineHarness } from '#test/engine-harness.ts';

/** @param perSecond requests a second of stable, one in a thousand bad */
function told(
  perSecond: number,
  schedule = threeSteps,
): { type: string; note: string } | undefined {
  const run = new EngineHarness({
    spec: { triggers: [sequentialTrigger], schedule },
    world: {
      series: (query) => {
        const [, ms] = /\[([0-9]+)ms\]/.exec(query) ?? [];
        const requests = ms === undefined ? perSecond : (perSecond * Number(ms)) / 1000;
        return query.includes('bad{') ? requests / 1000 : requests;
      },
    },
  });
  run.runUntil(T0 + MINUTE);
  assert.equal(run.status.phase, 'Progressing');
  return run.events.find(({ reason }) => /^Preflight(Passed|Advice)$/.test(reason));
}

describe('preflight', () => {
  test('says the smallest share that is found at the first step with traffic', () => {
    const { type, note } = told(40) ?? {};
    assert.equal(type, 'Normal');
    // As docs/judges.md has it for 20 requests a second an arm within an hour, with fewer blocks.
    assert.match(
      note ?? '',
      /^preflight passed; errors finds 0\.(29|3|31)% bad requests within 1h0m0s of step half \(50%\): stable has 40 requests a second, 0\.1% bad$/,
    );
  });

  test('warns where nothing would be found, and lets the run start', () => {
    const { type, note } = told(0.001) ?? {};
    assert.equal(type, 'Warning');
    assert.match(
      note ?? '',
      /^errors would find nothing within 1h0m0s of step half \(50%\): stable has 0\.001 requests/,
    );
  });
});
