/** A person asked for something by annotation: abort first, since it only lowers; then the rest. */
import type { RolloutStatus } from '#api/status.ts';
import { assertNever } from '#core/assert.ts';
import { pendingRequest, type Request, type RequestVerb, refusalToken } from '#core/requests.ts';
import { beginRollback } from '#core/rollback.ts';
import { currentPoint } from '#core/schedule.ts';
import { toIso } from '#core/time.ts';
import { isWatched, type RunView } from '#core/view.ts';
import { phaseOf, type Rule, type Verdict } from './rule.ts';

/** Holds that a person may lift for the rest of the run by `resume`. */
const LIFTABLE = 'WouldServeOlderVersion';
/** Lifted by forgetting what was known of a canary whose traffic is gone. */
const LOWERED = 'LoweredByAnother';
const BY = 'annotation';

export const asked: Rule = {
  name: 'asked',
  when: 'a person aborts, pauses, resumes or promotes',
  apply({ snapshot, view }) {
    const text = snapshot.object.request;
    if (text === undefined || view === undefined) return undefined;
    // What has been answered is only waiting to be cleared, which `conclude` sees to: it stops nothing.
    const request = pendingRequest(text, view.status.lastRequestToken);
    if (request === undefined) return undefined;
    if (request.type === 'invalid') return refuse(view, refusalToken(text), request.message);
    // `retry` starts a new run of an ended one: that is for the rule that starts runs.
    if (request.verb === 'retry' && !isWatched(view.status)) return undefined;
    return answer(view, request);
  },
};

function answer(view: RunView, request: Extract<Request, { type: 'request' }>): Verdict {
  const named = `${request.verb} ${request.token}`;
  const obstacle = obstacleTo(view, request.verb);
  if (obstacle !== undefined) {
    return refuse(view, request.token, `request "${named}" is refused: ${obstacle}`);
  }
  const status = { ...view.status, lastRequestToken: request.token };
  if (request.verb === 'abort') {
    const because = { reason: 'Aborted', message: `aborted by request "${named}"` };
    return beginRollback({ ...view, status }, because, undefined);
  }
  const note = `request "${named}"`;
  return {
    ...stayAsItIs(view),
    status: request.verb === 'retry' ? status : apply(view, status, request.verb),
    events: [{ type: 'Normal', reason: 'RequestApplied', action: 'Decide', note }],
  };
}

/** Why a request cannot be followed, as the end of a sentence. */
function obstacleTo(view: RunView, verb: RequestVerb): string | undefined {
  const { status, holds, run } = view;
  if (!isWatched(status)) return `the run has ended (${status.phase}); only retry fits`;
  if (verb === 'retry') return `the run is ${status.phase}; only an ended one can be retried`;
  if (verb === 'promote' && currentPoint(run, status) === undefined) {
    return 'every point of the plan has been passed, so there is none to wait for';
  }
  const isLiftable = status.pausedBy !== undefined || holds.some(({ reason }) => isLifted(reason));
  if (verb === 'resume' && !isLiftable) {
    return holds.some((hold) => hold.by === 'spec.paused')
      ? 'it is paused by spec.paused, which only an edit of the spec takes back'
      : 'nothing that a person could lift holds it';
  }
  return undefined;
}

function isLifted(reason: string): boolean {
  return reason === LIFTABLE || reason === LOWERED;
}

function apply(
  view: RunView,
  status: RolloutStatus,
  verb: 'pause' | 'resume' | 'promote',
): RolloutStatus {
  switch (verb) {
    case 'pause':
      return { ...status, pausedBy: status.pausedBy ?? { by: BY, since: toIso(view.now) } };
    case 'resume': {
      const { pausedBy: _, ...rest } = status;
      const isHeldBy = (reason: string) => view.holds.some((hold) => hold.reason === reason);
      const lifted = isHeldBy(LIFTABLE) ? [LIFTABLE] : [];
      const known = { ...rest, acknowledgedHolds: [...(rest.acknowledgedHolds ?? []), ...lifted] };
      // What was known of a canary whose traffic is gone is forgotten: a person has looked.
      return isHeldBy(LOWERED) ? { ...known, triggers: [] } : known;
    }
    case 'promote': {
      const point = currentPoint(view.run, status);
      return point === undefined ? status : { ...status, promotedPoint: point.name };
    }
    default:
      return assertNever(verb);
  }
}

/** Nothing about the run changes by this decision; the next look, at once, decides on. */
function stayAsItIs(view: RunView): Verdict {
  return {
    because: { reason: 'RequestSeen', message: view.status.message ?? 'a request was seen' },
    phase: phaseOf(view.status),
    status: view.status,
    holds: view.status.holds ?? [],
    wakeAtMs: view.now,
    leavesTraffic: true,
  };
}

function refuse(view: RunView, token: string, note: string): Verdict {
  return {
    ...stayAsItIs(view),
    status: { ...view.status, lastRequestToken: token },
    events: [{ type: 'Warning', reason: 'RequestRefused', action: 'Decide', note }],
  };
}
