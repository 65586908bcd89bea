/** Ladders with health suites and probes: the rows of examples/genesis-48h.yaml that have them, word for word. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import type { RolloutSpecInput } from '#api/rollout.ts';
import { halfForTenHours, MINUTE, SECOND, suiteFailure, suiteRun, T0 } from '#test/builders.ts';
import { EngineHarness, type World } from '#test/engine-harness.ts';
import { holders, released, story, warned } from '#test/ladder-course.ts';

const example: { readonly spec: RolloutSpecInput } = parse(
  readFileSync(new URL('../../examples/genesis-48h.yaml', import.meta.url), 'utf8'),
);
const { triggers = [], healthSuites = [], analysis } = example.spec;

interface Row {
  readonly name: string;
  readonly trigger: string;
  /** How a run of the suite goes that starts at this minute. */
  readonly suite?: (minute: number) => ReturnType<World['suite']>;
  readonly probe?: (minute: number) => boolean;
  /** The error rate over minutes, in percent. */
  readonly errors?: (minute: number) => number;
  readonly until: number;
  readonly story: readonly string[];
  readonly weight: number;
  readonly holds?: readonly string[];
}

function harness({ trigger, suite, probe, errors }: Row): EngineHarness {
  const chosen = triggers.filter(({ name }) => name === trigger);
  assert.equal(chosen.length, 1, `${trigger} is in the example`);
  const minutes = (atMs: number) => (atMs - T0) / MINUTE;
  return new EngineHarness({
    spec: {
      schedule: halfForTenHours,
      triggers: chosen,
      healthSuites,
      ...(analysis === undefined ? {} : { analysis }),
    },
    world: {
      suite: (_name, nowMs) => suite?.(minutes(nowMs)) ?? suiteRun({ passed: 100 }),
      probe: (_url, nowMs) => probe?.(minutes(nowMs)) ?? true,
      series: (query, atMs) =>
        query.includes('outcome="error"') ? (errors?.(minutes(atMs)) ?? 0) : 100,
    },
  });
}

/** The suite runs every 5m for 20s, so the first bad result of a run at 30 is there at 30:20, and seen at once. */
const bad = (result: ReturnType<World['suite']>) => (minute: number) =>
  minute >= 30 ? result : suiteRun({ passed: 100 });

const rows: readonly Row[] = [
  {
    name: 'service down: investigate a minute, then roll back',
    trigger: 'service-down',
    probe: (minute) => minute < 30,
    until: 60,
    story: [...warned(32), '33 RollbackStarted'],
    weight: 0,
  },
  {
    name: 'service down, and up again within the minute: go on',
    trigger: 'service-down',
    probe: (minute) => minute < 30 || minute >= 32.5,
    until: 60,
    story: [...warned(32), '32.5 TriggerResolved', '32.5 HoldEnded'],
    weight: 50,
  },
  {
    name: 'pass rate low by new failures: hold, run the suite, roll back after half an hour',
    trigger: 'pass-rate-low',
    suite: bad(suiteRun({ passed: 96, failed: 2, flaky: 2 })),
    until: 100,
    story: [...warned(45.5), '50.5 SuiteRequested', '75.5 RollbackStarted', '75.5 ResponseOverdue'],
    weight: 0,
  },
  {
    name: 'pass rate low by known flaky failures only: go on after ten minutes',
    trigger: 'pass-rate-low',
    suite: bad(suiteRun({ passed: 96, flaky: 4 })),
    until: 100,
    story: [...warned(45.5), '50.5 SuiteRequested', ...released(55.5), '75.5 ResponseOverdue'],
    weight: 50,
  },
  {
    name: 'pass rate low, new failures only later: the Continue has not ended the ladder',
    trigger: 'pass-rate-low',
    suite: (minute) =>
      minute < 30
        ? suiteRun({ passed: 100 })
        : suiteRun(minute < 90 ? { passed: 96, flaky: 4 } : { passed: 96, failed: 4 }),
    until: 120,
    story: [
      ...warned(45.5),
      '50.5 SuiteRequested',
      ...released(55.5),
      '75.5 ResponseOverdue',
      // Asked for at 50.5, every 5m since, for 20s: the run of 90.5 is the first that says so.
      `${90 + 50 / 60} RollbackStarted`,
    ],
    weight: 0,
  },
  {
    name: 'pass rate low, then no run of the suite at all: nothing is found, a person is called',
    trigger: 'pass-rate-low',
    suite: (minute) =>
      minute < 30
        ? suiteRun({ passed: 100 })
        : minute < 44
          ? suiteRun({ passed: 96, failed: 4 })
          : suiteFailure('no route to host'),
    holds: ['pass-rate-low', 'production-health'],
    until: 100,
    story: [
      ...warned(45.5),
      // The suite itself, which has failed twice.
      `${50 + 20 / 60} Held`,
      '50.5 SuiteRequested',
      '75.5 ResponseOverdue',
    ],
    weight: 50,
  },
  {
    name: 'error rate raised and worsening: run the suite at once, roll back after half an hour',
    trigger: 'error-rate-raised',
    errors: (minute) => (minute < 30 ? 0 : 0.2 + (minute - 30) * 0.01),
    until: 100,
    story: [
      '40 TriggerFired',
      '40 Held',
      '40 SuiteRequested',
      '40 ResponderNotified',
      '70 RollbackStarted',
      '70 ResponseOverdue',
    ],
    weight: 0,
  },
  {
    name: 'flaky tests: written down, nothing more',
    trigger: 'flaky-tests',
    suite: bad(suiteRun({ passed: 98, flaky: 2 })),
    until: 100,
    story: ['30.5 TriggerFired', '30.5 ResponderNotified'],
    weight: 50,
  },
];

describe('of the decision matrix:', () => {
  for (const row of rows) {
    test(row.name, () => {
      const course = harness(row);
      course.runUntil(T0 + row.until * MINUTE);
      // Before the first result of the suite nothing is known of it: that is no matter of the ladder.
      assert.deepEqual(story(course, T0 + MINUTE + 1), row.story);
      assert.equal(course.weight(), row.weight);
      assert.deepEqual(holders(course), row.holds ?? []);
    });
  }
});

describe('a suite that a ladder asks for', () => {
  const row: Row = {
    name: '',
    trigger: 'pass-rate-low',
    suite: bad(suiteRun({ passed: 96, flaky: 4 })),
    until: 100,
    story: [],
    weight: 50,
  };
  const askedAt = T0 + 50.5 * MINUTE;
  const runsFrom = (course: EngineHarness, fromMs: number) =>
    course.timeline
      .filter(({ at, actions }) => at >= fromMs && actions.includes('RunSuite'))
      .map(({ at }) => (at - T0) / MINUTE);

  test('starts at the very second, once, and its next run by interval follows from it', () => {
    const course = harness(row);
    course.runUntil(T0 + 62 * MINUTE);
    assert.deepEqual(runsFrom(course, T0 + 50 * MINUTE), [50, 50.5, 55.5, 60.5]);
  });

  test('is started after all when the process dies between the status and the run', () => {
    const course = harness(row);
    course.runUntil(askedAt - SECOND);
    course.now = askedAt;
    course.crashNext = 'beforeActions';
    course.look();
    course.nextAt = askedAt + SECOND;
    course.runUntil(T0 + 54 * MINUTE);
    const requested = course.events.filter(({ reason }) => reason === 'SuiteRequested');
    assert.equal(requested.length, 1);
    assert.deepEqual(runsFrom(course, askedAt + 1), [50.5 + 1 / 60]);
  });

  test('waits for one that is under way, which began too early to say what is wrong now', () => {
    const course = harness({
      ...row,
      suite: (minute) =>
        minute >= 30
          ? suiteRun({ passed: 96, flaky: 4, tookMs: 2 * MINUTE })
          : suiteRun({ passed: 100 }),
    });
    // True from 32:00 on, fires at 47, asks at 52: the run of 50 ends at 52.
    course.runUntil(T0 + 60 * MINUTE);
    assert.equal(course.trigger('pass-rate-low')?.firingAt, '2026-11-22T12:47:00Z');
    assert.deepEqual(runsFrom(course, T0 + 50 * MINUTE), [50, 52, 57]);
  });
});
