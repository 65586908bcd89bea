/** A person asked for something by annotation: abort first, since it only lowers; then the rest. */
import type { RolloutStatus } from '#api/status.ts';
import { assertNever } from '#core/assert.ts';
import type { Action, EventDraft } from '#core/decision.ts';
import { pendingRequest, type Request } from '#core/requests.ts';
import { beginRollback } from '#core/rollback.ts';
import { currentPoint } from '#core/schedule.ts';
import { toIso } from '#core/time.ts';
import { isWatched, type RunView } from '#core/view.ts';
import type { Rule, Verdict } from './rule.ts';

/** Holds that a person may lift for the rest of the run by `resume`. */
const LIFTABLE = 'WouldServeOlderVersion';
const BY = 'annotation';

export const asked: Rule = {
  name: 'asked',
  when: 'a person aborts, pauses, resumes or promotes',
  apply({ snapshot, view }) {
    const text = snapshot.object.request;
    if (text === undefined || view === undefined) return undefined;
    const clear: Action = { type: 'ClearRequest', request: text };
    const request = pendingRequest(text, view.status.lastRequestToken);
    // `retry` starts a new run of an ended one: that is for the rule that starts runs.
    if (request?.type === 'request' && request.verb === 'retry' && !isWatched(view.status)) {
      return undefined;
    }
    const verdict = answer(view, request);
    return { ...verdict, actions: [...(verdict.actions ?? []), clear] };
  },
};

function answer(view: RunView, request: Request | undefined): Verdict {
  const stay = stayAsItIs(view);
  if (request === undefined) return stay;
  if (request.type === 'invalid') return { ...stay, events: [refused(request.message)] };
  const status = { ...view.status, lastRequestToken: request.token };
  const named = `${request.verb} ${request.token}`;
  if (!isWatched(view.status) || request.verb === 'retry') {
    const message = `request "${named}" does not fit a run that is ${view.status.phase}`;
    return { ...stay, status, events: [refused(message)] };
  }
  if (request.verb === 'abort') {
    const because = { reason: 'Aborted', message: `aborted by request "${named}"` };
    return beginRollback({ ...view, status }, because, undefined);
  }
  return {
    ...stay,
    status: apply(view, status, request.verb),
    events: [
      { type: 'Normal', reason: 'RequestApplied', action: 'Decide', note: `request "${named}"` },
    ],
    wakeAtMs: view.now,
  };
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
      return isHeldBy('LoweredByAnother') ? { ...known, triggers: [] } : known;
    }
    case 'promote': {
      const point = currentPoint(view.run, status);
      return point === undefined ? status : { ...status, promotedPoint: point.name };
    }
    default:
      return assertNever(verb);
  }
}

/** Nothing about the run changes by this decision; the next look decides on. */
function stayAsItIs(view: RunView): Verdict {
  const phase = (view.status.phase ?? 'Progressing') as Verdict['phase'];
  return {
    because: { reason: 'RequestSeen', message: view.status.message ?? 'a request was seen' },
    phase,
    status: view.status,
    wakeAtMs: view.now,
  };
}

function refused(note: string): EventDraft {
  return { type: 'Warning', reason: 'RequestRefused', action: 'Decide', note };
}
