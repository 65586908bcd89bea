/**
 * The end is due: the success criteria are judged once, and a miss is followed by what the spec says. Nothing is
 * judged while a Critical trigger is not known to be Inactive; the rules after this one say so.
 */
import type { SuccessStatus } from '#api/status.ts';
import { assertNever } from '#core/assert.ts';
import { criticalBlockers, dateHold } from '#core/holds.ts';
import { beginRollback } from '#core/rollback.ts';
import { currentPoint, dueAtMs } from '#core/schedule.ts';
import {
  EXTENDED_BY_SPEC,
  extendEnd,
  extensionsLeft,
  isJudged,
  judgeEnd,
  windowStartMs,
} from '#core/success.ts';
import { fromIso, toIso } from '#core/time.ts';
import type { RunView } from '#core/view.ts';
import type { Rule, Verdict } from './rule.ts';

export const judged: Rule = {
  name: 'judged',
  when: 'the end is due and its criteria are not known to be met',
  apply({ view }) {
    if (view === undefined || !isJudged(view.run) || !isEndDue(view)) return undefined;
    const { status } = view;
    if (status.blindSince !== undefined || criticalBlockers(view.riseBlockers).length > 0) {
      return undefined;
    }
    const known = standing(view);
    if (known?.outcome === 'Missed') return miss(view, known.missed);
    if (known !== undefined) return undefined;
    return judge(view);
  },
};

function isEndDue({ run, status, now }: RunView): boolean {
  const point = currentPoint(run, status);
  return point?.kind === 'End' && now >= dueAtMs(run, status, point);
}

/**
 * The judgement that still counts: of these criteria and this window. One that was met before a hold is good for
 * as long as the hold stands; what comes after it is judged anew, with all the time in between.
 */
function standing({ status, holds, now }: RunView): SuccessStatus | undefined {
  const { success } = status;
  if (success === undefined || success.generation !== status.runGeneration) return undefined;
  if (fromIso(success.since) !== windowStartMs(status)) return undefined;
  const isFresh = fromIso(success.judgedAt) >= now || holds.length > 0;
  return success.outcome === 'Missed' || isFresh ? success : undefined;
}

function judge(view: RunView): Verdict {
  const { now, status } = view;
  const judgement = judgeEnd(view);
  switch (judgement.type) {
    case 'unknown': {
      const because = {
        reason: 'CriteriaUnknown',
        message: `end is due, but not every criterion can be judged: ${judgement.messages.join('; ')}`,
      };
      const hold = dateHold({ ...because, by: 'end' }, status, now);
      return { because, phase: 'Held', status, holds: [...view.holds, hold] };
    }
    case 'met': {
      const message = 'every success criterion is met';
      return {
        because: { reason: 'CriteriaMet', message },
        phase: view.holds.length > 0 ? 'Held' : 'Progressing',
        status: { ...status, success: written(view, 'Met', []) },
        events: [{ type: 'Normal', reason: 'CriteriaMet', action: 'Judge', note: message }],
        wakeAtMs: now,
      };
    }
    case 'missed': {
      const success = written(view, 'Missed', judgement.messages);
      const verdict = miss({ ...view, status: { ...status, success } }, judgement.messages);
      const note = sentence(judgement.messages);
      const event = { type: 'Warning', reason: 'CriteriaMissed', action: 'Judge', note } as const;
      return { ...verdict, events: [event, ...(verdict.events ?? [])] };
    }
    default:
      return assertNever(judgement);
  }
}

function written(
  { now, status }: RunView,
  outcome: 'Met' | 'Missed',
  missed: readonly string[],
): SuccessStatus {
  return {
    outcome,
    judgedAt: toIso(now),
    since: toIso(windowStartMs(status)),
    ...(status.runGeneration === undefined ? {} : { generation: status.runGeneration }),
    missed: [...missed],
  };
}

function sentence(missed: readonly string[]): string {
  return `success criteria are missed: ${missed.join('; ')}`;
}

/** A miss that stands is not judged again: a person extends, aborts or edits the criteria. */
function miss(view: RunView, missed: readonly string[]): Verdict {
  const { run, status, now } = view;
  const because = { reason: 'CriteriaMissed', message: sentence(missed) };
  if (run.success.onFailure === 'Rollback') return beginRollback(view, because, undefined);
  if (run.success.onFailure === 'Extend' && extensionsLeft(run, status) > 0) {
    const reason = because.message;
    const extended = extendEnd(run, status, { by: EXTENDED_BY_SPEC, reason, now });
    return {
      because: { reason: 'Extended', message: extended.message },
      phase: 'Progressing',
      status: extended.status,
      events: [extended.event],
      wakeAtMs: now,
    };
  }
  const hold = dateHold({ ...because, by: 'end' }, status, now);
  return { because, phase: 'Held', status, holds: [...view.holds, hold] };
}
