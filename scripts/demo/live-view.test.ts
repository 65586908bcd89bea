/** The picture of a moment, from a status as the operator writes it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { RolloutStatus } from '#api/status.ts';
import { liveView } from './live-view.ts';
import { rolloutObject } from './objects.ts';
import type { Observation } from './observation.ts';
import { planDemo } from './plan.ts';

const startMs = Date.parse('2026-01-01T12:00:00.000Z');
const at = (seconds: number) => startMs + seconds * 1_000;
const iso = (seconds: number) => new Date(at(seconds)).toISOString();
const plan = planDemo({ isShort: false, scrapeIntervalMs: 1_000 });
const rollout = rolloutObject({
  namespace: 'shop',
  revision: 'v2',
  roles: { stable: 'blue', canary: 'green' },
  plan,
});

const ready = (reason: string) => [
  { type: 'Ready', status: 'False', reason, message: '', lastTransitionTime: iso(0) },
];

const status: RolloutStatus = {
  phase: 'Progressing',
  message: 'next is full (100%)',
  startedAt: iso(0),
  preflightPassedAt: iso(0.2),
  step: 'half',
  conditions: ready('Waiting'),
  plan: [
    { name: 'dark', kind: 'Step', weight: 0, dueAt: iso(0), passedAt: iso(0.3) },
    { name: 'half', kind: 'Step', weight: 50, dueAt: iso(25), passedAt: iso(25.1) },
    { name: 'full', kind: 'Step', weight: 100, dueAt: iso(65) },
    { name: 'end', kind: 'End', dueAt: iso(100) },
  ],
  triggers: [
    {
      name: 'error-rate',
      severity: 'Critical',
      state: 'Pending',
      activeAt: iso(38),
      gapMs: 1_000,
      value: '0.1',
    },
    { name: 'latency', severity: 'Critical', state: 'Inactive', value: '0.009' },
    { name: 'canary-down', severity: 'Critical', state: 'Inactive' },
  ],
};

const seen: Observation = {
  version: 'v2',
  responses: Array.from({ length: 8_000 }, (_, index) => ({
    sentAtMs: at(index / 200),
    receivedAtMs: at(index / 200) + 5,
    version: index % 2 === 0 ? 'v1' : 'v2',
    status: index % 10 === 1 ? 500 : 200,
  })),
  weights: [
    { seenAtMs: at(-1), weight: 0 },
    { seenAtMs: at(25), weight: 50 },
  ],
  statuses: [
    {
      seenAtMs: at(0.1),
      status: { message: 'run started (query x)', conditions: ready('RunStarted') },
    },
    { seenAtMs: at(25), status: { message: 'entering', conditions: ready('EnteringStep') } },
    {
      seenAtMs: at(25.05),
      status: { message: 'waiting until', conditions: ready('RouteNotSettled') },
    },
    { seenAtMs: at(25.1), status },
    { seenAtMs: at(26), status },
  ],
  faultAtMs: at(37),
};

const view = liveView({
  title: 'Run',
  nowMs: at(40),
  rollout,
  plan,
  seen,
  values: new Map([['error-rate', 0.1973]]),
});

test('asked, route and measured are three sources', () => {
  assert.deepEqual(
    [view.asked, view.onRoute, view.measured],
    [50, 50, { percent: 50, requestsPerSecond: 200, failedPercent: 10 }],
  );
});

test('a rollback asks for 0', () => {
  const rollback = {
    reason: '',
    message: '',
    startedAt: iso(39),
    slaDeadline: iso(900),
    stages: [],
  };
  const statuses = [{ seenAtMs: at(39), status: { ...status, rollback } }];
  const input = { title: '', nowMs: at(40), rollout, plan, values: new Map() };
  assert.equal(liveView({ ...input, seen: { ...seen, statuses } }).asked, 0);
});

test('triggers have the operator’s newest value, else the one in the status, and the time at which they fire', () => {
  assert.deepEqual(view.triggers, [
    {
      name: 'error-rate',
      state: 'Pending',
      value: '19.73%',
      rule: '> 0.5% for 5s',
      // Held since 38, of which a second was not seen.
      firesAtMs: at(44),
    },
    {
      name: 'latency',
      state: 'Inactive',
      value: '9ms',
      rule: '> 500ms for 10s',
      firesAtMs: undefined,
    },
    {
      name: 'canary-down',
      state: 'Inactive',
      value: undefined,
      rule: 'no Ready endpoint',
      firesAtMs: undefined,
    },
  ]);
});

test('decisions stand in order of time, each once, without queries', () => {
  assert.deepEqual(
    view.decisions.map(({ atMs, text }) => [(atMs - startMs) / 1_000, text]),
    [
      [0.1, 'RunStarted      run started'],
      [0.2, 'PreflightPassed every trigger has a reading'],
      [0.3, 'StepEntered     step dark: 0% read back from the route'],
      [25, 'EnteringStep    entering'],
      [25.1, 'StepEntered     step half: 50% read back from the route'],
      [37, "(the demo)      lets 20% of v2's answers fail from now on"],
    ],
  );
});
