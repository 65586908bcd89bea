/**
 * A rollback is under way, stage after stage. The phase stays RollingBack until every route reads 0 and the last
 * stage has ended; nothing ever rises again in this run.
 */
import type { RollbackStage, RollbackStatus, RolloutStatus } from '#api/status.ts';
import { assert } from '#core/assert.ts';
import type { Action, Because, EventDraft } from '#core/decision.ts';
import { endRun } from '#core/end-run.ts';
import { dateHold } from '#core/holds.ts';
import { wantedRollback } from '#core/ladder-rollback.ts';
import { abort, type PendingAbort, pendingAbort } from '#core/people/abort.ts';
import { advanceHooks, hookActions } from '#core/rollback/hooks.ts';
import { type InterruptedBy, interruptedBy } from '#core/rollback/interrupted.ts';
import { goThroughStages } from '#core/rollback/later-stages.ts';
import { lookAtTraffic, type StopTrafficLook } from '#core/rollback/stop-traffic.ts';
import { beginRollback, rolledBackSentence, STOP_TRAFFIC } from '#core/rollback.ts';
import { fromIso, fromIsoOptional, spanText, toIso } from '#core/time.ts';
import { allRead, bearsMark } from '#core/traffic.ts';
import type { RunView } from '#core/view.ts';
import type { Rule, Verdict } from './rule.ts';

const RETRY_MS = 1000;
/** A stuck rollback is paged this often. */
const PAGE_EVERY_MS = 5 * 60_000;

export const rollingBack: Rule = {
  name: 'rolling-back',
  when: 'a rollback is under way, or was interrupted between route and status',
  apply({ view }) {
    if (view === undefined || view.status.phase === 'RolledBack') return undefined;
    const { rollback } = view.status;
    if (rollback === undefined) return resumeInterrupted(view);
    return underSla(view, carryOn(view, advanceHooks(view, rollback, [STOP_TRAFFIC])));
  },
};

/** The mark on a route, or the phase, says that this run was being rolled back when the process died. */
function resumeInterrupted(view: RunView): Verdict | undefined {
  const isMarked =
    view.status.phase === 'RollingBack' || bearsMark(view.snapshot.routes, view.runId);
  if (!isMarked) return undefined;
  // The trigger that began it fires still, as a rule: then this is that very rollback, decided again.
  const wanted = wantedRollback(view.triggers);
  const by = interruptedBy(view);
  const asked = pendingAbort(view);
  if (asked !== undefined && wasFirst(asked, view, wanted?.trigger, by)) {
    return abort(view, asked.wish);
  }
  if (wanted !== undefined) return beginRollback(view, wanted.because, wanted.trigger);
  const begun = 'a rollback of this run had begun before its status could be written';
  const message = by === undefined ? begun : `${by.message}; ${begun}`;
  return beginRollback(view, { reason: 'RollbackResumed', message }, by?.trigger);
}

/** A person's abort is laid to no trigger that came due later; of a request by annotation nobody knows when it came. */
function wasFirst(
  { askedAtMs }: PendingAbort,
  { status }: RunView,
  wanted: string | undefined,
  by: InterruptedBy | undefined,
): boolean {
  if (askedAtMs === undefined) return wanted === undefined;
  const firing = status.triggers?.find(({ name }) => name === wanted);
  const dueAtMs = wanted === undefined ? by?.dueAtMs : fromIsoOptional(firing?.firingAt);
  return dueAtMs === undefined || askedAtMs < dueAtMs;
}

function carryOn(view: RunView, rollback: RollbackStatus): Verdict {
  const stage = rollback.stages.find(({ name }) => name === STOP_TRAFFIC);
  assert(stage !== undefined, 'a rollback has its first stage');
  if (stage.finishedAt !== undefined) return goOn(view, rollback, []);
  const look = lookAtTraffic(view, rollback, stage);
  const actions = hookActions(view, rollback);
  switch (look.type) {
    case 'done':
      return goOn(view, withStage(rollback, look.stage), look.first);
    case 'stuck':
      return { ...stuck(view, rollback, look), actions };
    default:
      return {
        ...stay(view, withStage(rollback, look.stage)),
        first: look.first,
        actions,
        wakeAtMs: look.wakeAtMs,
      };
  }
}

function withStage(rollback: RollbackStatus, next: RollbackStage): RollbackStatus {
  const stages = rollback.stages.map((one) => (one.name === next.name ? next : one));
  return { ...rollback, stages };
}

function stay({ status }: RunView, rollback: RollbackStatus): Verdict {
  const because: Because = {
    reason: 'RollingBack',
    message: `rolling back: ${rollback.message}`,
  };
  return { because, phase: 'RollingBack', status: { ...status, rollback }, holds: [] };
}

/** A person is paged when it first gets stuck, and every five minutes for as long as it is. */
function stuck(
  view: RunView,
  rollback: RollbackStatus,
  look: Extract<StopTrafficLook, { type: 'stuck' }>,
): Verdict {
  const { now, status } = view;
  const because = { reason: 'RollbackStuck', message: look.message };
  const hold = dateHold({ ...because, by: STOP_TRAFFIC }, status, now);
  const pagedAtMs = fromIsoOptional(rollback.pagedAt);
  const isDueAgain = pagedAtMs === undefined || Math.abs(now - pagedAtMs) >= PAGE_EVERY_MS;
  return {
    because,
    phase: 'RollingBack',
    status: {
      ...status,
      rollback: isDueAgain ? { ...rollback, pagedAt: toIso(now) } : rollback,
    },
    holds: [hold],
    first: look.first,
    events: isDueAgain ? [warning(because.reason, look.message)] : [],
    wakeAtMs: look.wakeAtMs,
    leavesTraffic: look.leavesTraffic,
  };
}

/** Traffic is stopped: the later stages, and the end once they are over and every route still reads 0. */
function goOn(view: RunView, begun: RollbackStatus, first: readonly Action[]): Verdict {
  const { rollback, actions, events, current } = goThroughStages(view, begun);
  const stopped = begun.stages.find(({ name }) => name === STOP_TRAFFIC);
  const overrun =
    stopped?.outcome === 'Overrun' && stopped.finishedAt === toIso(view.now)
      ? [warning('RollbackStageOverrun', `stage ${STOP_TRAFFIC}: ${stopped.message}`)]
      : [];
  const told = [...overrun, ...events];
  if (current !== undefined || !allRead(view.snapshot.routes, 0)) {
    const going = stay(view, rollback);
    const where = current === undefined ? 'another writer' : `stage ${current.stage.name}`;
    const message = `rolling back, ${where}: ${current?.stage.message ?? 'raised canary again'}`;
    return {
      ...going,
      because: { reason: 'RollingBack', message },
      first,
      actions,
      events: told,
      wakeAtMs: current?.wakeAtMs ?? view.now + RETRY_MS,
    };
  }
  const end = complete(view, rollback);
  return { ...end, first, actions, events: [...told, ...(end.events ?? [])] };
}

function complete({ now, status, run }: RunView, rollback: RollbackStatus): Verdict {
  const isWell = rollback.stages.every(({ outcome }) => wellEnded.includes(outcome));
  const completed: RollbackStatus = {
    ...rollback,
    completedAt: toIso(now),
    withinSla: now <= fromIso(rollback.slaDeadline),
    outcome: isWell ? 'Succeeded' : 'Degraded',
  };
  const end = { outcome: 'RolledBack', message: rollback.message, now } as const;
  const ended: RolloutStatus = endRun(
    { ...status, rollback: completed },
    { ...end, historyLimit: run.historyLimit },
  );
  const message = rolledBackSentence(completed);
  return {
    because: { reason: 'RolledBack', message },
    phase: 'RolledBack',
    status: ended,
    // What held has been dealt with; that it held is in the history of events.
    holds: [],
    wakeAtMs: now,
    events: [warning('RolledBack', message), ...(isWell ? [] : [degraded(rollback)])],
  };
}

const wellEnded: readonly string[] = ['Succeeded', 'Skipped'];

function degraded({ stages }: RollbackStatus): EventDraft {
  const ill = stages
    .filter(({ outcome }) => !wellEnded.includes(outcome))
    .map(({ name, outcome, message }) => `${name} ${outcome.toLowerCase()} (${message})`);
  return warning('RollbackDegraded', `traffic is back on stable, but ${ill.join('; ')}`);
}

/** The SLA clock runs from the decision; that it has run out is told once, and at once. */
function underSla({ now, status }: RunView, verdict: Verdict): Verdict {
  const { rollback } = verdict.status;
  assert(rollback !== undefined, 'a rollback under way has its entry in status');
  const deadlineMs = fromIso(rollback.slaDeadline);
  const wakeAtMs = Math.min(verdict.wakeAtMs ?? deadlineMs + 1, deadlineMs + 1);
  if (now <= deadlineMs) return { ...verdict, wakeAtMs };
  if (status.rollback?.withinSla === false) return verdict;
  const note = `the rollback is not complete ${spanText(now - fromIso(rollback.startedAt))} after its decision`;
  return {
    ...verdict,
    status: { ...verdict.status, rollback: { ...rollback, withinSla: false } },
    events: [...(verdict.events ?? []), warning('RollbackSlaMissed', note)],
  };
}

function warning(reason: string, note: string): EventDraft {
  return { type: 'Warning', reason, action: 'RollBack', note };
}
