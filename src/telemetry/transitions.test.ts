import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutStatus } from '#api/status.ts';
import { type Transition, transitions } from './transitions.ts';

const t0 = '2026-11-22T12:00:00.000Z';
const nowMs = Date.parse(t0) + 2_500;

const running: RolloutStatus = {
  runId: 'r1',
  phase: 'Progressing',
  routes: [{ kind: 'HTTPRoute', name: 'shop', weight: 50, drift: 1 }],
};

const rollback = {
  trigger: 'error-rate',
  reason: 'TriggerFiring',
  message: 'error-rate fires',
  startedAt: t0,
  slaDeadline: t0,
  stages: [],
};

function rollingBack(weight: number, more: RolloutStatus = {}): RolloutStatus {
  const routes = [{ kind: 'HTTPRoute', name: 'shop', weight, drift: 1 }];
  return { ...running, phase: 'RollingBack', routes, rollback, ...more };
}

const firing = {
  triggers: [
    {
      name: 'error-rate',
      severity: 'Critical',
      state: 'Firing',
      firingAt: '2026-11-22T11:59:59.500Z',
    },
  ],
};

describe('what happened between two statuses', () => {
  const rows: readonly {
    readonly name: string;
    readonly before: RolloutStatus;
    readonly after: RolloutStatus;
    readonly want: readonly Transition[];
  }[] = [
    { name: 'nothing', before: running, after: running, want: [] },
    {
      name: 'a message changed',
      before: running,
      after: { ...running, message: 'later' },
      want: [],
    },
    {
      name: 'a rollback began',
      before: running,
      after: rollingBack(50),
      want: [{ type: 'rollbackBegun', reason: 'TriggerFiring' }],
    },
    {
      name: 'a rollback goes on',
      before: rollingBack(50),
      after: rollingBack(20),
      want: [],
    },
    {
      name: 'traffic stopped',
      before: rollingBack(50),
      after: rollingBack(0, firing),
      want: [{ type: 'trafficStopped', sinceDecisionMs: 2_500, sinceFiringMs: 3_000 }],
    },
    {
      name: 'traffic stopped in a rollback that a person asked for',
      before: rollingBack(50),
      after: rollingBack(0),
      want: [{ type: 'trafficStopped', sinceDecisionMs: 2_500, sinceFiringMs: undefined }],
    },
    {
      name: 'traffic has not stopped while one route cannot be read',
      before: rollingBack(50),
      after: rollingBack(0, {
        routes: [
          { kind: 'HTTPRoute', name: 'shop', weight: 0 },
          { kind: 'HTTPRoute', name: 'other', weight: 0, problem: 'refused' },
        ],
      }),
      want: [],
    },
    {
      name: 'a rollback ended; its traffic had stopped before',
      before: rollingBack(0),
      after: rollingBack(0, { phase: 'RolledBack' }),
      want: [],
    },
    {
      name: 'a rollback ended with its only route gone',
      before: rollingBack(50),
      after: rollingBack(50, { phase: 'RolledBack' }),
      want: [{ type: 'trafficStopped', sinceDecisionMs: 2_500, sinceFiringMs: undefined }],
    },
    {
      name: 'a run that had no traffic is rolled back: there is nothing to stop',
      before: {
        ...running,
        routes: [{ kind: 'HTTPRoute', name: 'shop', weight: 0, drift: 1 }],
      },
      after: rollingBack(0),
      want: [{ type: 'rollbackBegun', reason: 'TriggerFiring' }],
    },
    {
      name: 'a later rollback of another run',
      before: rollingBack(0, { phase: 'RolledBack' }),
      after: {
        ...rollingBack(50),
        runId: 'r2',
        rollback: { ...rollback, startedAt: '2026-11-22T13:00:00.000Z', reason: 'Aborted' },
      },
      want: [{ type: 'rollbackBegun', reason: 'Aborted' }],
    },
    {
      name: 'a run succeeded',
      before: { ...running, phase: 'Monitoring' },
      after: { ...running, phase: 'Succeeded' },
      want: [{ type: 'promoted' }],
    },
    {
      name: 'a run that has succeeded is looked at again',
      before: { ...running, phase: 'Succeeded' },
      after: { ...running, phase: 'Succeeded' },
      want: [],
    },
    {
      name: 'two writers drifted',
      before: running,
      after: {
        ...running,
        routes: [
          { kind: 'HTTPRoute', name: 'shop', weight: 20, drift: 2 },
          { kind: 'GRPCRoute', name: 'shop', weight: 20, drift: 1 },
        ],
      },
      want: [{ type: 'drifted', count: 2 }],
    },
    {
      name: 'a new run counts its drift anew',
      before: running,
      after: { ...running, runId: 'r2', routes: [] },
      want: [],
    },
  ];
  for (const { name, before, after, want } of rows) {
    test(name, () => assert.deepEqual(transitions(before, after, nowMs), want));
  }
});
