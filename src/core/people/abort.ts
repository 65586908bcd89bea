/** A person gives the run up: how that begins a rollback, and whether somebody has asked for it and was not answered yet. */
import { beginRollback } from '#core/rollback.ts';
import type { Verdict } from '#core/rules/rule.ts';
import { isWatched, type RunView } from '#core/view.ts';
import { recordAnswer } from './ledger.ts';
import { obstacleTo } from './obstacles.ts';
import { isExpired, nextWish, type Wish } from './wish.ts';

export interface PendingAbort {
  readonly wish: Wish;
  /** Undefined where nobody knows: an annotation has no time. */
  readonly askedAtMs: number | undefined;
}

export function abort(view: RunView, wish: Wish): Verdict {
  const message = `aborted by ${wish.named}`;
  const status = recordAnswer(view.snapshot, view.status, { wish, outcome: 'Applied', message });
  return beginRollback({ ...view, status }, { reason: 'Aborted', message }, undefined);
}

/** @returns undefined where nobody has asked, or where it cannot be followed */
export function pendingAbort(view: RunView): PendingAbort | undefined {
  const next = nextWish(view.snapshot, view.status);
  if (next?.type !== 'wish' || next.wish.kind !== 'Abort' || !isWatched(view.status)) {
    return undefined;
  }
  const { wish } = next;
  if (obstacleTo(view, wish) !== undefined) return undefined;
  if (wish.source.type === 'request') return { wish, askedAtMs: undefined };
  const { observation } = wish.source;
  if (isExpired(observation, view.now)) return undefined;
  return { wish, askedAtMs: observation.createdAtMs };
}
