/** The clocks of a rollback. Before there is one they stand at 0, so that whoever watches them sees that they are there. */

import type { RollbackStageName } from '#api/rollback.ts';
import type { RolloutStatus } from '#api/status.ts';
import { type Family, sample } from './series-family.ts';

/** In their order; a stage that is left out here does not compile. */
const stages: Readonly<Record<RollbackStageName, true>> = {
  StopTraffic: true,
  Verify: true,
  Restore: true,
  Stabilize: true,
  Report: true,
};

export const rollbackFamilies: readonly Family[] = [
  {
    name: 'genesis_rollback_sla_seconds',
    samples: ({ seen: { run } }) => (run === undefined ? [] : [['', run.rollback.slaMs / 1000]]),
  },
  {
    name: 'genesis_rollback_elapsed_seconds',
    samples: ({ seen: { run, status } }, nowMs) =>
      run === undefined ? [] : [['', elapsedSeconds(status, nowMs)]],
  },
  {
    name: 'genesis_rollback_stage_seconds',
    samples: ({ seen: { run, status } }, nowMs) =>
      run === undefined
        ? []
        : Object.keys(stages).map((stage) =>
            sample([['stage', stage]], stageSeconds(status, stage, nowMs)),
          ),
  },
];

function elapsedSeconds({ rollback }: RolloutStatus, nowMs: number): number {
  return rollback === undefined ? 0 : seconds(rollback.startedAt, rollback.completedAt, nowMs);
}

function stageSeconds({ rollback }: RolloutStatus, name: string, nowMs: number): number {
  const stage = rollback?.stages.find((one) => one.name === name);
  return stage === undefined ? 0 : seconds(stage.startedAt, stage.finishedAt, nowMs);
}

function seconds(from: string, until: string | undefined, nowMs: number): number {
  const endMs = until === undefined ? nowMs : Date.parse(until);
  return Math.max(0, endMs - Date.parse(from)) / 1000;
}
