/** Response ladders through the whole engine: what follows from a firing trigger, to the second. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutSpecInput } from '#api/rollout.ts';
import type { RolloutStatus } from '#api/status.ts';
import { MINUTE, type SeriesValue, T0 } from '#test/builders.ts';
import { EngineHarness } from '#test/engine-harness.ts';

type TriggerInput = NonNullable<RolloutSpecInput['triggers']>[number];

/** Half of the traffic for ten hours. */
const schedule: RolloutSpecInput['schedule'] = {
  steps: [
    { name: 'half', at: '0h', weight: 50 },
    { name: 'full', at: '10h', weight: 100 },
  ],
  end: '11h',
};

/** The condition is true from this minute on. */
const BREACH = 30;

interface Setting {
  readonly triggers: readonly TriggerInput[];
  /** By the metric's name, over minutes since the start. */
  readonly series: (minute: number, metric: string) => SeriesValue;
}

function harness({ triggers, series }: Setting): EngineHarness {
  return new EngineHarness({
    spec: { schedule, triggers: [...triggers] },
    world: { series: (query, atMs) => series((atMs - T0) / MINUTE, query) },
  });
}

/** What was told of ladders, holds and rollbacks, at minutes since the start. */
const told = new Set([
  'TriggerFired',
  'TriggerResolved',
  'ResponderNotified',
  'ResponseOverdue',
  'SuiteRequested',
  'HoldLifted',
  'HoldEnded',
  'Held',
  'RollbackStarted',
]);

function story(run: EngineHarness): string[] {
  return run.events
    .filter(({ reason }) => told.has(reason))
    .map(({ at, reason }) => `${(at - T0) / MINUTE} ${reason}`);
}

/** The triggers of examples/genesis-48h.yaml, each by a query of its own name. */
const serviceDown: TriggerInput = {
  name: 'service-down',
  severity: 'Critical',
  query: 'up',
  condition: '== 0',
  for: '2m',
  onFiring: [{ action: 'Hold' }, { action: 'Notify' }, { action: 'Rollback', after: '1m' }],
  responder: 'hudson',
  runbookUrl: 'https://runbooks.example.com/down',
};

const errorRateRaised: TriggerInput = {
  name: 'error-rate-raised',
  severity: 'Warning',
  query: 'rate',
  condition: '> 0.1%',
  for: '10m',
  onFiring: [
    { action: 'Hold' },
    { action: 'Notify' },
    { action: 'Rollback', when: 'Worsening', after: '30m' },
    { action: 'Continue', when: 'Improving', after: '30m' },
  ],
  respondWithin: '30m',
  responder: 'alex',
};

const cpuHigh: TriggerInput = {
  name: 'cpu-high',
  severity: 'Warning',
  query: 'cpu',
  condition: '> 80%',
  for: '15m',
  onFiring: [
    { action: 'Hold' },
    { action: 'Notify' },
    { action: 'Continue', when: 'Steady', after: '30m' },
    { action: 'Continue', when: 'Improving', after: '30m' },
  ],
  respondWithin: '30m',
};

const memoryHigh: TriggerInput = {
  name: 'memory-high',
  severity: 'Warning',
  query: 'memory',
  condition: '> 80%',
  for: '15m',
  onFiring: [
    { action: 'Hold' },
    { action: 'Notify' },
    { action: 'Rollback', when: 'Worsening', after: '30m' },
    { action: 'Continue', when: 'Steady', after: '30m' },
  ],
};

const langmemLeak: TriggerInput = {
  name: 'langmem-leak',
  severity: 'Warning',
  query: 'growth',
  condition: '> 1MB',
  for: '15m',
  onFiring: [{ action: 'Hold' }, { action: 'Notify' }, { action: 'Rollback', after: '30m' }],
  respondWithin: '30m',
};

interface Row extends Setting {
  readonly name: string;
  readonly until: number;
  readonly story: readonly string[];
  /** Canary's share at the end, and who still holds. */
  readonly weight: number;
  readonly holds?: readonly string[];
  readonly prepare?: (course: EngineHarness) => void;
}

/** From BREACH on `value`, before it nothing unusual. */
const since =
  (value: (minute: number) => number, calm = 0) =>
  (minute: number) =>
    minute >= BREACH ? value(minute - BREACH) : calm;

const warned = (minute: number) =>
  [`${minute} TriggerFired`, `${minute} Held`, `${minute} ResponderNotified`] as const;

const rows: readonly Row[] = [
  {
    name: 'service down: investigate a minute, then roll back',
    triggers: [serviceDown],
    series: since(() => 0, 1),
    until: 60,
    story: [...warned(32), '33 RollbackStarted'],
    weight: 0,
  },
  {
    name: 'service down, and up again within the minute: nothing is left of it',
    triggers: [serviceDown],
    series: since((m) => (m < 2.5 ? 0 : 1), 1),
    until: 60,
    story: [...warned(32), '32.5 TriggerResolved', '32.5 HoldEnded'],
    weight: 50,
  },
  {
    name: 'service down again later: a new firing, and everything anew',
    triggers: [serviceDown],
    series: since((m) => (m < 2.5 || m >= 10 ? 0 : 1), 1),
    until: 60,
    story: [
      ...warned(32),
      '32.5 TriggerResolved',
      '32.5 HoldEnded',
      ...warned(42),
      '43 RollbackStarted',
    ],
    weight: 0,
  },
  {
    name: 'service down, up again, with keepFiringFor: it still fires, so the ladder goes on',
    triggers: [{ ...serviceDown, keepFiringFor: '5m' }],
    series: since((m) => (m < 2.5 ? 0 : 1), 1),
    until: 60,
    story: [...warned(32), '33 RollbackStarted'],
    weight: 0,
  },
  {
    name: 'service down, then Prometheus as well: what has fired goes its way',
    triggers: [serviceDown],
    series: since((m) => (m < 2.5 ? 0 : Number.NaN), 1),
    until: 60,
    story: [...warned(32), '33 RollbackStarted'],
    weight: 0,
  },
  {
    name: 'a warning that worsens: hold, then roll back, and nobody had answered',
    triggers: [errorRateRaised],
    series: since((m) => 0.002 + m * 0.0001),
    until: 90,
    story: [...warned(40), '70 RollbackStarted', '70 ResponseOverdue'],
    weight: 0,
  },
  {
    name: 'a warning that improves: hold, then go on, still firing',
    triggers: [errorRateRaised],
    series: since((m) => 0.1 - m * 0.0001),
    until: 90,
    story: [...warned(40), '70 HoldEnded', '70 HoldLifted', '70 ResponseOverdue'],
    weight: 50,
  },
  {
    name: 'a warning that is steady: it waits, and a person is called',
    triggers: [errorRateRaised],
    series: since(() => 0.002),
    until: 90,
    story: [...warned(40), '70 ResponseOverdue'],
    weight: 50,
    holds: ['error-rate-raised'],
  },
  {
    name: 'a warning that is steady at its moment and worsens later: rolled back when it does',
    triggers: [errorRateRaised],
    // Ten minutes' least squares reach a tenth of the threshold a few minutes after the turn.
    series: since((m) => 0.002 + Math.max(0, m - 50) * 0.0001),
    until: 120,
    story: [...warned(40), '70 ResponseOverdue', '82 RollbackStarted'],
    weight: 0,
  },
  {
    name: 'a warning that goes on and worsens after that: the Continue has not ended the ladder',
    triggers: [errorRateRaised],
    series: since((m) => (m < 45 ? 0.1 - m * 0.0001 : 0.0955 + (m - 45) * 0.001)),
    until: 120,
    story: [
      ...warned(40),
      '70 HoldEnded',
      '70 HoldLifted',
      '70 ResponseOverdue',
      '77 RollbackStarted',
    ],
    weight: 0,
  },
  {
    name: 'cpu high and steady: go on',
    triggers: [cpuHigh],
    series: since(() => 0.9),
    until: 120,
    story: [...warned(45), '75 HoldEnded', '75 HoldLifted', '75 ResponseOverdue'],
    weight: 50,
  },
  {
    name: 'cpu high and improving: go on',
    triggers: [cpuHigh],
    series: since((m) => 1.6 - m * 0.01),
    until: 100,
    story: [...warned(45), '75 HoldEnded', '75 HoldLifted', '75 ResponseOverdue'],
    weight: 50,
  },
  {
    name: 'cpu high and worsening: it stays where it is',
    triggers: [cpuHigh],
    series: since((m) => 0.9 + m * 0.01),
    until: 120,
    story: [...warned(45), '75 ResponseOverdue'],
    weight: 50,
    holds: ['cpu-high'],
  },
  {
    name: 'memory high and worsening: roll back',
    triggers: [{ ...memoryHigh, respondWithin: '2h' }],
    series: since((m) => 0.81 + m * 0.01),
    until: 120,
    story: [...warned(45), '75 RollbackStarted'],
    weight: 0,
  },
  {
    name: 'memory high and steady: go on; a Warning calls after 30m of itself',
    triggers: [memoryHigh],
    series: since(() => 0.9),
    until: 120,
    story: [...warned(45), '75 HoldEnded', '75 HoldLifted', '75 ResponseOverdue'],
    weight: 50,
  },
  {
    name: 'a leak: roll back after half an hour, whatever its trend',
    triggers: [{ ...langmemLeak, respondWithin: '31m' }],
    series: since(() => 2e6),
    until: 120,
    story: [...warned(45), '75 RollbackStarted'],
    weight: 0,
  },
  {
    name: 'a leak that ends within half an hour: the hold is taken back',
    triggers: [langmemLeak],
    series: since((m) => (m < 40 ? 2e6 : 0)),
    until: 120,
    story: [...warned(45), '70 TriggerResolved', '70 HoldEnded'],
    weight: 50,
  },
  {
    name: 'Info: written down, nothing more',
    triggers: [{ name: 'raised', severity: 'Info', query: 'q', condition: '> 1', for: '10m' }],
    series: since(() => 2),
    until: 120,
    story: ['40 TriggerFired', '40 ResponderNotified'],
    weight: 50,
  },
  {
    name: 'Info: a ladder of its own is obeyed',
    triggers: [
      {
        name: 'raised',
        severity: 'Info',
        query: 'q',
        condition: '> 1',
        onFiring: [{ action: 'Rollback', after: '5m' }],
      },
    ],
    series: since(() => 2),
    until: 60,
    story: ['30 TriggerFired', '35 RollbackStarted'],
    weight: 0,
  },
  {
    name: 'several at once, each with its own ladder: a Continue takes back its own hold only',
    triggers: [errorRateRaised, { ...cpuHigh, for: '10m' }],
    series: (minute, metric) => since(() => (metric === 'cpu' ? 0.9 : 0.002))(minute),
    until: 90,
    story: [
      '40 TriggerFired',
      '40 TriggerFired',
      '40 Held',
      '40 Held',
      '40 ResponderNotified',
      '40 ResponderNotified',
      '70 ResponseOverdue',
      '70 HoldLifted',
      '70 ResponseOverdue',
    ],
    weight: 50,
    holds: ['error-rate-raised'],
  },
  {
    name: 'several at once: the one that rolls back is obeyed over the one that would go on',
    triggers: [
      { ...cpuHigh, for: '10m' },
      { ...memoryHigh, for: '10m' },
    ],
    series: (minute, metric) => since((m) => (metric === 'cpu' ? 0.9 : 0.81 + m * 0.02))(minute),
    until: 90,
    story: [
      '40 TriggerFired',
      '40 TriggerFired',
      '40 Held',
      '40 Held',
      '40 ResponderNotified',
      '40 ResponderNotified',
      '70 RollbackStarted',
      '70 HoldLifted',
      '70 ResponseOverdue',
      '70 ResponseOverdue',
    ],
    weight: 0,
  },
  {
    name: 'Rollback and Notify at once: both; Hold and Continue beside them are left out',
    triggers: [
      {
        ...serviceDown,
        onFiring: [
          { action: 'Continue' },
          { action: 'Hold' },
          { action: 'Notify' },
          { action: 'Rollback' },
        ],
      },
    ],
    series: since(() => 0, 1),
    until: 40,
    story: ['32 TriggerFired', '32 RollbackStarted', '32 ResponderNotified'],
    weight: 0,
  },
  {
    name: 'Hold and Continue at one moment: Hold has the last word',
    triggers: [
      {
        ...serviceDown,
        onFiring: [
          { action: 'Hold', after: '5m' },
          { action: 'Continue', after: '5m' },
        ],
      },
    ],
    series: since(() => 0, 1),
    until: 60,
    story: ['32 TriggerFired', '37 Held'],
    weight: 50,
    holds: ['service-down'],
  },
  {
    name: 'Hold, Continue, Hold: each at its moment',
    triggers: [
      {
        ...serviceDown,
        onFiring: [
          { action: 'Hold' },
          { action: 'Continue', after: '5m' },
          { action: 'Hold', after: '10m' },
        ],
      },
    ],
    series: since(() => 0, 1),
    until: 60,
    story: ['32 TriggerFired', '32 Held', '37 HoldEnded', '37 HoldLifted', '42 Held'],
    weight: 50,
    holds: ['service-down'],
  },
  {
    name: 'a Continue before any hold has had its turn: it does not take back a later one',
    triggers: [
      {
        ...serviceDown,
        onFiring: [
          { action: 'Continue', after: '1m' },
          { action: 'Hold', after: '5m' },
        ],
      },
    ],
    series: since(() => 0, 1),
    until: 60,
    story: ['32 TriggerFired', '37 Held'],
    weight: 50,
    holds: ['service-down'],
  },
  {
    name: 'a rung between two evaluations comes at its very second',
    triggers: [{ ...serviceDown, for: '2m7s', onFiring: [{ action: 'Rollback', after: '1m1s' }] }],
    series: since(() => 0, 1),
    until: 60,
    story: [`${32 + 7 / 60} TriggerFired`, `${33 + 8 / 60} RollbackStarted`],
    weight: 0,
  },
  {
    name: 'too young a run has no trend: the rung waits until it has one',
    triggers: [
      { ...errorRateRaised, for: '1m', onFiring: [{ action: 'Rollback', when: 'Worsening' }] },
    ],
    series: (minute) => 0.002 + minute * 0.001,
    until: 20,
    story: ['1 TriggerFired', '5 RollbackStarted'],
    weight: 0,
  },
  {
    name: 'a ladder whose rungs are missed by a pause of the spec goes on all the same',
    triggers: [langmemLeak],
    series: since(() => 2e6),
    until: 120,
    prepare: (course) => course.edit({ paused: true }),
    story: ['0 Held', ...warned(45), '75 RollbackStarted', '75 ResponseOverdue'],
    weight: 0,
  },
];

describe('what follows from a firing trigger:', () => {
  for (const { name, until, story: expected, weight, holds = [], prepare, ...setting } of rows) {
    test(name, () => {
      const course = harness(setting);
      if (prepare !== undefined) {
        course.runUntil(T0);
        prepare(course);
      }
      course.runUntil(T0 + until * MINUTE);
      assert.deepEqual(story(course), expected);
      assert.equal(course.weight(), weight);
      const standing = (course.status.holds ?? []).map(({ by }) => by);
      assert.deepEqual(standing, holds);
    });
  }
});

describe('a process that dies', () => {
  /** Everything of the status that must come out the same; when it was told may not. */
  const ending = ({ status }: EngineHarness) => ({
    phase: status.phase,
    weight: status.weight,
    triggers: status.triggers,
    holds: status.holds,
    rollback: status.rollback && [status.rollback.trigger, status.rollback.startedAt],
  });
  const crashes = ['beforeFirst', 'beforeStatus', 'beforeActions'] as const;
  const chosen = rows.filter(
    ({ prepare, triggers }) => prepare === undefined && triggers.length === 1,
  );
  for (const { name, until, ...setting } of chosen) {
    test(`at every moment of "${name}" changes nothing of it`, () => {
      const whole = harness(setting);
      whole.runUntil(T0 + until * MINUTE);
      const broken = harness(setting);
      for (let count = 0; (broken.nextAt ?? Infinity) <= T0 + until * MINUTE; count += 1) {
        // One look in two dies, each time at another place, and the next process looks a second time.
        if (count % 2 === 0) broken.crashNext = crashes[(count / 2) % crashes.length];
        broken.now = broken.nextAt ?? broken.now;
        broken.look();
        if (count % 2 === 0) broken.nextAt = broken.now;
      }
      assert.deepEqual(ending(broken), ending(whole));
    });
  }

  test('and is away while rungs fall due carries them out in their order when it is back', () => {
    const setting: Setting = {
      triggers: [
        {
          ...serviceDown,
          onFiring: [{ action: 'Hold' }, { action: 'Notify' }, { action: 'Continue', after: '5m' }],
        },
      ],
      series: since(() => 0, 1),
    };
    const course = harness(setting);
    course.runUntil(T0 + 31 * MINUTE);
    course.now = T0 + 50 * MINUTE;
    course.look();
    assert.deepEqual(course.status.holds, []);
    assert.deepEqual(
      course.trigger('service-down')?.responses?.map(({ rung, at }) => `${at} ${rung}`),
      [
        '2026-11-22T12:32:00Z Hold',
        '2026-11-22T12:32:00Z Notify',
        '2026-11-22T12:37:00Z Continue after 5m',
      ],
    );
  });
});

test('in a steady state with a rung that waits for its trend nothing is written', () => {
  const course = harness({ triggers: [errorRateRaised], series: since(() => 0.002) });
  course.runUntil(T0 + 75 * MINUTE);
  const { statusWrites, events } = course;
  const told = events.length;
  course.runUntil(T0 + 175 * MINUTE);
  assert.equal(course.statusWrites, statusWrites);
  assert.equal(course.events.length, told);
});

describe('respondWithin', () => {
  const setting: Setting = { triggers: [errorRateRaised], series: since(() => 0.002) };
  const overdue = (course: EngineHarness) =>
    course.events.filter(({ reason }) => reason === 'ResponseOverdue').length;

  test('pages once, with whom to call', () => {
    const course = harness({
      ...setting,
      triggers: [{ ...errorRateRaised, runbookUrl: 'https://runbooks.example.com/errors' }],
    });
    course.runUntil(T0 + 100 * MINUTE);
    const page = course.events.filter(({ reason }) => reason === 'ResponseOverdue');
    assert.deepEqual(
      page.map(({ at, type, action, note }) => ({ at, type, action, note })),
      [
        {
          at: T0 + 70 * MINUTE,
          type: 'Warning',
          action: 'Page',
          note: 'nobody has answered within 30m0s: error-rate-raised 0.2% > 0.1% for 10m0s since 12:30:00 (query rate); responder alex; runbook https://runbooks.example.com/errors',
        },
      ],
    );
  });

  test('is met by a person who pauses the run', () => {
    const course = harness(setting);
    course.runUntil(T0 + 60 * MINUTE);
    course.annotate('pause 1');
    course.runUntil(T0 + 100 * MINUTE);
    assert.equal(overdue(course), 0);
  });

  test('is not met by a pause from before the firing', () => {
    const course = harness(setting);
    course.runUntil(T0 + 20 * MINUTE);
    course.annotate('pause 1');
    course.runUntil(T0 + 100 * MINUTE);
    assert.equal(overdue(course), 1);
  });

  const answers: readonly (readonly [string, Partial<RolloutStatus>, number])[] = [
    ['a decision that was applied', decided('Extend', '12:50', 'Applied'), 0],
    ['a decision that was refused', decided('Extend', '12:50', 'Refused'), 1],
    ['a decision from before the firing', decided('Extend', '12:39', 'Applied'), 1],
    ['an acknowledgement of another trigger', decided('Acknowledge', '12:50', 'Applied'), 1],
  ];
  for (const [what, known, pages] of answers) {
    test(`${what} ${pages === 0 ? 'meets it' : 'does not'}`, () => {
      const course = harness(setting);
      course.runUntil(T0 + 55 * MINUTE);
      course.status = { ...course.status, ...known };
      course.runUntil(T0 + 100 * MINUTE);
      assert.equal(overdue(course), pages);
    });
  }

  test('is met by an acknowledgement of this trigger', () => {
    const course = harness(setting);
    course.runUntil(T0 + 55 * MINUTE);
    const triggers = course.status.triggers?.map((one) => ({
      ...one,
      acknowledgedBy: 'alice',
      acknowledgedAt: '2026-11-22T12:54:00Z',
    }));
    course.status = { ...course.status, ...(triggers === undefined ? {} : { triggers }) };
    course.runUntil(T0 + 100 * MINUTE);
    assert.equal(overdue(course), 0);
  });
});

function decided(decision: string, at: string, outcome: string): Partial<RolloutStatus> {
  const decidedAt = `2026-11-22T${at}:00Z`;
  return { decisions: [{ decision, by: 'alice', decidedAt, outcome }] };
}
