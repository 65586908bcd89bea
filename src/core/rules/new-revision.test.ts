/** A new revision at every phase of a run, under each of Restart, Queue and Reject. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HOUR, MINUTE, SECOND, T0, threeSteps } from '#test/builders.ts';
import { EngineHarness } from '#test/engine-harness.ts';

type Policy = 'Restart' | 'Queue' | 'Reject';

interface Stage {
  readonly phase: string;
  readonly reach: (harness: EngineHarness) => void;
  /** The run has ended: whatever the policy, the new revision starts. */
  readonly hasEnded?: boolean;
  /** Nothing makes a run of it that goes on. */
  readonly isGoingBack?: boolean;
}

const fail = (harness: EngineHarness): void => {
  const from = harness.now;
  harness.world.series = (_query, atMs) => (atMs >= from && atMs < from + HOUR ? 1 : 0);
};

const stages: readonly Stage[] = [
  {
    phase: 'Preflight',
    reach: (harness) => {
      harness.world.ready = (arm) => (arm === 'canary' ? 0 : 2);
      harness.runUntil(T0 + MINUTE);
    },
  },
  { phase: 'Progressing', reach: (harness) => harness.runUntil(T0 + 90 * MINUTE) },
  {
    phase: 'Held',
    reach: (harness) => {
      harness.runUntil(T0 + 90 * MINUTE);
      harness.decide({ decision: 'Reject', step: 'full' });
      harness.runUntil(T0 + 150 * MINUTE);
    },
  },
  {
    phase: 'Paused',
    reach: (harness) => {
      harness.runUntil(T0 + 90 * MINUTE);
      harness.decide({ decision: 'Pause' });
      harness.runFor(MINUTE);
    },
  },
  { phase: 'Monitoring', reach: (harness) => harness.runUntil(T0 + 190 * MINUTE) },
  {
    phase: 'RollingBack',
    isGoingBack: true,
    reach: (harness) => {
      harness.runUntil(T0 + 90 * MINUTE);
      harness.world.write = () => 'lost';
      fail(harness);
      harness.runFor(5 * MINUTE + SECOND);
    },
  },
  {
    phase: 'RolledBack',
    hasEnded: true,
    reach: (harness) => {
      harness.runUntil(T0 + 90 * MINUTE);
      harness.decide({ decision: 'Abort' });
      harness.runFor(30 * MINUTE);
    },
  },
  { phase: 'Succeeded', hasEnded: true, reach: (harness) => harness.runUntil(T0 + 5 * HOUR) },
];

function reached(stage: Stage, onNewRevision: Policy): EngineHarness {
  const spec = { schedule: threeSteps, onNewRevision, success: { thenMonitorFor: '1h' } } as const;
  const harness = new EngineHarness({ spec });
  stage.reach(harness);
  assert.equal(harness.status.phase, stage.phase);
  harness.edit({ revision: 'v3' });
  harness.runFor(30 * SECOND);
  return harness;
}

/** Whatever stood in the way is mended. */
function mend(harness: EngineHarness): void {
  harness.world.ready = () => 2;
  harness.world.write = () => 'done';
  harness.world.series = () => 0;
}

describe('a new revision', () => {
  for (const stage of stages) {
    const { phase, hasEnded = false, isGoingBack = false } = stage;

    test(`under Restart in ${phase} ${isGoingBack ? 'waits until stable has all' : 'starts over from weight 0'}`, () => {
      const harness = reached(stage, 'Restart');
      assert.equal(harness.status.revision, isGoingBack ? 'v2' : 'v3');
      if (!isGoingBack && !hasEnded) assert.equal(harness.weight(), 0);
      mend(harness);
      harness.runFor(2 * HOUR);
      assert.equal(harness.status.revision, 'v3');
      const ended = isGoingBack || phase === 'RolledBack' ? 'RolledBack' : 'Superseded';
      const outcome = phase === 'Succeeded' ? 'Succeeded' : ended;
      assert.equal(harness.status.history?.[0]?.outcome, outcome);
    });

    test(`under Queue in ${phase} ${hasEnded ? 'starts' : 'waits until the run has ended'}`, () => {
      const harness = reached(stage, 'Queue');
      assert.equal(harness.status.revision, hasEnded ? 'v3' : 'v2');
      if (!hasEnded) assert.equal(harness.condition('Accepted')?.reason, 'RevisionQueued');
      mend(harness);
      if (!hasEnded && !isGoingBack) harness.decide({ decision: 'Abort' });
      harness.runFor(HOUR);
      assert.equal(harness.status.revision, 'v3');
    });

    test(`under Reject in ${phase} ${hasEnded ? 'starts' : 'is turned away for good'}`, () => {
      const harness = reached(stage, 'Reject');
      assert.equal(harness.status.revision, hasEnded ? 'v3' : 'v2');
      if (hasEnded) return;
      assert.equal(harness.condition('Accepted')?.reason, 'RevisionRejected');
      mend(harness);
      if (!isGoingBack) harness.decide({ decision: 'Abort' });
      harness.runFor(HOUR);
      assert.equal(harness.status.revision, 'v2');
      assert.equal(harness.status.phase, 'RolledBack');
      assert.equal(harness.condition('Stalled')?.reason, 'RevisionRejected');
      assert.equal(harness.condition('Ready')?.reason, 'RevisionRejected');
    });
  }
});
