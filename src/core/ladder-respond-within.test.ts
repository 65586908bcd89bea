/** Whom a firing trigger calls when nobody has answered within its time, and what counts as an answer. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutStatus } from '#api/status.ts';
import { MINUTE, T0 } from '#test/builders.ts';
import type { EngineHarness } from '#test/engine-harness.ts';
import { errorRateRaised, ladderCourse, type Setting, since } from '#test/ladder-course.ts';

describe('respondWithin', () => {
  const setting: Setting = { triggers: [errorRateRaised], series: since(() => 0.002) };
  const pagesOf = (course: EngineHarness) =>
    course.events.filter(({ reason }) => reason === 'ResponseOverdue');

  test('pages once, with whom to call', () => {
    const course = ladderCourse({
      ...setting,
      triggers: [{ ...errorRateRaised, runbookUrl: 'https://runbooks.example.com/errors' }],
    });
    course.runUntil(T0 + 100 * MINUTE);
    assert.deepEqual(
      pagesOf(course).map(({ at, type, action, note }) => ({ at, type, action, note })),
      [
        {
          at: T0 + 70 * MINUTE,
          type: 'Warning',
          action: 'Page',
          note: 'nobody has answered within 30m0s: error-rate-raised 0.2% > 0.1% for 10m0s since 12:30:00; responder alex; runbook https://runbooks.example.com/errors',
        },
      ],
    );
  });

  test('is met by a person who pauses the run', () => {
    const course = ladderCourse(setting);
    course.runUntil(T0 + 60 * MINUTE);
    course.annotate('pause 1');
    course.runUntil(T0 + 100 * MINUTE);
    assert.equal(pagesOf(course).length, 0);
  });

  test('is not met by a pause from before the firing', () => {
    const course = ladderCourse(setting);
    course.runUntil(T0 + 20 * MINUTE);
    course.annotate('pause 1');
    course.runUntil(T0 + 100 * MINUTE);
    assert.equal(pagesOf(course).length, 1);
  });

  const answers: readonly (readonly [string, Partial<RolloutStatus>, number])[] = [
    ['a decision that was applied', decided('Extend', '12:50', 'Applied'), 0],
    ['a decision that was refused', decided('Extend', '12:50', 'Refused'), 1],
    ['a decision from before the firing', decided('Extend', '12:39', 'Applied'), 1],
    ['an acknowledgement of another trigger', decided('Acknowledge', '12:50', 'Applied'), 1],
  ];
  for (const [what, known, pages] of answers) {
    test(`${what} ${pages === 0 ? 'meets it' : 'does not'}`, () => {
      const course = ladderCourse(setting);
      course.runUntil(T0 + 55 * MINUTE);
      course.status = { ...course.status, ...known };
      course.runUntil(T0 + 100 * MINUTE);
      assert.equal(pagesOf(course).length, pages);
    });
  }

  test('is met by an acknowledgement of this trigger', () => {
    const course = ladderCourse(setting);
    course.runUntil(T0 + 55 * MINUTE);
    const triggers = course.status.triggers?.map((one) => ({
      ...one,
      acknowledgedBy: 'alice',
      acknowledgedAt: '2026-11-22T12:54:00Z',
    }));
    course.status = { ...course.status, ...(triggers === undefined ? {} : { triggers }) };
    course.runUntil(T0 + 100 * MINUTE);
    assert.equal(pagesOf(course).length, 0);
  });
});

function decided(decision: string, at: string, outcome: string): Partial<RolloutStatus> {
  const decidedAt = `2026-11-22T${at}:00Z`;
  return { decisions: [{ decision, by: 'alice', decidedAt, outcome }] };
}
