/** Response ladders through the whole engine: what follows from a firing trigger, to the second. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MINUTE, T0, type TriggerInput } from '#test/builders.ts';
import type { EngineHarness } from '#test/engine-harness.ts';
import {
  cpuHigh,
  errorRateRaised,
  holders,
  ladderCourse,
  langmemLeak,
  memoryHigh,
  released,
  type Setting,
  serviceDown,
  since,
  story,
  warned,
} from '#test/ladder-course.ts';

interface Row extends Setting {
  readonly name: string;
  readonly until: number;
  readonly story: readonly string[];
  /** Canary's share at the end, and who still holds. */
  readonly weight: number;
  readonly holds?: readonly string[];
  readonly prepare?: (course: EngineHarness) => void;
}

type Values = (minute: number) => number;

/** A trigger by itself, with its values from the breach on. */
function alone(trigger: TriggerInput, until: number, values: Values) {
  return { triggers: [trigger], series: since(values), until };
}

/** service-down with what differs from the example; down for good, or as `values` say. */
function down(change: Partial<TriggerInput> = {}, values: Values = () => 0) {
  return { triggers: [{ ...serviceDown, ...change }], series: since(values, 1), until: 60 };
}

/** Two triggers that begin to hold at the same moment. */
const bothWarned = (minute: number) => warned(minute).flatMap((line) => [line, line]);

const rolledBack = { weight: 0 };
const goesOn = { weight: 50 };
const heldBy = (trigger: string) => ({ weight: 50, holds: [trigger] });

const rows: readonly Row[] = [
  {
    name: 'service down: investigate a minute, then roll back',
    ...down(),
    story: [...warned(32), '33 RollbackStarted'],
    ...rolledBack,
  },
  {
    name: 'service down, and up again within the minute: nothing is left of it',
    ...down({}, (m) => (m < 2.5 ? 0 : 1)),
    story: [...warned(32), '32.5 TriggerResolved', '32.5 HoldEnded'],
    ...goesOn,
  },
  {
    name: 'service down again later: a new firing, and everything anew',
    ...down({}, (m) => (m < 2.5 || m >= 10 ? 0 : 1)),
    story: [
      ...warned(32),
      '32.5 TriggerResolved',
      '32.5 HoldEnded',
      ...warned(42),
      '43 RollbackStarted',
    ],
    ...rolledBack,
  },
  {
    name: 'service down, up again, with keepFiringFor: it still fires, so the ladder goes on',
    ...down({ keepFiringFor: '5m' }, (m) => (m < 2.5 ? 0 : 1)),
    story: [...warned(32), '33 RollbackStarted'],
    ...rolledBack,
  },
  {
    name: 'service down, then Prometheus as well: what has fired goes its way',
    ...down({}, (m) => (m < 2.5 ? 0 : Number.NaN)),
    story: [...warned(32), '33 RollbackStarted'],
    ...rolledBack,
  },
  {
    name: 'a warning that worsens: hold, then roll back, and nobody had answered',
    ...alone(errorRateRaised, 90, (m) => 0.002 + m * 0.0001),
    story: [...warned(40), '70 RollbackStarted', '70 ResponseOverdue'],
    ...rolledBack,
  },
  {
    name: 'a warning that improves: hold, then go on, still firing',
    ...alone(errorRateRaised, 90, (m) => 0.1 - m * 0.0001),
    story: [...warned(40), ...released(70), '70 ResponseOverdue'],
    ...goesOn,
  },
  {
    name: 'a warning that is steady: it waits, and a person is called',
    ...alone(errorRateRaised, 90, () => 0.002),
    story: [...warned(40), '70 ResponseOverdue'],
    ...heldBy('error-rate-raised'),
  },
  {
    name: 'a warning that is steady at its moment and worsens later: rolled back when it does',
    // Ten minutes' least squares reach a tenth of the threshold a few minutes after the turn.
    ...alone(errorRateRaised, 120, (m) => 0.002 + Math.max(0, m - 50) * 0.0001),
    story: [...warned(40), '70 ResponseOverdue', '82 RollbackStarted'],
    ...rolledBack,
  },
  {
    name: 'a warning that goes on and worsens after that: the Continue has not ended the ladder',
    ...alone(errorRateRaised, 120, (m) => (m < 45 ? 0.1 - m * 0.0001 : 0.0955 + (m - 45) * 0.001)),
    story: [...warned(40), ...released(70), '70 ResponseOverdue', '77 RollbackStarted'],
    ...rolledBack,
  },
  {
    name: 'cpu high and steady: go on',
    ...alone(cpuHigh, 120, () => 0.9),
    story: [...warned(45), ...released(75), '75 ResponseOverdue'],
    ...goesOn,
  },
  {
    name: 'cpu high and improving: go on',
    ...alone(cpuHigh, 100, (m) => 1.6 - m * 0.01),
    story: [...warned(45), ...released(75), '75 ResponseOverdue'],
    ...goesOn,
  },
  {
    name: 'cpu high and worsening: it stays where it is',
    ...alone(cpuHigh, 120, (m) => 0.9 + m * 0.01),
    story: [...warned(45), '75 ResponseOverdue'],
    ...heldBy('cpu-high'),
  },
  {
    name: 'memory high and worsening: roll back',
    ...alone({ ...memoryHigh, respondWithin: '2h' }, 120, (m) => 0.81 + m * 0.01),
    story: [...warned(45), '75 RollbackStarted'],
    ...rolledBack,
  },
  {
    name: 'memory high and steady: go on; a Warning calls after 30m of itself',
    ...alone(memoryHigh, 120, () => 0.9),
    story: [...warned(45), ...released(75), '75 ResponseOverdue'],
    ...goesOn,
  },
  {
    name: 'a leak: roll back after half an hour, whatever its trend',
    ...alone({ ...langmemLeak, respondWithin: '31m' }, 120, () => 2e6),
    story: [...warned(45), '75 RollbackStarted'],
    ...rolledBack,
  },
  {
    name: 'a leak that ends within half an hour: the hold is taken back',
    ...alone(langmemLeak, 120, (m) => (m < 40 ? 2e6 : 0)),
    story: [...warned(45), '70 TriggerResolved', '70 HoldEnded'],
    ...goesOn,
  },
  {
    name: 'Info: written down, nothing more',
    triggers: [{ name: 'raised', severity: 'Info', query: 'q', condition: '> 1', for: '10m' }],
    series: since(() => 2),
    until: 120,
    story: ['40 TriggerFired', '40 ResponderNotified'],
    ...goesOn,
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
    ...rolledBack,
  },
  {
    name: 'several at once, each with its own ladder: a Continue takes back its own hold only',
    triggers: [errorRateRaised, { ...cpuHigh, for: '10m' }],
    series: (minute, metric) => since(() => (metric === 'cpu' ? 0.9 : 0.002))(minute),
    until: 90,
    story: [...bothWarned(40), '70 ResponseOverdue', '70 HoldLifted', '70 ResponseOverdue'],
    ...heldBy('error-rate-raised'),
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
      ...bothWarned(40),
      '70 RollbackStarted',
      '70 HoldLifted',
      '70 ResponseOverdue',
      '70 ResponseOverdue',
    ],
    ...rolledBack,
  },
  {
    name: 'Rollback and Notify at once: both; Hold and Continue beside them are left out',
    ...down({
      onFiring: [
        { action: 'Continue' },
        { action: 'Hold' },
        { action: 'Notify' },
        { action: 'Rollback' },
      ],
    }),
    until: 40,
    story: ['32 TriggerFired', '32 RollbackStarted', '32 ResponderNotified'],
    ...rolledBack,
  },
  {
    name: 'Hold and Continue at one moment: Hold has the last word',
    ...down({
      onFiring: [
        { action: 'Hold', after: '5m' },
        { action: 'Continue', after: '5m' },
      ],
    }),
    story: ['32 TriggerFired', '37 Held'],
    ...heldBy('service-down'),
  },
  {
    name: 'Hold, Continue, Hold: each at its moment',
    ...down({
      onFiring: [
        { action: 'Hold' },
        { action: 'Continue', after: '5m' },
        { action: 'Hold', after: '10m' },
      ],
    }),
    story: ['32 TriggerFired', '32 Held', ...released(37), '42 Held'],
    ...heldBy('service-down'),
  },
  {
    name: 'a Continue before any hold has had its turn: it does not take back a later one',
    ...down({
      onFiring: [
        { action: 'Continue', after: '1m' },
        { action: 'Hold', after: '5m' },
      ],
    }),
    story: ['32 TriggerFired', '37 Held'],
    ...heldBy('service-down'),
  },
  {
    name: 'a rung between two evaluations comes at its very second',
    ...down({ for: '2m7s', onFiring: [{ action: 'Rollback', after: '1m1s' }] }),
    story: [`${32 + 7 / 60} TriggerFired`, `${33 + 8 / 60} RollbackStarted`],
    ...rolledBack,
  },
  {
    name: 'too young a run has no trend: the rung waits until it has one',
    triggers: [
      { ...errorRateRaised, for: '1m', onFiring: [{ action: 'Rollback', when: 'Worsening' }] },
    ],
    series: (minute) => 0.002 + minute * 0.001,
    until: 20,
    story: ['1 TriggerFired', '5 RollbackStarted'],
    ...rolledBack,
  },
  {
    name: 'a ladder whose rungs are missed by a pause of the spec goes on all the same',
    ...alone(langmemLeak, 120, () => 2e6),
    prepare: (course) => course.edit({ paused: true }),
    story: ['0 Held', ...warned(45), '75 RollbackStarted', '75 ResponseOverdue'],
    ...rolledBack,
  },
];

describe('what follows from a firing trigger:', () => {
  for (const { name, until, story: expected, weight, holds = [], prepare, ...setting } of rows) {
    test(name, () => {
      const course = ladderCourse(setting);
      if (prepare !== undefined) {
        course.runUntil(T0);
        prepare(course);
      }
      course.runUntil(T0 + until * MINUTE);
      assert.deepEqual(story(course), expected);
      assert.equal(course.weight(), weight);
      assert.deepEqual(holders(course), holds);
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
  const chosen = rows.filter(
    ({ prepare, triggers }) => prepare === undefined && triggers.length === 1,
  );
  for (const { name, until, ...setting } of chosen) {
    test(`at every moment of "${name}" changes nothing of it`, () => {
      const whole = ladderCourse(setting);
      whole.runUntil(T0 + until * MINUTE);
      const broken = ladderCourse(setting);
      broken.runThroughCrashes(T0 + until * MINUTE);
      assert.deepEqual(ending(broken), ending(whole));
    });
  }

  test('and is away while rungs fall due carries them out in their order when it is back', () => {
    const course = ladderCourse(
      down({
        onFiring: [{ action: 'Hold' }, { action: 'Notify' }, { action: 'Continue', after: '5m' }],
      }),
    );
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

test('a breach that began while nobody could ask fires when it is seen, and its ladder begins then', () => {
  const course = ladderCourse(down());
  course.runUntil(T0 + 25 * MINUTE);
  course.world.fault = (nowMs) => (nowMs < T0 + 50 * MINUTE ? 'unreachable' : undefined);
  course.runUntil(T0 + 50 * MINUTE);
  assert.equal(course.trigger('service-down')?.firingAt, '2026-11-22T12:50:00Z');
  assert.equal(course.status.phase, 'Held');
  course.runUntil(T0 + 51 * MINUTE);
  assert.equal(course.status.rollback?.startedAt, '2026-11-22T12:51:00Z');
});

test('in a steady state with a rung that waits for its trend nothing is written', () => {
  const course = ladderCourse(alone(errorRateRaised, 175, () => 0.002));
  course.runUntil(T0 + 75 * MINUTE);
  const { statusWrites, events } = course;
  const told = events.length;
  course.runUntil(T0 + 175 * MINUTE);
  assert.equal(course.statusWrites, statusWrites);
  assert.equal(course.events.length, told);
});
