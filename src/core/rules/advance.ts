/** Nothing speaks against it: wait for the point that comes next, or pass it when it is due. */
import type { RolloutStatus } from '#api/status.ts';
import { holdSentence } from '#core/holds.ts';
import type { PlanPoint } from '#core/run-spec.ts';
import { currentPoint, dueAtMs, passPoint } from '#core/schedule.ts';
import { toIso } from '#core/time.ts';
import type { RunView } from '#core/view.ts';
import type { Rule, Verdict } from './rule.ts';

export const advance: Rule = {
  name: 'advance',
  when: 'a point of the plan lies ahead',
  apply({ view }) {
    if (view === undefined) return undefined;
    const point = currentPoint(view.run, view.status);
    if (point === undefined) return undefined;
    const dueMs = dueAtMs(view.run, view.status, point);
    if (view.now < dueMs) return wait(view, point, dueMs);
    return point.kind === 'Step' ? enter(view, point) : pass(view, point);
  },
};

function wait(view: RunView, point: PlanPoint, dueMs: number): Verdict {
  const what = point.weight === undefined ? point.name : `${point.name} (${point.weight}%)`;
  const message = `next is ${what} at ${toIso(dueMs)}`;
  return {
    because: { reason: 'Waiting', message },
    phase: 'Progressing',
    status: view.status,
    wakeAtMs: dueMs,
  };
}

/** The checkpoint before the write: the status names the step, the weight follows from it. */
function enter(view: RunView, point: PlanPoint): Verdict {
  const weight = point.weight ?? 0;
  const rises = weight > (view.weight ?? 0);
  if (rises && view.riseBlockers.length > 0) {
    const message = `${point.name} is due: ${holdSentence(view.riseBlockers)}`;
    return {
      because: { reason: view.riseBlockers[0]?.reason ?? 'Held', message },
      phase: 'Held',
      status: view.status,
      holds: view.riseBlockers,
    };
  }
  const { stepEnteredAt: _, replacedRevision: __, ...rest } = view.status;
  const message = `entering step ${point.name}: ${weight}% canary`;
  return {
    because: { reason: 'EnteringStep', message },
    phase: 'Progressing',
    status: { ...rest, step: point.name },
    wakeAtMs: view.now,
  };
}

function pass(view: RunView, point: PlanPoint): Verdict {
  const passed: RolloutStatus = passPoint(view.run, view.status, point, view.now);
  const message =
    point.kind === 'End' ? 'the end of the plan is reached' : `checkpoint ${point.name} passed`;
  const reason = point.kind === 'End' ? 'EndReached' : 'CheckpointPassed';
  const checkpoint = {
    name: point.name,
    outcome: 'Passed',
    passedAt: toIso(view.now),
    message,
  };
  return {
    because: { reason, message },
    phase: point.kind === 'End' ? 'Monitoring' : 'Progressing',
    status:
      point.kind === 'End'
        ? passed
        : { ...passed, checkpoints: [...(passed.checkpoints ?? []), checkpoint] },
    events: [{ type: 'Normal', reason, action: 'PassPoint', note: message }],
    wakeAtMs: view.now,
  };
}
