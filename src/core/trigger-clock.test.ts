/** A clock that is put back: what the status then says of the future delays nothing and takes nothing back. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SECOND, T0 } from '#test/builders.ts';
import { iso, outcome, since600, triggerCourse } from '#test/trigger-course.ts';

describe('a clock that steps back', () => {
  test('does not delay a hold that began in what is now the future', () => {
    const run = triggerCourse({ errors: () => 1, trigger: { for: '5m' } });
    run.runUntil(T0 + 200 * SECOND);
    // An hour ahead, a status was written; then the clock was put right.
    run.status = {
      ...run.status,
      triggers: (run.status.triggers ?? []).map((one) =>
        one.name === 'errors' ? { ...one, activeAt: iso(3800) } : one,
      ),
    };
    run.runUntil(T0 + 400 * SECOND);
    assert.deepEqual(outcome(run), { decided: 300, active: 0, fired: 300 });
  });

  test('takes no firing back', () => {
    const run = triggerCourse({ errors: since600, trigger: { onFiring: [{ action: 'Hold' }] } });
    run.runUntil(T0 + 905 * SECOND);
    assert.equal(run.trigger()?.state, 'Firing');
    run.sleepUntil(T0 + 500 * SECOND);
    run.runUntil(T0 + 560 * SECOND);
    assert.equal(run.trigger()?.state, 'Firing');
    assert.equal(run.status.phase, 'Held');
  });

  test('lets no silence count from the future', () => {
    const run = triggerCourse({ errors: (second) => (second >= 600 ? 'absent' : 0) });
    run.runUntil(T0 + 4000 * SECOND);
    run.status = {
      ...run.status,
      triggers: (run.status.triggers ?? []).map((one) => ({ ...one, unknownSince: iso(9000) })),
    };
    run.runUntil(T0 + 4020 * SECOND);
    assert.equal(run.trigger()?.unknownSince, iso(4005));
  });
});
