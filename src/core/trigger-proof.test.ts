/** The proved hold through the whole engine: when a trigger fires by what Prometheus has, with gaps, faults, restarts and leaders that were away. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SECOND, T0 } from '#test/builders.ts';
import {
  gap,
  iso,
  outcome,
  type Setting,
  since600,
  triggerCourse,
  within,
} from '#test/trigger-course.ts';

interface HoldRow {
  readonly name: string;
  readonly setting: Setting;
  /** When the trigger fires by what Prometheus has, in seconds since the start; undefined: never. */
  readonly fires: number | undefined;
  readonly active?: number;
  /** When that is seen, where it is later than `fires`. */
  readonly seen?: number;
}

const holds: readonly HoldRow[] = [
  { name: 'it fires at exactly activeAt + for', setting: { errors: since600 }, fires: 900 },
  {
    name: 'for that is no multiple of the interval fires between two ticks',
    setting: { errors: since600, trigger: { for: '3m7s' } },
    fires: 787,
  },
  {
    name: 'for that is shorter than the interval as well',
    setting: { errors: since600, trigger: { for: '20s' }, analysis: { interval: '1m' } },
    fires: 620,
  },
  {
    name: 'for: 0s fires when it is first seen',
    setting: { errors: since600, trigger: { for: '0s' } },
    fires: 600,
  },
  {
    name: 'a start off the grid changes nothing',
    setting: { errors: (second) => (second + 4 >= 600 ? 1 : 0), startAt: T0 + 4 * SECOND },
    fires: 900,
  },
  {
    name: 'with an offset it fires that much later, in the same Prometheus time',
    setting: { errors: since600, analysis: { offset: '40s' } },
    fires: 900,
    seen: 940,
  },
  {
    name: 'a gap adds nothing to the time held and does not reset it',
    setting: { errors: gap(690, 750) },
    fires: 960,
    active: 600,
  },
  {
    name: 'a gap over the moment it would have fired only delays what is seen',
    setting: { errors: gap(900, 960) },
    fires: 900,
    seen: 960,
  },
  {
    name: 'two gaps add up',
    setting: { errors: (second) => (within(second, 840, 870) ? 'absent' : gap(690, 750)(second)) },
    fires: 990,
  },
  {
    name: 'a gap of just 5m does not reset a longer hold',
    setting: { errors: gap(690, 990), trigger: { for: '20m' } },
    fires: 600 + 1200 + 300,
    active: 600,
  },
  {
    name: 'a gap longer than 5m resets it',
    setting: { errors: gap(690, 1005), trigger: { for: '20m' } },
    fires: 1005 + 1200,
    active: 1005,
  },
  {
    name: 'a gap longer than for resets it',
    setting: { errors: gap(630, 705), trigger: { for: '1m' } },
    fires: 705 + 60,
    active: 705,
  },
  {
    name: 'Prometheus that is not reached for a while, but goes on scraping, costs nothing',
    setting: {
      errors: since600,
      world: {
        fault: (now) => (within((now - T0) / SECOND, 660, 840) ? 'unreachable' : undefined),
      },
    },
    fires: 900,
    active: 600,
  },
  {
    name: 'Prometheus that is not reached for longer than a gap may be turns out to have seen it all',
    setting: {
      errors: since600,
      world: { fault: (now) => (within((now - T0) / SECOND, 660, 2000) ? 'timeout' : undefined) },
    },
    fires: 900,
    active: 600,
    seen: 2010,
  },
  {
    name: 'range queries that fail delay the firing, and no time that was held is lost',
    setting: {
      errors: since600,
      world: {
        fault: (now, question) =>
          question.type === 'range' && now < T0 + 1000 * SECOND ? 'timeout' : undefined,
      },
    },
    fires: 900,
    active: 600,
    seen: 1005,
  },
  {
    name: 'a partial answer to the last check fires nothing and resets nothing',
    setting: {
      errors: since600,
      world: {
        fault: (now, question) =>
          question.type === 'range' && within((now - T0) / SECOND, 890, 1000)
            ? 'partial'
            : undefined,
      },
    },
    fires: 900,
    active: 600,
    seen: 1005,
  },
  {
    name: 'nothing from before the run counts: not before the start plus the longest range',
    setting: {
      errors: () => 1,
      trigger: { query: 'avg_over_time(errors{service="$(arm.service)"}[7m])' },
    },
    fires: 420 + 300,
    active: 420,
  },
  {
    name: 'nor for a trigger with for: 0s',
    setting: {
      errors: () => 1,
      trigger: { query: 'avg_over_time(errors{service="$(arm.service)"}[7m])', for: '0s' },
    },
    fires: 420,
    active: 420,
  },
];

describe('the proved hold', () => {
  for (const { name, setting, fires, active, seen = fires } of holds) {
    test(name, () => {
      const run = triggerCourse(setting);
      run.runUntil(T0 + 3 * 3600 * SECOND);
      const is = outcome(run);
      assert.equal(is.decided, seen, 'decided');
      assert.equal(is.fired, fires, 'fired');
      if (active !== undefined) assert.equal(is.active, active, 'active');
    });
  }

  for (const { name, setting, fires, active } of holds) {
    test(`the same after a restart every few seconds: ${name}`, () => {
      const run = triggerCourse(setting);
      run.runUntil(setting.startAt ?? T0);
      // All memory of a process is its status; here it also comes late, and looks at odd moments.
      for (let second = 0; second < 3600 && run.status.rollback === undefined; second += 7) {
        run.sleepUntil(T0 + second * SECOND + 300);
        run.runUntil(run.now);
      }
      const is = outcome(run);
      assert.equal(is.fired, fires, 'fired');
      if (active !== undefined) assert.equal(is.active, active, 'active');
    });
  }

  test('a leader that was down for ten minutes of the hold finds it proved, and acts at once', () => {
    const run = triggerCourse({ errors: since600 });
    run.runUntil(T0 + 620 * SECOND);
    run.sleepUntil(T0 + 1220 * SECOND);
    run.runUntil(T0 + 1220 * SECOND);
    assert.deepEqual(outcome(run), { decided: 1220, active: 600, fired: 900 });
  });

  test('a leader that comes to a breach nobody saw begin acts at once when it has held', () => {
    const run = triggerCourse({ errors: since600 });
    run.runUntil(T0 + 590 * SECOND);
    run.sleepUntil(T0 + 1220 * SECOND);
    run.runUntil(T0 + 1220 * SECOND);
    assert.equal(run.status.rollback?.startedAt, iso(1220));
  });

  test('a leader that missed a reading that was false does not take the hold for unbroken', () => {
    const run = triggerCourse({
      errors: (second) => (within(second, 700, 730) ? 0 : since600(second)),
    });
    run.runUntil(T0 + 620 * SECOND);
    run.sleepUntil(T0 + 900 * SECOND);
    run.runUntil(T0 + 900 * SECOND);
    assert.equal(run.trigger()?.state, 'Pending');
    assert.equal(run.trigger()?.activeAt, iso(735));
    run.runUntil(T0 + 2000 * SECOND);
    assert.deepEqual(outcome(run), { decided: 1035, active: 735, fired: 1035 });
  });

  test('what Prometheus can no longer tell was not held', () => {
    const run = triggerCourse({ errors: since600, trigger: { for: '20m' } });
    run.runUntil(T0 + 620 * SECOND);
    // Retention: everything from before the 1,600th second is gone when it is asked for.
    run.world.series = (query, atMs) =>
      query.includes('"new"') && atMs >= T0 + 1600 * SECOND ? 1 : 'absent';
    run.sleepUntil(T0 + 1800 * SECOND);
    run.runUntil(T0 + 1800 * SECOND);
    assert.equal(run.trigger()?.activeAt, iso(1605));
    run.runUntil(T0 + 3000 * SECOND);
    assert.deepEqual(outcome(run), { decided: 2805, active: 1605, fired: 2805 });
  });

  test('a reading that is false at the very moment is not taken back by the older point of the grid', () => {
    const run = triggerCourse({
      errors: (second) => (within(second, 787, 3000) ? 0 : since600(second)),
      trigger: { for: '3m7s' },
    });
    run.runUntil(T0 + 787 * SECOND);
    assert.equal(run.trigger()?.state, 'Inactive');
    const writes = run.statusWrites;
    for (let n = 1; n < 8; n += 1) {
      run.sleepUntil(T0 + (787 + n * 0.2) * SECOND);
      run.runUntil(run.now);
      assert.equal(run.trigger()?.state, 'Inactive');
    }
    run.runUntil(T0 + 900 * SECOND);
    assert.equal(run.trigger()?.state, 'Inactive');
    assert.equal(run.statusWrites, writes);
  });
});
