/**
 * Stage 1, StopTraffic: every route and flag to 0, retried at every wake without end; over its budget the router
 * cuts canary off. Where a metric can tell, the stage ends when traffic says so too; and when who read the flag
 * at its start runs with it as it is now.
 */
import type { RollbackStage, RollbackStatus } from '#api/status.ts';
import type { Action } from '#core/decision.ts';
import { workloadsBehind } from '#core/restarts.ts';
import { isStableGone } from '#core/rollback.ts';
import { verifyFromTraffic } from '#core/rollback-verification.ts';
import type { RouteObservation } from '#core/snapshot.ts';
import { fromIso, spanText, toIso } from '#core/time.ts';
import { allRead } from '#core/traffic.ts';
import type { RunView } from '#core/view.ts';

const RETRY_MS = 1000;

export type StopTrafficLook =
  | {
      readonly type: 'waiting';
      readonly stage: RollbackStage;
      readonly first: readonly Action[];
      readonly wakeAtMs: number;
    }
  /** A person is needed. */
  | {
      readonly type: 'stuck';
      readonly message: string;
      readonly first: readonly Action[];
      readonly wakeAtMs: number;
      readonly leavesTraffic: boolean;
    }
  | {
      readonly type: 'done';
      readonly stage: RollbackStage;
      readonly first: readonly Action[];
    };

export function lookAtTraffic(
  view: RunView,
  rollback: RollbackStatus,
  stage: RollbackStage,
): StopTrafficLook {
  const { now, run, snapshot } = view;
  const budgetEndsMs = fromIso(rollback.startedAt) + run.rollback.stopTrafficMs;
  if (!allRead(snapshot.routes, 0)) return whenNotStopped(view, { rollback, stage, budgetEndsMs });
  const sticky = snapshot.routes.filter(isSticky);
  const verification = verifyFromTraffic(view);
  const isOpen = sticky.length > 0 || verification.type === 'waiting';
  const behind = workloadsBehind(view, view.status);
  const old = behind.length > 0 ? `; not restarted with the flag yet: ${behind.join('; ')}` : '';
  const isWaiting = isOpen || behind.length > 0;
  if (isWaiting && now < budgetEndsMs) {
    const wakeAtMs = Math.min(now + RETRY_MS, budgetEndsMs);
    const message = `every route and flag reads 0% canary${old}`;
    const told = old === '' ? stage : { ...stage, message };
    return { type: 'waiting', stage: told, first: isolating(sticky), wakeAtMs };
  }
  const bound = sticky.length > 0 ? '; sessions that are pinned to canary could not be broken' : '';
  return {
    type: 'done',
    stage: {
      ...stage,
      finishedAt: toIso(now),
      outcome: isWaiting ? 'Overrun' : 'Succeeded',
      message: `every route and flag reads 0% canary; ${verification.message}${bound}${old}`,
    },
    first: isOpen ? isolating(snapshot.routes) : [],
  };
}

function whenNotStopped(
  view: RunView,
  given: {
    readonly rollback: RollbackStatus;
    readonly stage: RollbackStage;
    readonly budgetEndsMs: number;
  },
): StopTrafficLook {
  const { rollback, stage, budgetEndsMs } = given;
  const { now, run, snapshot } = view;
  const wakeAtMs = now + RETRY_MS;
  if (isStableGone(snapshot)) {
    // Traffic is not sent into the void: canary keeps it until stable can take it.
    const message = `stable has no Ready endpoint, so canary keeps its traffic: restore Service ${run.stable?.service ?? ''}`;
    return { type: 'stuck', message, first: [], wakeAtMs, leavesTraffic: true };
  }
  if (now < budgetEndsMs) return { type: 'waiting', stage, first: [], wakeAtMs };
  const sinceMs = fromIso(rollback.startedAt);
  const message = `canary still gets traffic ${spanText(now - sinceMs)} after the decision to roll back; cutting it off`;
  const first = isolating(snapshot.routes.filter((route) => !allRead([route], 0)));
  return { type: 'stuck', message, first, wakeAtMs, leavesTraffic: false };
}

/** A client that is pinned to canary stays there at weight 0 too: only without the backend is it let go. */
function isSticky({ reading }: RouteObservation): boolean {
  if (reading.type !== 'read' || reading.isolated) return false;
  return reading.problems.some(({ reason }) => reason === 'SessionPersistence');
}

function isolating(routes: readonly RouteObservation[]): Action[] {
  return routes.map(({ target }): Action => ({ type: 'Isolate', target }));
}
