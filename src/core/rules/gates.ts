/** A point is due and something outside the metrics must open first. A gate never stops the watch or a rollback. */
import type { Hold } from '#api/status.ts';
import type { Because } from '#core/decision.ts';
import { dateHold, freezeBlockers, holdSentence } from '#core/holds.ts';
import type { PlanPoint } from '#core/run-spec.ts';
import { currentPoint, dueAtMs } from '#core/schedule.ts';
import type { RunView } from '#core/view.ts';
import type { Rule } from './rule.ts';

export const gates: Rule = {
  name: 'gates',
  when: 'a point is due and its gate is shut',
  apply({ view }) {
    if (view === undefined) return undefined;
    const point = currentPoint(view.run, view.status);
    if (point === undefined || view.now < dueAtMs(view.run, view.status, point)) return undefined;
    const blockers = isRise(view, point) ? view.riseBlockers : [];
    const shut = [...freezeBlockers(blockers), ...shutGates(view, point)];
    const [first] = shut;
    if (first === undefined) return undefined;
    const others = blockers.filter((hold) => !shut.includes(hold));
    return {
      because: { reason: first.reason, message: `${point.name} is due: ${holdSentence(shut)}` },
      phase: 'Held',
      status: view.status,
      // Each thing that is missing is named, not only the first.
      holds: [...view.holds, ...shut, ...others],
    };
  },
};

function isRise(view: RunView, point: PlanPoint): boolean {
  return point.kind === 'Step' && (point.weight ?? 0) > (view.weight ?? 0);
}

function shutGates(view: RunView, point: PlanPoint): Hold[] {
  return shutBecauses(view, point).map((because) =>
    dateHold({ ...because, by: point.name }, view.status, view.now),
  );
}

function shutBecauses({ triggers }: RunView, point: PlanPoint): Because[] {
  if (point.approval !== undefined) {
    const message = `${point.name} needs an approval, and this version cannot take one yet: it stays here`;
    return [{ reason: 'ApprovalRequired', message }];
  }
  if (point.unjudged.length > 0) {
    const what = point.unjudged.join(', ');
    const message = `${point.name} requires ${what}, which this version cannot judge yet: it stays here`;
    return [{ reason: 'NotJudged', message }];
  }
  const firing = triggers.filter((one) => one.status.state === 'Firing');
  if (point.requirements.includes('NoFiringTriggers') && firing.length > 0) {
    const names = firing.map((one) => one.status.name).join(', ');
    return [{ reason: 'CheckpointFailed', message: `${point.name}: ${names} still fires` }];
  }
  return [];
}
