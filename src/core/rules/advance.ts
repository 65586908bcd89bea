/** Nothing speaks against it: wait for the point that comes next, or pass it when it is due. */
import type { Hold, RolloutStatus } from '#api/status.ts';
import { noteCheckpoint } from '#core/checkpoint.ts';
import { criticalBlockers, dateHold, holdSentence } from '#core/holds.ts';
import type { PlanPoint } from '#core/run-spec.ts';
import { currentPoint, dueAtMs, passPoint } from '#core/schedule.ts';
import { toIso } from '#core/time.ts';
import { isRise } from '#core/traffic.ts';
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
    if (view.status.blindSince !== undefined) return waitForReadings(view, point);
    return point.kind === 'Step' ? enter(view, point) : pass(view, point);
  },
};

/** Time without readings is no bake, and it is not known yet how much of it there will be. */
function waitForReadings(view: RunView, point: PlanPoint): Verdict {
  const blind = view.triggers.filter(({ status }) => status.unknownSince !== undefined);
  const names = blind.map(({ trigger }) => trigger.name).join(', ');
  const message = `${point.name} is due, but ${names} has no reading since ${view.status.blindSince}`;
  const because = { reason: 'NoData', message };
  const hold = dateHold({ ...because, by: point.name }, view.status, view.now);
  return { because, phase: 'Held', status: view.status, holds: [hold] };
}

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
  if (isRise(view, weight) && view.riseBlockers.length > 0)
    return blocked(view, point, view.riseBlockers);
  const { stepEnteredAt: _, replacedRevision: __, ...rest } = view.status;
  const message = `entering step ${point.name}: ${weight}% canary`;
  return {
    because: { reason: 'EnteringStep', message },
    phase: 'Progressing',
    status: { ...rest, step: point.name },
    wakeAtMs: view.now,
  };
}

function blocked(view: RunView, point: PlanPoint, holds: readonly Hold[]): Verdict {
  const message = `${point.name} is due: ${holdSentence(holds)}`;
  return {
    because: { reason: holds[0]?.reason ?? 'Held', message },
    phase: 'Held',
    status: view.status,
    holds,
  };
}

function pass(view: RunView, point: PlanPoint): Verdict {
  const unproved = point.kind === 'End' ? criticalBlockers(view.riseBlockers) : [];
  if (unproved.length > 0) return blocked(view, point, unproved);
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
        : { ...passed, checkpoints: [...noteCheckpoint(passed, checkpoint)] },
    events: [{ type: 'Normal', reason, action: 'PassPoint', note: message }],
    wakeAtMs: view.now,
  };
}
