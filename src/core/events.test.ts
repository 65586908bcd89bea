/** Which changes of a trigger are told to people as events. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HOUR, MINUTE, SECOND, suiteRun, T0 } from '#test/builders.ts';
import { EngineHarness } from '#test/engine-harness.ts';

const unknowns = (run: EngineHarness) =>
  run.told().filter((reason) => reason === 'TriggerUnknown').length;

describe('a trigger without a reading', () => {
  test('is told when it had one', () => {
    const run = new EngineHarness();
    run.runUntil(T0 + 90 * MINUTE);
    assert.equal(unknowns(run), 0);
    run.world.series = () => 'absent';
    run.runFor(5 * MINUTE);
    assert.equal(unknowns(run), 1);
  });

  test('is not told while its suite has not ended for the first time', () => {
    const run = new EngineHarness({
      spec: {
        healthSuites: [
          { name: 'smoke', interval: '10m', timeout: '2m', http: { url: 'http://suite/run' } },
        ],
        triggers: [
          { name: 'smoke-failures', severity: 'Critical', suite: 'smoke', condition: '< 90%' },
        ],
      },
      world: { suite: () => suiteRun({ passed: 10, tookMs: 30 * SECOND }) },
    });
    run.runFor(10 * SECOND);
    assert.equal(run.trigger('smoke-failures')?.state, 'Unknown');
    run.runFor(MINUTE);
    assert.equal(run.trigger('smoke-failures')?.state, 'Inactive');
    assert.equal(unknowns(run), 0);
  });

  test('is not told in the first second of traffic, but held for if it lasts', () => {
    const run = new EngineHarness();
    run.world.series = (query) => (query.includes('"new"') ? 'absent' : 0);
    run.runUntil(T0 + HOUR + 10 * SECOND);
    assert.equal(run.weight(), 50);
    assert.equal(run.trigger()?.state, 'Unknown');
    run.runFor(5 * MINUTE);
    assert.equal(unknowns(run), 0);
    assert.equal(run.status.phase, 'Held');
    assert.ok(run.told().includes('Held'));
  });
});
