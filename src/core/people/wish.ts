/**
 * What a person asks for: by a GenesisDecision, or by the annotation genesis.dev/request of a tool that can only
 * annotate. Both take the same way; each is answered once.
 */
import type { DecisionKind } from '#api/decision.ts';
import type { RolloutStatus } from '#api/status.ts';
import { isRejected } from '#core/new-revision.ts';
import { soonest } from '#core/next-look.ts';
import { pendingRequest, refusalToken } from '#core/requests.ts';
import type { DecisionObservation, Snapshot } from '#core/snapshot.ts';
import { fromIsoOptional } from '#core/time.ts';

export type WishSource =
  | { readonly type: 'decision'; readonly observation: DecisionObservation }
  | { readonly type: 'request'; readonly token: string };

export interface Wish {
  readonly kind: DecisionKind;
  /** The step, or the trigger, that it is about. */
  readonly step: string | undefined;
  readonly by: string;
  readonly reason: string | undefined;
  /** For sentences. */
  readonly named: string;
  readonly source: WishSource;
}

export type NextWish =
  | { readonly type: 'wish'; readonly wish: Wish }
  /** It cannot even be read. */
  | { readonly type: 'unreadable'; readonly token: string; readonly message: string };

/** Who asks by annotation is not known. */
export const BY_ANNOTATION = 'annotation';

/** A decision and the new revision it is about come by different watches: the one may be early by this much. */
const REVISION_GRACE_MS = 10_000;

const kindOfVerb = {
  pause: 'Pause',
  resume: 'Resume',
  promote: 'Promote',
  abort: 'Abort',
  retry: 'Retry',
} as const satisfies Record<string, DecisionKind>;

/** The next one that is to be answered now: aborts first, since they only lower, then in order of time. */
export function nextWish(snapshot: Snapshot, status: RolloutStatus): NextWish | undefined {
  const decisions = pendingDecisions(snapshot, status).filter(
    (one) => !isEarly(snapshot, status, one),
  );
  const request = requestOf(snapshot, status);
  const abort = decisions.find(({ spec }) => spec.decision === 'Abort');
  if (abort !== undefined) return { type: 'wish', wish: wishOf(abort) };
  if (request !== undefined) return request;
  const [first] = decisions;
  return first === undefined ? undefined : { type: 'wish', wish: wishOf(first) };
}

/** When a decision that is about a revision to come must be looked at again; undefined when none waits. */
export function earlyUntilMs(snapshot: Snapshot, status: RolloutStatus): number | undefined {
  const moments = pendingDecisions(snapshot, status)
    .filter((one) => isEarly(snapshot, status, one))
    .flatMap(({ createdAtMs, spec }) => [
      createdAtMs + REVISION_GRACE_MS,
      fromIsoOptional(spec.expiresAt),
    ]);
  return soonest(moments, snapshot.now);
}

export function isExpired({ spec }: DecisionObservation, now: number): boolean {
  const expiresAtMs = fromIsoOptional(spec.expiresAt);
  return expiresAtMs !== undefined && now >= expiresAtMs;
}

function pendingDecisions(snapshot: Snapshot, status: RolloutStatus): DecisionObservation[] {
  const isAnswered = ({ uid }: DecisionObservation) =>
    status.decisions?.some((entry) => entry.uid === uid) ?? false;
  return snapshot.decisions
    .filter((one) => !one.isSettled && !isAnswered(one))
    .toSorted((a, b) => a.createdAtMs - b.createdAtMs || (a.name < b.name ? -1 : 1));
}

/** About a revision whose run is about to start, or may be: it is answered when that has started. */
function isEarly(snapshot: Snapshot, status: RolloutStatus, one: DecisionObservation): boolean {
  const { wanted, now } = snapshot;
  if (one.spec.revision === status.revision || isExpired(one, now)) return false;
  const isWanted =
    wanted.type === 'ok' &&
    wanted.run.revision === one.spec.revision &&
    !isRejected({ ...snapshot, status });
  return isWanted || now < one.createdAtMs + REVISION_GRACE_MS;
}

function wishOf(observation: DecisionObservation): Wish {
  const { decision, step, by, reason } = observation.spec;
  const about = step === undefined ? '' : ` of ${step}`;
  const why = reason === undefined ? '' : `: ${reason}`;
  return {
    kind: decision,
    step,
    by,
    reason,
    named: `${decision}${about} by ${by} (${observation.name})${why}`,
    source: { type: 'decision', observation },
  };
}

function requestOf({ object }: Snapshot, status: RolloutStatus): NextWish | undefined {
  const { request: text } = object;
  // What has been answered is only waiting to be cleared, which `conclude` sees to: it stops nothing.
  const request = pendingRequest(text, status.lastRequestToken);
  if (request === undefined || text === undefined) return undefined;
  if (request.type === 'invalid') {
    return { type: 'unreadable', token: refusalToken(text), message: request.message };
  }
  const { verb, token } = request;
  const wish: Wish = {
    kind: kindOfVerb[verb],
    step: undefined,
    by: BY_ANNOTATION,
    reason: undefined,
    named: `request "${verb} ${token}"`,
    source: { type: 'request', token },
  };
  return { type: 'wish', wish };
}
