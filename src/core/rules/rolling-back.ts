/**
 * A rollback is under way: stage StopTraffic. Lowering is retried at every wake without end; when the
 * stage's budget is over the router cuts canary off. The phase stays RollingBack until every route reads 0.
 */
import type { RolloutStatus } from '#api/status.ts';
import { assert } from '#core/assert.ts';
import type { Action, Because, EventDraft } from '#core/decision.ts';
import { endRun } from '#core/end-run.ts';
import { dateHold } from '#core/holds.ts';
import { wantedRollback } from '#core/ladder-rollback.ts';
import { beginRollback, isStableGone, STOP_TRAFFIC } from '#core/rollback.ts';
import { verifyFromTraffic } from '#core/rollback-verification.ts';
import { fromIso, fromIsoOptional, spanText, toIso } from '#core/time.ts';
import { allRead } from '#core/traffic.ts';
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
    if (view.status.rollback === undefined) return resumeInterrupted(view);
    return allRead(view.snapshot.routes, 0) ? whenStopped(view) : whenNotStopped(view);
  },
};

/** The mark on a route, or the phase, says that this run was being rolled back when the process died. */
function resumeInterrupted(view: RunView): Verdict | undefined {
  const isMarked =
    view.status.phase === 'RollingBack' ||
    view.snapshot.routes.some(
      ({ reading }) => reading.type === 'read' && reading.rolledBackRun === view.runId,
    );
  if (!isMarked) return undefined;
  // The trigger that began it fires still, as a rule: then this is that very rollback, decided again.
  const wanted = wantedRollback(view.triggers);
  if (wanted !== undefined) return beginRollback(view, wanted.because, wanted.trigger);
  const message = 'a rollback of this run had begun before its status could be written';
  return beginRollback(view, { reason: 'RollbackResumed', message }, undefined);
}

function whenNotStopped(view: RunView): Verdict {
  const { now, status, run } = view;
  const startedAtMs = fromIso(status.rollback?.startedAt ?? toIso(now));
  if (isStableGone(view.snapshot)) return waitForStable(view);
  const wakeAtMs = now + RETRY_MS;
  if (now < startedAtMs + run.rollback.stopTrafficMs) {
    return { because: rollbackBecause(status), phase: 'RollingBack', status, holds: [], wakeAtMs };
  }
  const message = `canary still gets traffic ${spanText(now - startedAtMs)} after the decision to roll back; cutting it off`;
  const isolate = view.snapshot.routes
    .filter((route) => !allRead([route], 0))
    .map(({ target }): Action => ({ type: 'Isolate', target }));
  return { ...stuck(view, message), first: isolate, wakeAtMs };
}

/** Traffic is not sent into the void: canary keeps it until stable can take it, and a person is paged. */
function waitForStable(view: RunView): Verdict {
  const message = `stable has no Ready endpoint, so canary keeps its traffic: restore Service ${view.run.stable?.service ?? ''}`;
  return { ...stuck(view, message), wakeAtMs: view.now + RETRY_MS, leavesTraffic: true };
}

/** A person is paged when it first gets stuck, and every five minutes for as long as it is. */
function stuck(view: RunView, message: string): Verdict {
  const { now, status } = view;
  const { rollback } = status;
  assert(rollback !== undefined, 'a rollback under way has its entry in status');
  const because = { reason: 'RollbackStuck', message };
  const hold = dateHold({ ...because, by: STOP_TRAFFIC }, status, now);
  const pagedAtMs = fromIsoOptional(rollback.pagedAt);
  const isDue = pagedAtMs === undefined || Math.abs(now - pagedAtMs) >= PAGE_EVERY_MS;
  const page: EventDraft = {
    type: 'Warning',
    action: 'RollBack',
    reason: because.reason,
    note: message,
  };
  return {
    because,
    phase: 'RollingBack',
    status: isDue ? { ...status, rollback: { ...rollback, pagedAt: toIso(now) } } : status,
    holds: [hold],
    events: isDue ? [page] : [],
  };
}

/** Every route reads 0. Where a metric can tell, the stage ends when traffic says so too. */
function whenStopped(view: RunView): Verdict {
  const { now, status, run } = view;
  const rollback = status.rollback;
  assert(rollback !== undefined, 'a rollback under way has its entry in status');
  const budgetEndsMs = fromIso(rollback.startedAt) + run.rollback.stopTrafficMs;
  const verification = verifyFromTraffic(view);
  if (verification.type === 'waiting' && now < budgetEndsMs) {
    return {
      because: rollbackBecause(status),
      phase: 'RollingBack',
      status,
      wakeAtMs: Math.min(now + RETRY_MS, budgetEndsMs),
    };
  }
  const isVerified = verification.type !== 'waiting';
  const stages = rollback.stages.map((stage) =>
    stage.name === STOP_TRAFFIC
      ? {
          ...stage,
          finishedAt: toIso(now),
          outcome: isVerified ? 'Succeeded' : 'Overrun',
          message: `every route and flag reads 0% canary; ${verification.message}`,
        }
      : stage,
  );
  const ended = endRun(
    {
      ...status,
      rollback: {
        ...rollback,
        stages,
        completedAt: toIso(now),
        withinSla: now <= fromIso(rollback.slaDeadline),
        outcome: isVerified ? 'Succeeded' : 'Degraded',
      },
    },
    { outcome: 'RolledBack', message: rollback.message, now, historyLimit: run.historyLimit },
  );
  const took = spanText(now - fromIso(rollback.startedAt));
  const message = `rolled back in ${took}: ${rollback.message}`;
  return {
    because: { reason: 'RolledBack', message },
    phase: 'RolledBack',
    status: ended,
    wakeAtMs: now,
    events: [{ type: 'Warning', reason: 'RolledBack', action: 'RollBack', note: message }],
    first: isVerified
      ? []
      : view.snapshot.routes.map(({ target }): Action => ({ type: 'Isolate', target })),
  };
}

function rollbackBecause(status: RolloutStatus): Because {
  return {
    reason: 'RollingBack',
    message: `rolling back: ${status.rollback?.message ?? ''}`,
  };
}
