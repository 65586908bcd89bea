/** Why a wish cannot be followed, as the end of a sentence that a person can act on. */
import { assertNever } from '#core/assert.ts';
import { currentPoint } from '#core/schedule.ts';
import type { DecisionObservation } from '#core/snapshot.ts';
import { fromIso } from '#core/time.ts';
import { isWatched, type RunView } from '#core/view.ts';
import { countingObstacle, isFull, votesOf, wasChecked } from './approval.ts';
import { isLifted } from './effects.ts';
import type { Wish } from './wish.ts';

/** @returns undefined when it can be followed */
export function obstacleTo(view: RunView, wish: Wish): string | undefined {
  return otherRun(view, wish) ?? otherPhase(view, wish) ?? obstacleOfKind(view, wish);
}

/** A decision counts for its revision's current run only; `runId` narrows it to one try. */
function otherRun({ status }: RunView, { source }: Wish): string | undefined {
  if (source.type === 'request') return undefined;
  const { revision, runId } = source.observation.spec;
  if (revision !== status.revision) {
    return `it is about revision ${revision}, and the current run is of ${status.revision ?? 'none'}`;
  }
  if (runId !== undefined && runId !== status.runId) {
    return `it is about run ${runId}, and the current one is ${status.runId ?? 'none'}`;
  }
  return undefined;
}

function otherPhase({ status }: RunView, { kind, source }: Wish): string | undefined {
  if (isWatched(status)) {
    return kind === 'Retry'
      ? `the run is ${status.phase}; only an ended one can be retried`
      : undefined;
  }
  // The process may have died after the abort was carried out and before it was written down.
  const isDone =
    kind === 'Abort' &&
    status.phase === 'RolledBack' &&
    source.type === 'decision' &&
    source.observation.createdAtMs <= fromIso(status.finishedAt ?? '');
  return kind === 'Retry' || isDone
    ? undefined
    : `the run has ended (${status.phase}); only retry fits`;
}

function obstacleOfKind(view: RunView, wish: Wish): string | undefined {
  switch (wish.kind) {
    case 'Approve':
      return notApprovable(view, wish);
    case 'Reject':
      return notRejectable(view, wish);
    case 'Resume':
      return nothingToResume(view);
    case 'Promote':
      return currentPoint(view.run, view.status) === undefined
        ? 'every point of the plan has been passed, so there is none to wait for'
        : undefined;
    case 'Extend':
      return currentPoint(view.run, view.status) === undefined
        ? 'the end has been passed, so there is none to move'
        : undefined;
    case 'Acknowledge':
      return nothingToAcknowledge(view, wish);
    case 'Abort':
    case 'Pause':
    case 'Retry':
      return undefined;
    default:
      return assertNever(wish.kind);
  }
}

function notApprovable(view: RunView, { step = '', by, source }: Wish): string | undefined {
  const { run, status, snapshot } = view;
  const point = run.points.find((one) => one.kind === 'Step' && one.name === step);
  const closed = notAhead(view, step);
  if (closed !== undefined || point === undefined) return closed;
  const isTakingBack = votesOf(status, step, 'Reject').some((vote) => vote.by === by);
  const { approval } = point;
  if (approval === undefined) {
    if (isTakingBack) return undefined;
    const asked = run.points.filter((one) => one.approval !== undefined).map(({ name }) => name);
    return `step ${step} needs no approval; steps that do are ${asked.join(', ') || 'none'}`;
  }
  const obstacle = countingObstacle(snapshot, status, approval);
  if (obstacle !== undefined) return obstacle;
  if (source.type === 'decision' && !isChecked(view, source.observation)) {
    return 'it was made before the ValidatingAdmissionPolicy was in force, so who made it is not proved';
  }
  // An author's approval counts for nothing, but takes their own rejection back.
  if (approval.isAuthorExcluded && (status.authors ?? []).includes(by) && !isTakingBack) {
    return `${by} is an author of the change, and step ${step} wants somebody else (notBy: Author)`;
  }
  return undefined;
}

function isChecked({ snapshot }: RunView, { createdAtMs }: DecisionObservation): boolean {
  return wasChecked(snapshot.decisionPolicy, createdAtMs);
}

function notRejectable(view: RunView, { step = '', by }: Wish): string | undefined {
  const closed = notAhead(view, step);
  if (closed !== undefined) return closed;
  return isFull(view.status, step, by)
    ? `enough people have decided about step ${step}`
    : undefined;
}

function notAhead({ run, status }: RunView, step: string): string | undefined {
  const steps = run.points.filter((one) => one.kind === 'Step').map(({ name }) => name);
  if (!steps.includes(step)) return `there is no step ${step}; steps are ${steps.join(', ')}`;
  const passedAt = status.plan?.find((one) => one.kind === 'Step' && one.name === step)?.passedAt;
  return passedAt === undefined ? undefined : `step ${step} was passed at ${passedAt}`;
}

function nothingToResume({ status, holds }: RunView): string | undefined {
  if (status.pausedBy !== undefined || holds.some(({ reason }) => isLifted(reason))) {
    return undefined;
  }
  return holds.some((hold) => hold.by === 'spec.paused')
    ? 'it is paused by spec.paused, which only an edit of the spec takes back'
    : 'nothing that a person could lift holds it';
}

function nothingToAcknowledge({ status }: RunView, { step = '' }: Wish): string | undefined {
  const triggers = status.triggers ?? [];
  const trigger = triggers.find((one) => one.name === step);
  if (trigger === undefined) {
    const names = triggers.map(({ name }) => name).join(', ') || 'none';
    return `there is no trigger ${step}; triggers are ${names}`;
  }
  return trigger.state === 'Inactive' ? `trigger ${step} is Inactive` : undefined;
}
