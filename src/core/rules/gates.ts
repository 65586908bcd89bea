/** A point is due and something outside the metrics must open first. A gate never stops the watch or a rollback. */
import type { Hold } from '#api/status.ts';
import { criteriaMemory, judgeCheckpoint, noteCheckpoint } from '#core/checkpoint.ts';
import type { Because } from '#core/decision.ts';
import { dateHold, freezeBlockers, holdSentence } from '#core/holds.ts';
import { approvalGate } from '#core/people/approval.ts';
import { beginRollback } from '#core/rollback.ts';
import type { PlanPoint } from '#core/run-spec.ts';
import { currentPoint, dueAtMs } from '#core/schedule.ts';
import { isRise } from '#core/traffic.ts';
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
  const blockers = isRise(view, point.weight ?? 0) ? view.riseBlockers : [];
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
  const { judgement, missedCriteria } = judgeCheckpoint(view, point);
  const unjudged: Because[] =
    point.unjudged.length === 0
      ? []
      : [
          {
            reason: 'NotJudged',
            message: `${point.name} requires ${point.unjudged.join(', ')}, which this version cannot judge yet: it stays here`,
          },
        ];
  if (judgement.type === 'met') {
    return held(
      view,
      point,
      unjudged.map((because) => holdOf(view, point, because)),
      [],
    );
  }
  const isMissed = judgement.type === 'missed';
  const reason = isMissed ? 'CheckpointFailed' : 'CheckpointWaiting';
  const message = `${point.name}: ${judgement.messages.join('; ')}`;
  const outcome = isMissed ? 'Failed' : 'Waiting';
  const entry = { name: point.name, outcome, message, ...criteriaMemory(view, missedCriteria) };
  const status = { ...view.status, checkpoints: [...noteCheckpoint(view.status, entry)] };
  const noted = { ...view, status };
  const because = { reason, message };
  if (isMissed && point.onFailure === 'Rollback') return beginRollback(noted, because, undefined);
  return held(noted, point, [holdOf(view, point, because)], []);
}

function held(
  view: RunView,
  point: PlanPoint,
  shut: readonly Hold[],
  others: readonly Hold[],
): Verdict | undefined {
  const [first] = shut;
  if (first === undefined) return undefined;
  const sentence = holdSentence(shut);
  // A window does not know what it keeps from rising.
  const message = first.by === point.name ? sentence : `${point.name} is due: ${sentence}`;
  return {
    because: { reason: first.reason, message },
    phase: 'Held',
    status: view.status,
    holds: [...view.holds, ...shut, ...others],
  };
}

function holdOf(view: RunView, point: PlanPoint, because: Because): Hold {
  return dateHold({ ...because, by: point.name }, view.status, view.now);
}
