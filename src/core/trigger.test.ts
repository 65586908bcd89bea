/** Triggers over time: states, the proved hold, gaps, restarts, and what follows where there is no data. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutSpecInput } from '#api/rollout.ts';
import { errorsTrigger, MINUTE, SECOND, type SeriesValue, T0 } from '#test/builders.ts';
import { EngineHarness, type World } from '#test/engine-harness.ts';

type TriggerInput = NonNullable<RolloutSpecInput['triggers']>[number];

/** Half of the traffic from the start, and nothing else for ten hours. */
const half: RolloutSpecInput['schedule'] = {
  steps: [
    { name: 'half', at: '0h', weight: 50 },
    { name: 'full', at: '10h', weight: 100 },
  ],
  end: '11h',
};

const CANARY = 'errors{service="new"}';

interface Setting {
  readonly trigger?: Partial<TriggerInput>;
  readonly analysis?: RolloutSpecInput['analysis'];
  /** Canary's error rate over the seconds since the start. */
  readonly errors: (second: number) => SeriesValue;
  readonly world?: Partial<World>;
  readonly startAt?: number;
}

function harness({ trigger, analysis, errors, world, startAt = T0 }: Setting): EngineHarness {
  return new EngineHarness({
    startAt,
    spec: {
      schedule: half,
      triggers: [{ ...errorsTrigger, ...trigger }],
      ...(analysis === undefined ? {} : { analysis }),
    },
    world: {
      series: (query, atMs) => (query.includes('"new"') ? errors((atMs - startAt) / SECOND) : 0),
      ...world,
    },
  });
}

const clock = (seconds: number) => new Date(T0 + seconds * SECOND).toISOString().slice(11, 19);
const iso = (seconds: number) =>
  new Date(T0 + seconds * SECOND).toISOString().replace('.000Z', 'Z');
const within = (second: number, from: number, to: number) => second >= from && second < to;

/** When the rollback was decided and what the trigger then said, in seconds since the start. */
function outcome(run: EngineHarness) {
  const { rollback } = run.status;
  const seconds = (text: string | undefined) =>
    text === undefined ? undefined : (Date.parse(text) - T0) / SECOND;
  return {
    decided: seconds(rollback?.startedAt),
    active: seconds(run.trigger()?.activeAt),
    fired: seconds(run.trigger()?.firingAt),
  };
}

describe('states', () => {
  test('Inactive, Pending since the first true reading, Firing when it has held, and what each says', () => {
    const run = harness({ errors: (second) => (second >= 600 ? 0.072 : 0.001) });
    run.runUntil(T0 + 590 * SECOND);
    assert.equal(run.trigger()?.state, 'Inactive');
    run.runUntil(T0 + 600 * SECOND);
    assert.equal(run.trigger()?.state, 'Pending');
    assert.equal(run.trigger()?.activeAt, iso(600));
    assert.equal(
      run.trigger()?.message,
      `errors 7.2% > 0.5% since ${clock(600)}; fires when it has held for 5m0s`,
    );
    run.runUntil(T0 + 899 * SECOND);
    assert.equal(run.trigger()?.state, 'Pending');
    assert.equal(run.weight(), 50);
    run.runUntil(T0 + 900 * SECOND);
    assert.equal(run.weight(), 0);
    assert.equal(
      run.status.rollback?.message,
      `errors 7.2% > 0.5% for 5m0s since ${clock(600)} (query ${CANARY})`,
    );
    assert.deepEqual(outcome(run), { decided: 900, active: 600, fired: 900 });
    const told = run.told();
    assert.ok(told.indexOf('TriggerPending') < told.indexOf('TriggerFired'));
  });

  test('a reading that is false takes Pending back to Inactive, and the next hold begins anew', () => {
    const run = harness({
      errors: (second) => (within(second, 885, 900) ? 0 : second >= 600 ? 1 : 0),
    });
    run.runUntil(T0 + 890 * SECOND);
    assert.equal(run.trigger()?.state, 'Inactive');
    run.runUntil(T0 + 2000 * SECOND);
    assert.deepEqual(outcome(run), { decided: 1200, active: 900, fired: 1200 });
  });

  test('equal is not over: exactly 0.005 is no breach of > 0.5%, the next double is', () => {
    const equal = harness({ errors: () => 0.005, trigger: { for: '0s' } });
    equal.runUntil(T0 + 20 * MINUTE);
    assert.equal(equal.trigger()?.state, 'Inactive');
    const over = harness({ errors: () => 0.005000000000000001, trigger: { for: '0s' } });
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
        schedule: half,
        triggers: [{ name: 'errors', severity: 'Critical', ratio, condition: '> 0.5%', for: '0s' }],
      },
      world: { series: (query) => (query.startsWith('bad') ? 5 : 1000) },
    });
    run.runUntil(T0 + 20 * MINUTE);
    assert.equal(run.trigger()?.state, 'Inactive');
  });

  test('a Critical trigger that fires goes on firing while its readings are gone', () => {
    const run = harness({
      trigger: { onFiring: [{ action: 'Hold' }] },
      errors: (second) => (second >= 1200 ? 'absent' : second >= 600 ? 1 : 0),
    });
    run.runUntil(T0 + 3000 * SECOND);
    assert.equal(run.trigger()?.state, 'Firing');
    assert.equal(run.trigger()?.firingAt, iso(900));
    assert.equal(run.trigger()?.unknownSince, iso(1200));
  });

  test('keepFiringFor keeps it firing for exactly so long after the condition is false', () => {
    const run = harness({
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
    const run = harness({
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

interface HoldRow {
  readonly name: string;
  readonly setting: Setting;
  /** When the trigger fires by what Prometheus has, in seconds since the start; undefined: never. */
  readonly fires: number | undefined;
  readonly active?: number;
  /** When that is seen, where it is later than `fires`. */
  readonly seen?: number;
}

const since600 = (second: number): SeriesValue => (second >= 600 ? 1 : 0);
const gap =
  (from: number, to: number) =>
  (second: number): SeriesValue =>
    within(second, from, to) ? 'absent' : since600(second);

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
      const run = harness(setting);
      run.runUntil(T0 + 3 * 3600 * SECOND);
      const is = outcome(run);
      assert.equal(is.decided, seen, 'decided');
      assert.equal(is.fired, fires, 'fired');
      if (active !== undefined) assert.equal(is.active, active, 'active');
    });
  }

  for (const { name, setting, fires, active } of holds) {
    test(`the same after a restart every few seconds: ${name}`, () => {
      const run = harness(setting);
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
    const run = harness({ errors: since600 });
    run.runUntil(T0 + 620 * SECOND);
    run.sleepUntil(T0 + 1220 * SECOND);
    run.runUntil(T0 + 1220 * SECOND);
    assert.deepEqual(outcome(run), { decided: 1220, active: 600, fired: 900 });
  });

  test('a leader that comes to a breach nobody saw begin acts at once when it has held', () => {
    const run = harness({ errors: since600 });
    run.runUntil(T0 + 590 * SECOND);
    run.sleepUntil(T0 + 1220 * SECOND);
    run.runUntil(T0 + 1220 * SECOND);
    assert.equal(run.status.rollback?.startedAt, iso(1220));
  });

  test('a leader that missed a reading that was false does not take the hold for unbroken', () => {
    const run = harness({ errors: (second) => (within(second, 700, 730) ? 0 : since600(second)) });
    run.runUntil(T0 + 620 * SECOND);
    run.sleepUntil(T0 + 900 * SECOND);
    run.runUntil(T0 + 900 * SECOND);
    assert.equal(run.trigger()?.state, 'Pending');
    assert.equal(run.trigger()?.activeAt, iso(735));
    run.runUntil(T0 + 2000 * SECOND);
    assert.deepEqual(outcome(run), { decided: 1035, active: 735, fired: 1035 });
  });

  test('what Prometheus can no longer tell was not held', () => {
    const run = harness({ errors: since600, trigger: { for: '20m' } });
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
    const run = harness({
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

describe('a clock that steps back', () => {
  test('does not delay a hold that began in what is now the future', () => {
    const run = harness({ errors: () => 1, trigger: { for: '5m' } });
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
    const run = harness({ errors: since600, trigger: { onFiring: [{ action: 'Hold' }] } });
    run.runUntil(T0 + 905 * SECOND);
    assert.equal(run.trigger()?.state, 'Firing');
    run.sleepUntil(T0 + 500 * SECOND);
    run.runUntil(T0 + 560 * SECOND);
    assert.equal(run.trigger()?.state, 'Firing');
    assert.equal(run.status.phase, 'Held');
  });

  test('lets no silence count from the future', () => {
    const run = harness({ errors: (second) => (second >= 600 ? 'absent' : 0) });
    run.runUntil(T0 + 4000 * SECOND);
    run.status = {
      ...run.status,
      triggers: (run.status.triggers ?? []).map((one) => ({ ...one, unknownSince: iso(9000) })),
    };
    run.runUntil(T0 + 4020 * SECOND);
    assert.equal(run.trigger()?.unknownSince, iso(4005));
  });
});

describe('without data', () => {
  const silent = (second: number): SeriesValue => (second >= 600 ? 'absent' : 0);

  test('a Critical trigger holds after noDataFor, and says which chain is broken', () => {
    const run = harness({ errors: silent });
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
    const run = harness({ errors: silent, trigger: { severity: 'Warning' } });
    run.runUntil(T0 + 3000 * SECOND);
    assert.equal(run.trigger()?.state, 'Unknown');
    assert.equal(run.status.phase, 'Progressing');
  });

  test('Ignore lets a rise through only after noDataFor', () => {
    const run = harness({ errors: silent, trigger: { noData: 'Ignore', noDataFor: '10h' } });
    run.runUntil(T0 + 10 * 3600 * SECOND);
    assert.equal(run.weight(), 50);
    assert.equal(run.status.holds?.[0]?.reason, 'TriggerUnknown');
    run.runUntil(T0 + (10 * 3600 + 599) * SECOND);
    assert.equal(run.weight(), 50);
    run.runUntil(T0 + (10 * 3600 + 600) * SECOND);
    assert.equal(run.weight(), 100);
  });

  test('Ignore does not hide a breach whose beginning cannot be proved', () => {
    const run = harness({
      errors: since600,
      trigger: { noData: 'Ignore', for: '9h' },
      world: { fault: (_now, question) => (question.type === 'range' ? 'timeout' : undefined) },
    });
    run.runUntil(T0 + 10.5 * 3600 * SECOND);
    assert.equal(run.trigger()?.reason, 'HoldUnproved');
    assert.equal(run.weight(), 50);
  });

  test('Breach makes it a breach from noDataFor on, which then has to hold for its time', () => {
    const run = harness({ errors: silent, trigger: { noData: 'Breach' } });
    run.runUntil(T0 + 721 * SECOND);
    assert.equal(run.trigger()?.state, 'Pending');
    run.runUntil(T0 + 2000 * SECOND);
    assert.deepEqual(outcome(run), { decided: 1020, active: 720, fired: 1020 });
    assert.match(run.status.rollback?.message ?? '', /no reading since .*noData: Breach/);
  });

  test('Breach goes on with a hold that had begun: only the time until it counts is a gap', () => {
    const run = harness({
      errors: (second) => (second >= 750 ? 'absent' : since600(second)),
      trigger: { noData: 'Breach' },
    });
    run.runUntil(T0 + 2000 * SECOND);
    assert.deepEqual(outcome(run), { decided: 1020, active: 600, fired: 1020 });
  });

  test('Breach proves the same from history when a reading comes back true', () => {
    const run = harness({
      errors: (second) => (within(second, 750, 930) ? 'absent' : since600(second)),
      trigger: { noData: 'Breach' },
    });
    run.runUntil(T0 + 2000 * SECOND);
    assert.deepEqual(outcome(run), { decided: 1020, active: 600, fired: 1020 });
  });

  test('Breach that began with silence is proved from where the data ended', () => {
    const run = harness({
      errors: (second) => (within(second, 600, 900) ? 'absent' : since600(second)),
      trigger: { noData: 'Breach' },
    });
    run.runUntil(T0 + 2000 * SECOND);
    assert.deepEqual(outcome(run), { decided: 1020, active: 720, fired: 1020 });
  });

  test('noDataFor is over at its own moment, not at the next tick', () => {
    const run = harness({
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
    const run = harness({
      errors: (second) => (within(second, 600, 800) ? 'absent' : 0),
      trigger: { noData: 'Breach' },
    });
    run.runUntil(T0 + 2000 * SECOND);
    assert.equal(run.trigger()?.state, 'Inactive');
    assert.equal(run.status.rollback, undefined);
  });

  test('a hold that is missing its readings says so, and not the breach of before', () => {
    const run = harness({
      errors: (second) => (second >= 660 ? 'absent' : since600(second)),
      trigger: { noDataFor: '1m' },
    });
    run.runUntil(T0 + 720 * SECOND);
    assert.equal(run.trigger()?.state, 'Pending');
    assert.deepEqual(
      run.status.holds?.map(({ reason }) => reason),
      ['ChainBroken'],
    );
    assert.match(run.status.holds?.[0]?.message ?? '', /no reading: the query answers nothing/);
  });
});
