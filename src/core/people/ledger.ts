/**
 * The account of what people decided: kept in the rollout's status first, so that nothing is applied twice, and
 * written into the GenesisDecision itself until it stands there.
 */
import { limits } from '#api/limits.ts';
import type { DecisionEntry, RolloutStatus } from '#api/status.ts';
import type { Action } from '#core/decision.ts';
import type { Snapshot } from '#core/snapshot.ts';
import { toIso } from '#core/time.ts';
import { earlyUntilMs, type Wish } from './wish.ts';

/** An outcome that could not be written is tried again after this, in an ended run too. */
const RETRY_MS = 10_000;

export type WishOutcome = 'Applied' | 'Refused' | 'Expired';

export interface WishAnswer {
  readonly wish: Wish;
  readonly outcome: WishOutcome;
  readonly message: string;
}

/** The status with the answer on record: the newest first, 50 of them. */
export function recordAnswer(
  snapshot: Snapshot,
  status: RolloutStatus,
  { wish, outcome, message }: WishAnswer,
): RolloutStatus {
  const { source, kind, step, by, reason } = wish;
  const entry: DecisionEntry = {
    ...(source.type === 'decision'
      ? { name: source.observation.name, uid: source.observation.uid }
      : {}),
    decision: kind,
    ...(step === undefined ? {} : { step }),
    by,
    decidedAt: toIso(snapshot.now),
    ...(reason === undefined ? {} : { reason }),
    outcome,
    message: message.slice(0, limits.messageLengthMax),
    ...(status.runId === undefined ? {} : { runId: status.runId }),
  };
  return {
    ...status,
    decisions: [entry, ...kept(snapshot, status.decisions ?? [])],
    ...(source.type === 'request' ? { lastRequestToken: source.token } : {}),
  };
}

/** False while so many answers are not written into their decisions that another would push one out. */
export function hasRoom(snapshot: Snapshot, { decisions = [] }: RolloutStatus): boolean {
  return decisions.filter((entry) => isOpen(snapshot, entry)).length < limits.decisionsMax - 1;
}

/** What is still to be written into a decision is never pushed out: it would be applied again. */
function kept(snapshot: Snapshot, entries: readonly DecisionEntry[]): DecisionEntry[] {
  const excess = entries.length - (limits.decisionsMax - 1);
  if (excess <= 0) return [...entries];
  const done = entries.filter((entry) => !isOpen(snapshot, entry)).slice(-excess);
  return entries.filter((entry) => !done.includes(entry));
}

function isOpen({ decisions }: Snapshot, { uid }: DecisionEntry): boolean {
  return uid !== undefined && decisions.some((one) => one.uid === uid && !one.isSettled);
}

/** Again and again until it stands there: a write that was lost is made good. */
export function settlements({ decisions }: Snapshot, status: RolloutStatus): Action[] {
  return decisions.flatMap(({ name, uid, isSettled }): Action[] => {
    const entry = status.decisions?.find((one) => one.uid === uid);
    if (isSettled || entry === undefined) return [];
    const { outcome, message = '', runId, decidedAt } = entry;
    return [{ type: 'SettleDecision', name, uid, outcome, message, runId, decidedAt }];
  });
}

/** When something is to be done about decisions at the latest. */
export function decisionMoments(snapshot: Snapshot, status: RolloutStatus): number[] {
  const early = earlyUntilMs(snapshot, status);
  const isOwing = settlements(snapshot, status).length > 0;
  return [...(early === undefined ? [] : [early]), ...(isOwing ? [snapshot.now + RETRY_MS] : [])];
}
