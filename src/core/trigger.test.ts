/** The states of a trigger over time, and what each says. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { halfForTenHours, MINUTE, SECOND, T0 } from '#test/builders.ts';
import { EngineHarness } from '#test/engine-harness.ts';
import { iso, outcome, triggerCourse, within } from '#test/trigger-course.ts';

describe('states', () => {
  test('Inactive, Pending since the first true reading, Firing when it has held, and what each says', () => {
    const run = triggerCourse({ errors: (second) => (second >= 600 ? 0.072 : 0.001) });
    run.runUntil(T0 + 590 * SECOND);
    assert.equal(run.trigger()?.state, 'Inactive');
    run.runUntil(T0 + 600 * SECOND);
    assert.equal(run.trigger()?.state, 'Pending');
    assert.equal(run.trigger()?.activeAt, iso(600));
    assert.equal(
      run.trigger()?.message,
      'errors 7.2% > 0.5% since 12:10:00; fires when it has held for 5m0s',
    );
    run.runUntil(T0 + 899 * SECOND);
    assert.equal(run.trigger()?.state, 'Pending');
    assert.equal(run.weight(), 50);
    run.runUntil(T0 + 900 * SECOND);
    assert.equal(run.weight(), 0);
    assert.equal(
      run.status.rollback?.message,
      'errors 7.2% > 0.5% for 5m0s since 12:10:00 (query errors{service="new"})',
    );
    assert.deepEqual(outcome(run), { decided: 900, active: 600, fired: 900 });
    const told = run.told();
    assert.ok(told.indexOf('TriggerPending') < told.indexOf('TriggerFired'));
  });

  test('a reading that is false takes Pending back to Inactive, and the next hold begins anew', () => {
    const run = triggerCourse({
      errors: (second) => (within(second, 885, 900) ? 0 : second >= 600 ? 1 : 0),
    });
    run.runUntil(T0 + 890 * SECOND);
    assert.equal(run.trigger()?.state, 'Inactive');
    run.runUntil(T0 + 2000 * SECOND);
    assert.deepEqual(outcome(run), { decided: 1200, active: 900, fired: 1200 });
  });

  test('equal is not over: exactly 0.005 is no breach of > 0.5%, the next double is', () => {
    const equal = triggerCourse({ errors: () => 0.005, trigger: { for: '0s' } });
    equal.runUntil(T0 + 20 * MINUTE);
    assert.equal(equal.trigger()?.state, 'Inactive');
    const over = triggerCourse({ errors: () => 0.005000000000000001, trigger: { for: '0s' } });
    over.runUntil(T0 + 20 * MINUTE);
    assert.equal(over.status.phase, 'RolledBack');
  });

  test('5 of 1,000 is exactly 0.005 as well', () => {
    const ratio = {
      bad: 'bad{service="$(arm.service)"}',
      total: 'total{service="$(arm.service)"}',
    };
    const run = new EngineHarness({
      spec: {
        schedule: halfForTenHours,
        triggers: [{ name: 'errors', severity: 'Critical', ratio, condition: '> 0.5%', for: '0s' }],
      },
      world: { series: (query) => (query.startsWith('bad') ? 5 : 1000) },
    });
    run.runUntil(T0 + 20 * MINUTE);
    assert.equal(run.trigger()?.state, 'Inactive');
  });

  test('a Critical trigger that fires goes on firing while its readings are gone', () => {
    const run = triggerCourse({
      trigger: { onFiring: [{ action: 'Hold' }] },
      errors: (second) => (second >= 1200 ? 'absent' : second >= 600 ? 1 : 0),
    });
    run.runUntil(T0 + 3000 * SECOND);
    assert.equal(run.trigger()?.state, 'Firing');
    assert.equal(run.trigger()?.firingAt, iso(900));
    assert.equal(run.trigger()?.unknownSince, iso(1200));
  });

  test('keepFiringFor keeps it firing for exactly so long after the condition is false', () => {
    const run = triggerCourse({
      trigger: { severity: 'Warning', keepFiringFor: '100s' },
      errors: (second) => (within(second, 600, 1200) ? 1 : 0),
    });
    run.runUntil(T0 + 1299 * SECOND);
    assert.equal(run.trigger()?.state, 'Firing');
    assert.equal(run.trigger()?.falseSince, iso(1200));
    assert.equal(run.status.phase, 'Held');
    run.runUntil(T0 + 1300 * SECOND);
    assert.equal(run.trigger()?.state, 'Inactive');
    assert.equal(run.status.phase, 'Progressing');
  });

  test('keepFiringFor begins anew when the condition is true again', () => {
    const run = triggerCourse({
      trigger: { severity: 'Warning', keepFiringFor: '100s' },
      errors: (second) => (within(second, 600, 1200) || within(second, 1275, 1290) ? 1 : 0),
    });
    run.runUntil(T0 + 1380 * SECOND);
    assert.equal(run.trigger()?.state, 'Firing');
    assert.equal(run.trigger()?.firingAt, iso(900));
    run.runUntil(T0 + 1390 * SECOND);
    assert.equal(run.trigger()?.state, 'Inactive');
  });
});
