/** Freeze windows against the calendars of two zones, and what a rollout does in one. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { HOUR, MINUTE, resolved, rolloutSpec, SECOND, threeSteps } from '#test/builders.ts';
import { EngineHarness } from '#test/engine-harness.ts';
import { activeFreezes, freezeProblems } from './freeze.ts';
import type { FreezeWindow } from './run-spec.ts';
import { toIso } from './time.ts';

function freeze(cron: string, timeZone: string, durationMs: number): FreezeWindow {
  return { name: 'window', cron, timeZone, durationMs, reason: undefined };
}

function endAt(window: FreezeWindow, atMs: number): string | undefined {
  const [active] = activeFreezes([window], atMs);
  return active === undefined ? undefined : toIso(active.endsAtMs);
}

/** First and last moment of the window that a time lies in or after, to the millisecond. */
function assertWindow(window: FreezeWindow, from: string, until: string): void {
  const fromMs = Date.parse(from);
  const untilMs = Date.parse(until);
  assert.equal(endAt(window, fromMs - 1), undefined, `open before ${from}`);
  assert.equal(endAt(window, fromMs), toIso(untilMs), `closes at ${from}`);
  assert.equal(endAt(window, untilMs - 1), toIso(untilMs));
  assert.equal(endAt(window, untilMs), undefined, `open at ${until}`);
}

describe('a freeze window', () => {
  const cases: readonly [string, FreezeWindow, string, string][] = [
    [
      'in winter opens by winter time',
      freeze('0 18 * * 5', 'Europe/Berlin', 62 * HOUR),
      '2026-11-20T17:00:00Z',
      '2026-11-23T07:00:00Z',
    ],
    [
      'in summer opens by summer time',
      freeze('0 18 * * 5', 'Europe/Berlin', 62 * HOUR),
      '2026-07-03T16:00:00Z',
      '2026-07-06T06:00:00Z',
    ],
    [
      'across the change to summer time lasts 62 elapsed hours, so until 09:00 of the clock',
      freeze('0 18 * * 5', 'Europe/Berlin', 62 * HOUR),
      '2026-03-27T17:00:00Z',
      '2026-03-30T07:00:00Z',
    ],
    [
      'across the change to winter time lasts 62 elapsed hours, so until 07:00 of the clock',
      freeze('0 18 * * 5', 'Europe/Berlin', 62 * HOUR),
      '2026-10-23T16:00:00Z',
      '2026-10-26T06:00:00Z',
    ],
    [
      'at 02:30 of a night without 02:30 opens at the change, in Berlin',
      freeze('30 2 * * *', 'Europe/Berlin', 2 * HOUR),
      '2026-03-29T01:00:00Z',
      '2026-03-29T03:00:00Z',
    ],
    [
      'at 02:30 of a night with two of them opens at the first, in Berlin',
      freeze('30 2 * * *', 'Europe/Berlin', 30 * MINUTE),
      '2026-10-25T00:30:00Z',
      '2026-10-25T01:00:00Z',
    ],
    [
      'at 02:30 of a night without 02:30 opens at the change, in New York',
      freeze('30 2 * * *', 'America/New_York', 2 * HOUR),
      '2026-03-08T07:00:00Z',
      '2026-03-08T09:00:00Z',
    ],
    [
      'at 01:30 of a night with two of them opens at the first, in New York',
      freeze('30 1 * * *', 'America/New_York', 30 * MINUTE),
      '2026-11-01T05:30:00Z',
      '2026-11-01T06:00:00Z',
    ],
    [
      'across the change to winter time in New York lasts elapsed hours',
      freeze('0 20 * * 6', 'America/New_York', 12 * HOUR),
      '2026-11-01T00:00:00Z',
      '2026-11-01T12:00:00Z',
    ],
    [
      'across the change to summer time in New York lasts elapsed hours',
      freeze('0 20 * * 6', 'America/New_York', 12 * HOUR),
      '2026-03-08T01:00:00Z',
      '2026-03-08T13:00:00Z',
    ],
    [
      'of a list of hours opens at the change for the one that does not exist',
      freeze('30 2,14 * * *', 'Europe/Berlin', HOUR),
      '2026-03-29T01:00:00Z',
      '2026-03-29T02:00:00Z',
    ],
    [
      'that opens on the 29th of February opens only in a leap year',
      freeze('0 0 29 2 *', 'UTC', HOUR),
      '2028-02-29T00:00:00Z',
      '2028-02-29T01:00:00Z',
    ],
    [
      'longer than the way to the next opening has no end in between',
      freeze('0 18 * * 5,6', 'UTC', 24 * HOUR),
      '2026-11-20T18:00:00Z',
      '2026-11-22T18:00:00Z',
    ],
  ];
  for (const [name, window, from, until] of cases) {
    test(name, () => assertWindow(window, from, until));
  }

  test('does not open a second time when the hour of its opening comes twice', () => {
    const window = freeze('30 2 * * *', 'Europe/Berlin', 30 * MINUTE);
    assert.equal(endAt(window, Date.parse('2026-10-25T01:30:00Z')), undefined);
    assert.equal(endAt(window, Date.parse('2026-10-25T01:45:00Z')), undefined);
  });

  test('is the same whatever was looked at before', () => {
    const moment = fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2027, 0, 1) });
    const crons = fc.constantFrom('0 18 * * 5', '30 2 * * *', '*/20 * * * *', '15 1,2 25 10 *');
    fc.assert(
      fc.property(crons, fc.array(moment, { minLength: 2, maxLength: 8 }), (cron, moments) => {
        const used = freeze(cron, 'Europe/Berlin', 45 * MINUTE);
        for (const atMs of moments) {
          assert.equal(endAt(used, atMs), endAt(freeze(cron, 'Europe/Berlin', 45 * MINUTE), atMs));
        }
      }),
      { numRuns: 60 },
    );
  });

  test('agrees with the clock on the wall on every day of a year', () => {
    const window = freeze('0 18 * * *', 'America/New_York', HOUR);
    const hour = new Intl.DateTimeFormat('en', {
      timeZone: 'America/New_York',
      hour: 'numeric',
      hourCycle: 'h23',
    });
    for (let atMs = Date.UTC(2026, 0, 1); atMs < Date.UTC(2027, 0, 1); atMs += HOUR) {
      const isClosed = endAt(window, atMs) !== undefined;
      assert.equal(isClosed, hour.format(atMs) === '18', new Date(atMs).toISOString());
    }
  });
});

describe('what cannot be read', () => {
  const where = 'spec.schedule.freeze[0] (weekend)';
  const cases: readonly [string, string, RegExp][] = [
    [
      '99 * * * *',
      'UTC',
      /^spec\.schedule\.freeze\[0\] \(weekend\)\.cron: "99 \* \* \* \*" is not/,
    ],
    ['0 0 31 2 *', 'UTC', /cron: "0 0 31 2 \*" never opens; allowed are minute/],
    ['0 18 * * FRIDAYS', 'UTC', /cron: "0 18 \* \* FRIDAYS" is not a cron expression/],
    ['0 18 * * 5', 'Mars/Phobos', /timeZone: "Mars\/Phobos" is not a time zone; allowed are IANA/],
    ['0 18 * * 5', '+02:00', /timeZone: "\+02:00" is not a time zone/],
  ];
  for (const [cron, timeZone, sentence] of cases) {
    test(`${cron} in ${timeZone} is refused with field and value`, () => {
      assert.match(freezeProblems(where, { cron, timeZone }).join('; '), sentence);
    });
  }

  test('makes the spec invalid', () => {
    const weekend = { name: 'weekend', cron: '0 18 * * 8', duration: '62h', timeZone: 'UTC' };
    const spec = resolved(rolloutSpec({ schedule: { ...threeSteps, freeze: [weekend] } }));
    assert.equal(spec.type, 'invalid');
    assert.match(spec.type === 'invalid' ? spec.problems.join() : '', /weekend\)\.cron: "0 18/);
  });
});

/** T0 is 12:00 UTC; `half` is due at 13:00. */
function frozenFrom(cron: string, duration: string): EngineHarness {
  const window = { name: 'lunch', cron, duration, timeZone: 'UTC', reason: 'nobody is there' };
  return new EngineHarness({ spec: { schedule: { ...threeSteps, freeze: [window] } } });
}

describe('in a freeze', () => {
  test('the weight does not rise, and rises at the very second of its end', () => {
    const harness = frozenFrom('30 12 * * *', '47m13s');
    harness.runFor(HOUR + 10 * MINUTE);
    assert.equal(harness.status.phase, 'Held');
    assert.equal(harness.weight(), 0);
    assert.deepEqual(harness.status.holds, [
      {
        reason: 'Frozen',
        by: 'lunch',
        since: '2026-11-22T13:00:00Z',
        message: 'frozen by lunch (nobody is there) until 2026-11-22T13:17:13Z',
      },
    ]);
    harness.runFor(HOUR);
    assert.deepEqual(
      harness.writes.map(({ at, weight }) => [toIso(at), weight]),
      [['2026-11-22T13:17:13Z', 50]],
    );
  });

  test('nothing is held before something is due', () => {
    const harness = frozenFrom('30 12 * * *', '20m');
    harness.runFor(2 * HOUR + MINUTE);
    assert.deepEqual(
      harness.timeline.filter((entry) => entry.phase === 'Held'),
      [],
    );
    assert.equal(harness.weight(), 100);
  });

  test('a rollback is not frozen', () => {
    const harness = frozenFrom('30 13 * * *', '24h');
    harness.runFor(HOUR + 40 * MINUTE);
    const brokenAt = harness.now;
    harness.world.series = (_query, atMs) => (atMs >= brokenAt ? 1 : 0);
    harness.runFor(10 * MINUTE);
    assert.equal(harness.status.phase, 'RolledBack');
    assert.equal(harness.status.rollback?.startedAt, toIso(brokenAt + 5 * MINUTE));
  });

  test('weight that another writer took away is given back when it ends', () => {
    const harness = frozenFrom('20 13 * * *', '30m');
    harness.runFor(HOUR + 25 * MINUTE);
    harness.writeElsewhere(10);
    harness.runFor(10 * MINUTE);
    assert.equal(harness.weight(), 10);
    harness.runUntil(Date.UTC(2026, 10, 22, 13, 50) + SECOND);
    assert.equal(harness.weight(), 50);
  });

  test('nothing is promoted, and everything is at the end of it', () => {
    const harness = frozenFrom('50 14 * * *', '3h');
    harness.runFor(4 * HOUR);
    assert.equal(harness.status.phase, 'Held');
    assert.equal(harness.passedAt('end'), '2026-11-22T15:00:00Z');
    assert.equal(harness.status.holds?.[0]?.reason, 'Frozen');
    harness.runFor(3 * HOUR);
    assert.equal(harness.status.phase, 'Succeeded');
    assert.equal(harness.status.finishedAt, '2026-11-22T17:50:00Z');
  });

  test('a step that does not rise and a checkpoint are passed', () => {
    const window = { name: 'day', cron: '0 12 * * *', duration: '24h', timeZone: 'UTC' };
    const harness = new EngineHarness({
      spec: {
        schedule: {
          steps: [
            { name: 'dark', at: '0h', weight: 0 },
            { name: 'full', at: '3h', weight: 100 },
          ],
          checkpoints: [{ name: 'look', at: '1h', require: ['NoFiringTriggers'] }],
          end: '4h',
          freeze: [window],
        },
      },
    });
    harness.runFor(2 * HOUR);
    assert.equal(harness.passedAt('dark'), '2026-11-22T12:00:00Z');
    assert.equal(harness.passedAt('look'), '2026-11-22T13:00:00Z');
  });
});
