/** What a judge costs Prometheus: queries an evaluation, counted in virtual time; docs/judges.md multiplies them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MINUTE, SECOND, sequentialTrigger, T0, threeSteps } from '#test/builders.ts';
import { EngineHarness } from '#test/engine-harness.ts';

const { ratio } = sequentialTrigger;

/** Queries of ten minutes at each weight, by evaluation. */
function queriesAt(judge: 'Threshold' | 'Sequential'): Record<string, number> {
  const trigger = {
    name: 'errors',
    severity: 'Critical',
    ratio,
    condition: '> 1%',
    judge,
  } as const;
  const run = new EngineHarness({
    spec: {
      schedule: threeSteps,
      analysis: { interval: '15s' },
      triggers: [judge === 'Threshold' ? { ...trigger, for: '5m' } : trigger],
    },
    world: { series: (query) => (query.includes('bad{') ? 1 : 1_000) },
  });
  const counted: Record<string, number> = {};
  for (const [name, fromMs] of [
    ['dark', T0 + 30 * MINUTE],
    ['half', T0 + 90 * MINUTE],
    ['full', T0 + 150 * MINUTE],
  ] as const) {
    run.runUntil(fromMs + SECOND);
    const before = run.questions.length;
    run.runUntil(fromMs + 10 * MINUTE + SECOND);
    counted[name] = (run.questions.length - before) / 40;
  }
  assert.equal(run.status.rollback, undefined);
  return counted;
}

describe('queries an evaluation', () => {
  test('by the literal rule: the two of the ratio', () => {
    assert.deepEqual(queriesAt('Threshold'), { dark: 2, half: 2, full: 2 });
  });

  test('by the sequential judge: the ratio, and the counts of the arms it compares', () => {
    assert.deepEqual(queriesAt('Sequential'), { dark: 7, half: 7, full: 4 });
  });
});
