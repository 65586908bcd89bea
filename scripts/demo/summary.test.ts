/** The summary says what was seen, and does not let a promise pass that was not kept. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { RolloutStatus } from '#api/status.ts';
import type { Observation, Response } from './observation.ts';
import { plain } from './paint.ts';
import { type Expectation, type RunExpectation, summarize } from './summary.ts';
import { renderSummary } from './summary-text.ts';

const startMs = Date.parse('2026-01-01T12:00:00.000Z');
const at = (seconds: number) => startMs + seconds * 1_000;
const iso = (seconds: number) => new Date(at(seconds)).toISOString();

const point = (name: string, weight: number, seconds: number) => ({
  name,
  kind: 'Step',
  weight,
  dueAt: iso(seconds),
  passedAt: iso(seconds),
});

/** 100 requests a second from 0 to `until`, of which `share(second)` percent go to v2. */
function requests(until: number, share: (second: number) => number): Response[] {
  return Array.from({ length: until * 100 }, (_, index) => {
    const sentAtMs = at(index / 100);
    const version = index % 100 < share(index / 100) ? 'v2' : 'v1';
    return { sentAtMs, receivedAtMs: sentAtMs + 10, version, status: 200 };
  });
}

interface Given {
  readonly status: RolloutStatus;
  readonly weights: readonly (readonly [number, number])[];
  readonly share: (second: number) => number;
  readonly until: number;
  readonly fault?: number;
}

function observe({ status, weights, share, until, fault }: Given): Observation {
  return {
    version: 'v2',
    responses: requests(until, share),
    weights: weights.map(([second, weight]) => ({ seenAtMs: at(second), weight })),
    statuses: [{ seenAtMs: at(until), status }],
    faultAtMs: fault === undefined ? undefined : at(fault),
  };
}

const good: Given = {
  status: {
    phase: 'Succeeded',
    startedAt: iso(0),
    finishedAt: iso(60),
    plan: [point('dark', 0, 0), point('half', 50, 20), point('full', 100, 40)],
  },
  weights: [
    [-1, 0],
    [20, 50],
    [40, 100],
  ],
  share: (second) => (second < 20 ? 0 : second < 40 ? 50 : 100),
  until: 60,
};

const bad: Given = {
  status: {
    phase: 'RolledBack',
    startedAt: iso(0),
    finishedAt: iso(44),
    plan: [point('dark', 0, 0), point('half', 50, 20)],
    triggers: [{ name: 'error-rate', severity: 'Critical', state: 'Firing', firingAt: iso(37) }],
    rollback: {
      trigger: 'error-rate',
      reason: 'TriggerFiring',
      message: 'error-rate 20% > 0.5% for 5s since 12:00:32 (query x)',
      startedAt: iso(37.1),
      slaDeadline: iso(900),
      stages: [],
    },
  },
  weights: [
    [-1, 0],
    [20, 50],
    [37.5, 0],
  ],
  share: (second) => (second < 20 || second >= 37.8 ? 0 : 50),
  until: 60,
  fault: 30,
};

const wantGood: RunExpectation = { run: 1, outcome: 'Succeeded', endedAtMs: at(60) };
const wantBad: RunExpectation = { run: 2, outcome: 'RolledBack', endedAtMs: at(60) };
const failures = (list: readonly Expectation[]) => list.filter(({ passed }) => !passed);

describe('a good run', () => {
  const summary = summarize(observe(good), wantGood);

  test('has a share for every step, over the requests between its weight and the next', () => {
    assert.deepEqual(
      summary.steps.map(({ name, asked, percent, requests }) => [name, asked, percent, requests]),
      [
        ['dark', 0, 0, 2_000],
        ['half', 50, 50, 2_000],
        ['full', 100, 100, 2_000],
      ],
    );
  });

  test('keeps every promise', () => {
    assert.deepEqual(failures(summary.expectations), []);
    assert.equal(summary.expectations.length, 4);
    assert.equal(summary.durationMs, 60_000);
  });
});

describe('a run that is rolled back', () => {
  const summary = summarize(observe(bad), wantBad);

  test('has the times from fault to firing, to weight 0, to canary’s last answer', () => {
    assert.equal(summary.rollback?.faultToFiringMs, 7_000);
    assert.equal(summary.rollback.firingToWeightZeroMs, 500);
    // The last request to canary was sent at 37.5 (its share is the first half of each second).
    assert.equal(summary.rollback.firingToLastCanaryResponseMs, 500);
  });

  test('counts the time after the rollback as a step that asks for 0', () => {
    assert.deepEqual(
      summary.steps.map(({ name, asked, percent }) => [name, asked, percent]),
      [
        ['dark', 0, 0],
        ['half', 50, 51.42857142857143],
        ['rolled back', 0, 0],
      ],
    );
  });

  test('keeps every promise', () => {
    assert.deepEqual(failures(summary.expectations), []);
  });
});

describe('a promise that was not kept is said so', () => {
  const rows: readonly (readonly [string, Given, RunExpectation, RegExp])[] = [
    [
      'another outcome',
      { ...good, status: { ...good.status, phase: 'Held', message: 'no reading' } },
      wantGood,
      /^run 1 ends Succeeded: Held: no reading$/,
    ],
    [
      'a share six points off',
      { ...good, share: (second) => (second < 20 ? 0 : second < 40 ? 56 : 100) },
      wantGood,
      /^run 1: measured share within 5 points of the asked 50% \(half\): 56\.0% of 2000 requests$/,
    ],
    [
      'too few requests',
      { ...good, until: 45 },
      { ...wantGood, endedAtMs: at(45) },
      /\(full\): 100\.0% of 500 requests, fewer than 1000$/,
    ],
    [
      'a step that was never reached',
      { ...good, status: { ...good.status, plan: [point('dark', 0, 0), point('half', 50, 20)] } },
      wantGood,
      /^run 1: the route goes through 3 weights: 2: dark, half$/,
    ],
    [
      'a route that was late',
      {
        ...bad,
        weights: [
          [-1, 0],
          [20, 50],
          [39.25, 0],
        ],
        share: (second) => (second < 20 || second >= 39.25 ? 0 : 50),
      },
      wantBad,
      /^run 2: bad version at 0% within 2 s of its trigger having held: 2\.25 s$/,
    ],
    [
      'canary answers after the rollback',
      { ...bad, share: (second) => (second < 20 ? 0 : second < 38 ? 50 : 10) },
      wantBad,
      /\(rolled back\): 9\.8% of 2250 requests$/,
    ],
  ];
  for (const [name, given, want, sentence] of rows) {
    test(name, () => {
      const missed = failures(summarize(observe(given), want).expectations);
      assert.equal(missed.length, 1, JSON.stringify(missed));
      assert.match(`${missed[0]?.sentence}: ${missed[0]?.seen}`, sentence);
    });
  }

  test('a rollback that never came is late as well', () => {
    const never = { ...good, weights: good.weights };
    const missed = failures(summarize(observe(never), wantBad).expectations);
    assert.deepEqual(
      missed.map(({ seen }) => seen),
      ['Succeeded: ', 'it never was'],
    );
  });
});

test('the text has every figure and one line for each promise', () => {
  const runs = [summarize(observe(good), wantGood), summarize(observe(bad), wantBad)];
  const text = renderSummary(runs, plain).join('\n');
  assert.match(text, /^Run 1, v2: Succeeded after 60 s; 6,000 requests, 0 failed$/m);
  assert.match(text, /^ {2}half +50% +50\.0% +2,000$/m);
  assert.match(text, /^ {2}because error-rate 20% > 0\.5% for 5s since 12:00:32$/m);
  assert.match(text, /^ {2}firing to route at 0% +0\.50 s$/m);
  assert.equal(text.match(/^PASS {2}/gm)?.length, 9);
  assert.doesNotMatch(text, /FAIL/);
});
