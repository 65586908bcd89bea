/** Kubernetes Events that follow from a change of status, whichever rule made it. */
import type { RolloutStatus, TriggerStatus } from '#api/status.ts';
import { isPassing } from './chain-holds.ts';
import type { EventDraft } from './decision.ts';
import { pageEvents } from './pages.ts';

export function transitionEvents(before: RolloutStatus, after: RolloutStatus): EventDraft[] {
  if (before.runId !== after.runId) return [];
  return [
    ...triggerEvents(before, after),
    ...holdEvents(before, after),
    ...revisionEvents(before, after),
    ...pageEvents(before, after),
  ];
}

function triggerEvents(before: RolloutStatus, after: RolloutStatus): EventDraft[] {
  return (after.triggers ?? []).flatMap((trigger) => {
    const was = before.triggers?.find((one) => one.name === trigger.name);
    return was?.state === trigger.state ? [] : (eventOf(was, trigger) ?? []);
  });
}

function eventOf(was: TriggerStatus | undefined, is: TriggerStatus): EventDraft | undefined {
  const note = is.message ?? `${is.name} is ${is.state}`;
  const action = 'Evaluate';
  switch (is.state) {
    case 'Firing':
      return { type: 'Warning', reason: 'TriggerFired', action, note };
    case 'Pending':
      return { type: 'Warning', reason: 'TriggerPending', action, note };
    case 'Unknown':
      return hasSpoken(was)
        ? { type: 'Warning', reason: 'TriggerUnknown', action, note }
        : undefined;
    default:
      return was === undefined || was.reason === 'NotEvaluated'
        ? undefined
        : { type: 'Normal', reason: 'TriggerResolved', action, note };
  }
}

/**
 * Before its first reading of a run nothing has gone missing: a suite has not ended yet, canary has just got its first
 * traffic. Where it lasts, the hold after `noDataFor` tells of it.
 */
function hasSpoken(was: TriggerStatus | undefined): boolean {
  return was !== undefined && was.reason !== 'NotEvaluated' && was.reason !== 'NoTrafficExpected';
}

/** A hold is told when it begins and when the last one ends, never while it stands. */
function holdEvents(before: RolloutStatus, after: RolloutStatus): EventDraft[] {
  const action = 'Hold';
  const had = (before.holds ?? []).filter((hold) => !isPassing(hold));
  const begun = (after.holds ?? [])
    .filter((hold) => !isPassing(hold))
    .filter((hold) => !had.some((one) => one.reason === hold.reason && one.by === hold.by))
    .map((hold): EventDraft => ({ type: 'Warning', reason: 'Held', action, note: hold.message }));
  const isOver = had.length > 0 && (after.holds ?? []).length === 0 && after.rollback === undefined;
  const over: EventDraft = {
    type: 'Normal',
    reason: 'HoldEnded',
    action,
    note: 'nothing holds any more',
  };
  return isOver ? [...begun, over] : begun;
}

const REVISIONS: readonly (string | undefined)[] = ['RevisionQueued', 'RevisionRejected'];

/** A revision that does not start now is told once, when it comes. */
function revisionEvents(before: RolloutStatus, after: RolloutStatus): EventDraft[] {
  const accepted = ({ conditions }: RolloutStatus) =>
    conditions?.find(({ type }) => type === 'Accepted');
  const [was, is] = [accepted(before), accepted(after)];
  if (is === undefined || !REVISIONS.includes(is.reason)) return [];
  if (was?.reason === is.reason && was.message === is.message) return [];
  return [{ type: 'Warning', reason: is.reason, action: 'Follow', note: is.message }];
}
