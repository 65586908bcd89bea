/** A point is due and something outside the metrics must open first. A gate never stops the watch or a rollback. */
import { dateHold } from '#core/holds.ts';
import type { PlanPoint } from '#core/run-spec.ts';
import { currentPoint, dueAtMs } from '#core/schedule.ts';
import type { Rule } from './rule.ts';

export const gates: Rule = {
  name: 'gates',
  when: 'a point is due and its gate is shut',
  apply({ view }) {
    if (view === undefined) return undefined;
    const point = currentPoint(view.run, view.status);
    if (point === undefined || view.now < dueAtMs(view.run, view.status, point)) return undefined;
    const shut = shutGate(point, view.triggers);
    if (shut === undefined) return undefined;
    const hold = dateHold({ ...shut, by: point.name }, view.status, view.now);
    return {
      because: shut,
      phase: 'Held',
      status: view.status,
      holds: [...view.holds, hold],
    };
  },
};

function shutGate(
  point: PlanPoint,
  triggers: readonly { readonly status: { readonly state: string; readonly name: string } }[],
): { reason: string; message: string } | undefined {
  if (point.needsApproval) {
    return {
      reason: 'ApprovalRequired',
      message: `${point.name} needs an approval, and this version cannot take one yet: it stays here`,
    };
  }
  if (point.unjudged.length > 0) {
    const what = point.unjudged.join(', ');
    return {
      reason: 'NotJudged',
      message: `${point.name} requires ${what}, which this version cannot judge yet: it stays here`,
    };
  }
  const firing = triggers.filter((one) => one.status.state === 'Firing');
  if (point.requiresNoFiringTriggers && firing.length > 0) {
    const names = firing.map((one) => one.status.name).join(', ');
    return { reason: 'CheckpointFailed', message: `${point.name}: ${names} still fires` };
  }
  return undefined;
}
