/** How a rollback begins: one way for triggers, people and interrupted rollbacks alike. */
import type { RollbackStage, RollbackStatus, RolloutStatus } from '#api/status.ts';
import type { Because } from './decision.ts';
import type { Verdict } from './rules/rule.ts';
import type { Snapshot } from './snapshot.ts';
import { fromIso, spanText, toIso } from './time.ts';
import type { RunView } from './view.ts';

export const STOP_TRAFFIC = 'StopTraffic';

/** The SLA clock starts here, with the decision. Lowering goes ahead of the status: see `conclude`. */
export function beginRollback(
  view: RunView,
  because: Because,
  trigger: string | undefined,
): Verdict {
  const startedAt = toIso(view.now);
  const status: RolloutStatus = {
    ...view.status,
    rollback: {
      ...(trigger === undefined ? {} : { trigger }),
      ...because,
      startedAt,
      slaDeadline: toIso(view.now + view.run.rollback.slaMs),
      stages: [firstStage(startedAt)],
    },
  };
  return {
    because,
    phase: 'RollingBack',
    status,
    events: [
      { type: 'Warning', reason: 'RollbackStarted', action: 'RollBack', note: because.message },
    ],
    wakeAtMs: view.now,
    leavesTraffic: isStableGone(view.snapshot),
  };
}

/** How a rollback ended, in one sentence that stays the same for as long as the run is the last one. */
export function rolledBackSentence({ startedAt, completedAt, message }: RollbackStatus): string {
  const took = spanText(fromIso(completedAt ?? startedAt) - fromIso(startedAt));
  return `rolled back in ${took}: ${message}`;
}

export function firstStage(startedAt: string): RollbackStage {
  const message = 'bringing every route and flag to 0% canary';
  return { name: STOP_TRAFFIC, startedAt, outcome: 'Running', message };
}

/** Traffic is not sent into the void: while stable has no Ready endpoint and canary has, canary keeps it. */
export function isStableGone({ ready }: Snapshot): boolean {
  return ready.stable === 0 && ready.canary !== 0;
}
