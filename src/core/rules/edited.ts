/** The spec was edited in mid-run and is valid: the run follows it from here on. Points passed stay passed. */
import type { RolloutStatus, Vote } from '#api/status.ts';
import { specRecordName } from '#core/run-id.ts';
import type { PointApproval, RunSpec } from '#core/run-spec.ts';
import { currentPoint, lastPassedStep, resolvePlan } from '#core/schedule.ts';
import { isOtherTraffic } from '#core/traffic.ts';
import { isWatched, type RunView } from '#core/view.ts';
import { phaseOf, type Rule } from './rule.ts';

export const edited: Rule = {
  name: 'edited',
  when: 'a valid edit of the spec reaches a run under way',
  apply({ snapshot, view }) {
    const { wanted, object, status } = snapshot;
    if (view === undefined || wanted.type === 'invalid' || !isWatched(status)) return undefined;
    const isNew = object.generation !== status.runGeneration;
    if (!isNew || wanted.run.revision !== status.revision) return undefined;
    // Other routes or Services under a run that has moved traffic are a new run, never an edit.
    if (status.step !== undefined && isOtherTraffic(view.run, wanted.run)) return undefined;
    const specRecord = specRecordName(object.name, view.runId, {
      generation: object.generation,
      digest: wanted.run.digest,
    });
    const next = {
      ...withoutStaleVotes(view, wanted.run, withoutChangedStep(view, wanted.run)),
      runGeneration: object.generation,
      specRecord,
    };
    const message = `following the spec of generation ${object.generation}`;
    return {
      because: { reason: 'SpecChanged', message },
      phase: phaseOf(view.status),
      status: { ...next, plan: resolvePlan(wanted.run, next) },
      holds: view.status.holds ?? [],
      first: [{ type: 'RecordSpec', name: specRecord, runId: view.runId }],
      events: [{ type: 'Normal', reason: 'SpecChanged', action: 'Follow', note: message }],
      wakeAtMs: view.now,
      leavesTraffic: true,
    };
  },
};

/** A step that is being entered and is no longer the same has to be entered anew, with all that this needs. */
function withoutChangedStep(view: RunView, wanted: RunSpec): RolloutStatus {
  const entered = currentPoint(view.run, view.status);
  if (entered?.kind !== 'Step' || entered.name !== view.status.step) return view.status;
  const next = wanted.points.find((point) => point.kind === 'Step' && point.name === entered.name);
  const isSame =
    next?.weight === entered.weight &&
    next?.atMs === entered.atMs &&
    isSameApproval(next.approval, entered.approval);
  const last = lastPassedStep(wanted, view.status);
  return isSame || last === undefined ? view.status : { ...view.status, step: last.name };
}

/** Who agreed to a step agreed to what it was. */
function withoutStaleVotes(view: RunView, wanted: RunSpec, status: RolloutStatus): RolloutStatus {
  const step = (run: RunSpec, name: string) =>
    run.points.find((point) => point.kind === 'Step' && point.name === name);
  const isStale = ({ step: name, decision }: Vote) => {
    const before = step(view.run, name);
    const after = step(wanted, name);
    const isSame = before?.weight === after?.weight && before?.atMs === after?.atMs;
    return decision === 'Approve' && !isSame;
  };
  if (status.approvals?.some(isStale) !== true) return status;
  return { ...status, approvals: status.approvals.filter((vote) => !isStale(vote)) };
}

function isSameApproval(a: PointApproval | undefined, b: PointApproval | undefined): boolean {
  return a?.quorum === b?.quorum && a?.isAuthorExcluded === b?.isAuthorExcluded;
}
