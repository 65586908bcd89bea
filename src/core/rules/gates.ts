/** A point is due and something outside the metrics must open first. A gate never stops the watch or a rollback. */
import type { Hold } from '#api/status.ts';
import type { Because } from '#core/decision.ts';
import { dateHold, freezeBlockers, holdSentence } from '#core/holds.ts';
import { approvalGate } from '#core/people/approval.ts';
import { beginRollback } from '#core/rollback.ts';
import type { PlanPoint } from '#core/run-spec.ts';
import { currentPoint, dueAtMs } from '#core/schedule.ts';
import type { RunView } from '#core/view.ts';
import type { Rule, Verdict } from './rule.ts';

export const gates: Rule = {
  name: 'gates',
  when: 'a point is due and its gate is shut',
  apply({ view }) {
    if (view === undefined) return undefined;
    const point = currentPoint(view.run, view.status);
    if (point === undefined || view.now < dueAtMs(view.run, view.status, point)) return undefined;
    return point.kind === 'Step' ? beforeStep(view, point) : beforePassing(view, point);
  },
};

/** Freeze and approval; each thing that is missing is named, not only the first. */
function beforeStep(view: RunView, point: PlanPoint): Verdict | undefined {
  const isRise = (point.weight ?? 0) > (view.weight ?? 0);
  const blockers = isRise ? view.riseBlockers : [];
  const approval = approvalGate(view, point);
  if (approval.type === 'rollback') return beginRollback(view, approval.because, undefined);
  const unapproved = approval.type === 'shut' ? [holdOf(view, point, approval.because)] : [];
  const shut = [...freezeBlockers(blockers), ...unapproved];
  const others = blockers.filter((hold) => !shut.includes(hold));
  const verdict = held(view, point, shut, others);
  if (verdict === undefined || approval.type !== 'shut') return verdict;
  const { expiresAtMs } = approval;
  return expiresAtMs === undefined ? verdict : { ...verdict, wakeAtMs: expiresAtMs };
}

function beforePassing(view: RunView, point: PlanPoint): Verdict | undefined {
  const shut = shutBecauses(view, point).map((because) => holdOf(view, point, because));
  return held(view, point, shut, []);
}

function held(
  view: RunView,
  point: PlanPoint,
  shut: readonly Hold[],
  others: readonly Hold[],
): Verdict | undefined {
  const [first] = shut;
  if (first === undefined) return undefined;
  return {
    because: { reason: first.reason, message: `${point.name} is due: ${holdSentence(shut)}` },
    phase: 'Held',
    status: view.status,
    holds: [...view.holds, ...shut, ...others],
  };
}

function holdOf(view: RunView, point: PlanPoint, because: Because): Hold {
  return dateHold({ ...because, by: point.name }, view.status, view.now);
}

function shutBecauses({ triggers }: RunView, point: PlanPoint): Because[] {
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
