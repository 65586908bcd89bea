/** No gate and no person stops the watch: whatever holds the schedule, a critical trigger rolls back at its second. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutSpecInput } from '#api/rollout.ts';
import { HOUR, MINUTE, suiteRun, T0, threeSteps } from '#test/builders.ts';
import { EngineHarness } from '#test/engine-harness.ts';

interface Row {
  readonly name: string;
  readonly spec?: Partial<RolloutSpecInput>;
  /** Done at 13:30, at 50 %. */
  readonly act?: (harness: EngineHarness) => void;
  readonly phase: string;
  readonly reason: string;
}

const steps = (full: object) =>
  threeSteps.steps.map((step) => (step.name === 'full' ? { ...step, ...full } : step));

const rows: readonly Row[] = [
  {
    name: 'waiting for an approval',
    spec: { schedule: { ...threeSteps, steps: steps({ approval: {} }) } },
    phase: 'Held',
    reason: 'ApprovalRequired',
  },
  {
    name: 'waiting for an approval that has expired',
    spec: { schedule: { ...threeSteps, steps: steps({ approval: { expiresAfter: '5m' } }) } },
    phase: 'Held',
    reason: 'ApprovalExpired',
  },
  {
    name: 'rejected',
    act: (harness) => harness.decide({ decision: 'Reject', step: 'full' }),
    phase: 'Held',
    reason: 'Rejected',
  },
  {
    name: 'frozen',
    spec: {
      schedule: {
        ...threeSteps,
        freeze: [{ name: 'night', cron: '45 13 * * *', duration: '10h', timeZone: 'UTC' }],
      },
    },
    phase: 'Held',
    reason: 'Frozen',
  },
  {
    name: 'paused by the spec',
    act: (harness) => harness.edit({ paused: true }),
    phase: 'Paused',
    reason: 'Paused',
  },
  {
    name: 'paused by a decision',
    act: (harness) => harness.decide({ decision: 'Pause' }),
    phase: 'Paused',
    reason: 'Paused',
  },
  {
    name: 'paused by a request',
    act: (harness) => harness.annotate('pause t1'),
    phase: 'Paused',
    reason: 'Paused',
  },
  {
    name: 'at a failed checkpoint',
    spec: {
      schedule: {
        ...threeSteps,
        checkpoints: [{ name: 'look', at: '2h', require: ['HealthSuites'] }],
      },
      healthSuites: [
        { name: 'smoke', interval: '5m', timeout: '1m', http: { url: 'http://s/run' } },
      ],
    },
    act: (harness) => {
      harness.world.suite = () => suiteRun({ passed: 9, failed: 1 });
    },
    phase: 'Held',
    reason: 'CheckpointFailed',
  },
  {
    name: 'under a broken edit of the spec',
    act: (harness) =>
      harness.edit({
        triggers: [
          { name: 'errors', severity: 'Critical', query: 'rate(', condition: '> 1', for: '5m' },
        ],
      }),
    phase: 'Progressing',
    reason: '',
  },
];

describe('a critical trigger rolls back at its exact second', () => {
  for (const { name, spec, act, phase, reason } of rows) {
    test(name, () => {
      const harness = new EngineHarness(spec === undefined ? {} : { spec });
      harness.runUntil(T0 + HOUR + 30 * MINUTE);
      act?.(harness);
      harness.runUntil(T0 + 2 * HOUR + 10 * MINUTE);
      if (reason !== '') {
        assert.equal(harness.weight(), 50);
        assert.deepEqual(
          [harness.status.phase, harness.status.holds?.[0]?.reason],
          [phase, reason],
        );
      }
      const brokenAt = harness.now;
      harness.world.series = (_query, atMs) => (atMs >= brokenAt ? 1 : 0);
      harness.runUntil(brokenAt + 5 * MINUTE - 1);
      assert.notEqual(harness.weight(), 0);
      harness.runUntil(brokenAt + 5 * MINUTE);
      assert.equal(harness.weight(), 0);
      assert.deepEqual(harness.writes.at(-1), {
        at: brokenAt + 5 * MINUTE,
        route: 'web',
        weight: 0,
      });
      assert.equal(harness.status.rollback?.trigger, 'errors');
    });
  }
});
