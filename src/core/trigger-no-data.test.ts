/** Triggers whose query answers nothing: what Hold, Ignore and Breach make of it, and from when on. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SECOND, type SeriesValue, T0 } from '#test/builders.ts';
import { gap, iso, outcome, since600, triggerCourse, within } from '#test/trigger-course.ts';

describe('without data', () => {
  const silent = (second: number): SeriesValue => (second >= 600 ? 'absent' : 0);

  test('a Critical trigger holds after noDataFor, and says which chain is broken', () => {
    const run = triggerCourse({ errors: silent });
    run.runUntil(T0 + 719 * SECOND);
    assert.equal(run.trigger()?.state, 'Unknown');
    assert.equal(run.status.phase, 'Progressing');
    run.runUntil(T0 + 720 * SECOND);
    assert.equal(run.status.phase, 'Held');
    assert.deepEqual(
      run.status.holds?.map(({ reason, by, since }) => ({ reason, by, since })),
      [{ reason: 'ChainBroken', by: 'errors', since: iso(720) }],
    );
    assert.match(run.status.message ?? '', /errors has no reading: the query answers nothing/);
    run.runUntil(T0 + 9000 * SECOND);
    assert.equal(run.weight(), 50);
    assert.equal(run.status.rollback, undefined);
  });

  test('a Warning trigger ignores it, and nothing is held', () => {
    const run = triggerCourse({ errors: silent, trigger: { severity: 'Warning' } });
    run.runUntil(T0 + 3000 * SECOND);
    assert.equal(run.trigger()?.state, 'Unknown');
    assert.equal(run.status.phase, 'Progressing');
  });

  test('Ignore lets a rise through only after noDataFor', () => {
    const run = triggerCourse({ errors: silent, trigger: { noData: 'Ignore', noDataFor: '10h' } });
    run.runUntil(T0 + 10 * 3600 * SECOND);
    assert.equal(run.weight(), 50);
    assert.equal(run.status.holds?.[0]?.reason, 'TriggerUnknown');
    run.runUntil(T0 + (10 * 3600 + 599) * SECOND);
    assert.equal(run.weight(), 50);
    run.runUntil(T0 + (10 * 3600 + 600) * SECOND);
    assert.equal(run.weight(), 100);
  });

  test('Ignore does not hide a breach whose beginning cannot be proved', () => {
    const run = triggerCourse({
      errors: since600,
      trigger: { noData: 'Ignore', for: '9h' },
      world: { fault: (_now, question) => (question.type === 'range' ? 'timeout' : undefined) },
    });
    run.runUntil(T0 + 10.5 * 3600 * SECOND);
    assert.equal(run.trigger()?.reason, 'HoldUnproved');
    assert.equal(run.weight(), 50);
  });

  test('Breach makes it a breach from noDataFor on, which then has to hold for its time', () => {
    const run = triggerCourse({ errors: silent, trigger: { noData: 'Breach' } });
    run.runUntil(T0 + 721 * SECOND);
    assert.equal(run.trigger()?.state, 'Pending');
    run.runUntil(T0 + 2000 * SECOND);
    assert.deepEqual(outcome(run), { decided: 1020, active: 720, fired: 1020 });
    assert.match(run.status.rollback?.message ?? '', /no reading since .*noData: Breach/);
  });

  const breaches = [
    [
      'Breach goes on with a hold that had begun: only the time until it counts is a gap',
      gap(750, Infinity),
      600,
    ],
    ['Breach proves the same from history when a reading comes back true', gap(750, 930), 600],
    ['Breach that began with silence is proved from where the data ended', gap(600, 900), 720],
  ] as const;
  for (const [name, errors, active] of breaches) {
    test(name, () => {
      const run = triggerCourse({ errors, trigger: { noData: 'Breach' } });
      run.runUntil(T0 + 2000 * SECOND);
      assert.deepEqual(outcome(run), { decided: 1020, active, fired: 1020 });
    });
  }

  test('noDataFor is over at its own moment, not at the next tick', () => {
    const run = triggerCourse({
      errors: silent,
      trigger: { noDataFor: '100s' },
      analysis: { interval: '1m' },
    });
    run.runUntil(T0 + 700 * SECOND - 1);
    assert.equal(run.status.phase, 'Progressing');
    run.runUntil(T0 + 700 * SECOND);
    assert.equal(run.status.phase, 'Held');
  });

  test('Breach for want of data ends with a reading that is false', () => {
    const run = triggerCourse({
      errors: (second) => (within(second, 600, 800) ? 'absent' : 0),
      trigger: { noData: 'Breach' },
    });
    run.runUntil(T0 + 2000 * SECOND);
    assert.equal(run.trigger()?.state, 'Inactive');
    assert.equal(run.status.rollback, undefined);
  });

  test('a hold that is missing its readings says so, and not the breach of before', () => {
    const run = triggerCourse({ errors: gap(660, Infinity), trigger: { noDataFor: '1m' } });
    run.runUntil(T0 + 720 * SECOND);
    assert.equal(run.trigger()?.state, 'Pending');
    assert.deepEqual(
      run.status.holds?.map(({ reason }) => reason),
      ['ChainBroken'],
    );
    assert.match(run.status.holds?.[0]?.message ?? '', /no reading: the query answers nothing/);
  });
});
