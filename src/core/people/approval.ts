/** Who has approved or rejected a step of this run, whose approval counts, and whether there are enough. */
import { limits } from '#api/limits.ts';
import type { RolloutStatus, Vote } from '#api/status.ts';
import type { Because } from '#core/decision.ts';
import type { PlanPoint, PointApproval } from '#core/run-spec.ts';
import { dueAtMs } from '#core/schedule.ts';
import type { DecisionPolicy, Snapshot } from '#core/snapshot.ts';
import { fromIsoOptional, spanText, toIso } from '#core/time.ts';
import type { RunView } from '#core/view.ts';

/** A policy is enforced a moment after it was made; what was decided in between was not checked. */
const POLICY_DELAY_MS = 5_000;

export type ApprovalGate =
  | { readonly type: 'open' }
  /** `expiresAtMs`: when the waiting is over; undefined: never. */
  | {
      readonly type: 'shut';
      readonly because: Because;
      readonly expiresAtMs: number | undefined;
    }
  /** Nobody approved in time, and that means going back. */
  | { readonly type: 'rollback'; readonly because: Because };

/** The gate of a step that is due. */
export function approvalGate(view: RunView, point: PlanPoint): ApprovalGate {
  const rejectedBy = votesOf(view.status, point.name, 'Reject').map(({ by }) => by);
  if (rejectedBy.length > 0) {
    const message = `${point.name} is rejected by ${rejectedBy.join(', ')}: it stays here until they approve, or somebody aborts`;
    return shut({ reason: 'Rejected', message }, undefined);
  }
  if (point.approval === undefined) return { type: 'open' };
  const approvers = countedApprovers(view, point.name, point.approval);
  if (approvers.length >= point.approval.quorum) return { type: 'open' };
  const message = needed(view, point, point.approval, approvers);
  const expiresAtMs = waitingEndsMs(view, point, point.approval);
  if (expiresAtMs === undefined || view.now < expiresAtMs) {
    return shut({ reason: 'ApprovalRequired', message }, expiresAtMs);
  }
  const waited = spanText(point.approval.expiresAfterMs ?? 0);
  const because = { reason: 'ApprovalExpired', message: `${message}, and ${waited} are over` };
  return point.approval.onExpiry === 'Rollback'
    ? { type: 'rollback', because }
    : shut(because, undefined);
}

/** Why no approval at all counts now, as the end of a sentence; undefined where they do. */
export function countingObstacle(
  { decisionPolicy }: Snapshot,
  status: RolloutStatus,
  approval: PointApproval,
): string | undefined {
  if (decisionPolicy.type === 'notEnforced') return decisionPolicy.message;
  if (approval.isAuthorExcluded && (status.authors ?? []).length === 0) {
    return 'the author may not approve, and who that is is not known: annotate the rollout with genesis.dev/author';
  }
  return undefined;
}

/** True when the API server has checked who made this decision. */
export function wasChecked(policy: DecisionPolicy, createdAtMs: number): boolean {
  return policy.type === 'enforced' && createdAtMs >= policy.sinceMs + POLICY_DELAY_MS;
}

/** The status with this person's word on the step; what they said before is taken back. */
export function castVote(status: RolloutStatus, vote: Vote): RolloutStatus {
  const isPassed = (step: string) =>
    status.plan?.some((one) => one.name === step && one.kind === 'Step' && one.passedAt) ?? false;
  const others = (status.approvals ?? []).filter(
    (one) => !isPassed(one.step) && (one.step !== vote.step || one.by !== vote.by),
  );
  return { ...status, approvals: [...others, vote] };
}

export function isFull(status: RolloutStatus, step: string, by: string): boolean {
  const votes = (status.approvals ?? []).filter((one) => one.step === step);
  return votes.length >= limits.votesPerStepMax && votes.every((one) => one.by !== by);
}

export function votesOf(
  { approvals }: RolloutStatus,
  step: string,
  decision: 'Approve' | 'Reject',
): Vote[] {
  return (approvals ?? []).filter((one) => one.step === step && one.decision === decision);
}

/** Everybody named an author is remembered, so that nobody can take their own name off to approve. */
export function withAuthor(status: RolloutStatus, { object }: Snapshot): RolloutStatus {
  const { author } = object;
  const known = status.authors ?? [];
  if (author === undefined || author === '' || known.includes(author)) return status;
  return { ...status, authors: [...known, author].slice(-limits.authorsMax) };
}

function countedApprovers(view: RunView, step: string, approval: PointApproval): string[] {
  const { snapshot, status, now } = view;
  if (countingObstacle(snapshot, status, approval) !== undefined) return [];
  const authors = approval.isAuthorExcluded ? (status.authors ?? []) : [];
  const people = votesOf(status, step, 'Approve')
    .filter(({ expiresAt }) => now < (fromIsoOptional(expiresAt) ?? Number.POSITIVE_INFINITY))
    .map(({ by }) => by);
  return [...new Set(people)].filter((by) => !authors.includes(by));
}

function needed(
  { snapshot, status }: RunView,
  point: PlanPoint,
  approval: PointApproval,
  approvers: readonly string[],
): string {
  const { quorum } = approval;
  const has = approvers.length === 0 ? 'none' : `${approvers.length} (${approvers.join(', ')})`;
  const base = `${point.name} needs ${quorum} approval${quorum === 1 ? '' : 's'} and has ${has}`;
  const obstacle = countingObstacle(snapshot, status, approval);
  return obstacle === undefined ? base : `${base}; no approval counts: ${obstacle}`;
}

/** Waiting begins when the step is due, or when a person has ended the waiting before it. */
function waitingEndsMs(
  { run, status, now }: RunView,
  point: PlanPoint,
  { expiresAfterMs }: PointApproval,
): number | undefined {
  if (expiresAfterMs === undefined) return undefined;
  const isPromoted = status.promotedPoint === point.name;
  const sinceMs = isPromoted
    ? (fromIsoOptional(status.promotedAt) ?? now)
    : dueAtMs(run, status, point);
  return sinceMs + expiresAfterMs;
}

function shut(because: Because, expiresAtMs: number | undefined): ApprovalGate {
  return { type: 'shut', because, expiresAtMs };
}

/** The vote that a decision makes. */
export function voteOf(
  step: string,
  decision: 'Approve' | 'Reject',
  wish: { readonly by: string; readonly expiresAt: string | undefined; readonly now: number },
): Vote {
  const { by, expiresAt, now } = wish;
  return {
    step,
    decision,
    by,
    at: toIso(now),
    ...(decision === 'Approve' && expiresAt !== undefined ? { expiresAt } : {}),
  };
}
