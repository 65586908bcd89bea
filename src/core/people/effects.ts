/** What becomes of the status when a wish is followed. */
import type { RolloutStatus } from '#api/status.ts';
import { assertNever } from '#core/assert.ts';
import { currentPoint } from '#core/schedule.ts';
import { extendEnd } from '#core/success.ts';
import { toIso } from '#core/time.ts';
import type { RunView } from '#core/view.ts';
import { castVote, voteOf } from './approval.ts';
import type { Wish } from './wish.ts';

/** Holds that a person may lift for the rest of the run by `Resume`. */
const LIFTABLE = 'WouldServeOlderVersion';
/** Lifted by forgetting what was known of a canary whose traffic is gone. */
const LOWERED = 'LoweredByAnother';

export function isLifted(reason: string): boolean {
  return reason === LIFTABLE || reason === LOWERED;
}

/** `Abort` and `Retry` are no change of the status alone: they begin a rollback and a run. */
export function follow(view: RunView, status: RolloutStatus, wish: Wish): RolloutStatus {
  switch (wish.kind) {
    case 'Approve':
    case 'Reject':
      return castVote(
        status,
        voteOf(wish.step ?? '', wish.kind, { ...wish, ...limitsOf(view, wish) }),
      );
    case 'Pause':
      return { ...status, pausedBy: status.pausedBy ?? pauseOf(view, wish) };
    case 'Resume':
      return resume(view, status);
    case 'Promote':
      return promote(view, status);
    case 'Acknowledge':
      return acknowledge(view, status, wish);
    case 'Extend':
      return extendEnd(view.run, status, {
        by: wish.by,
        reason: wish.reason ?? 'asked for',
        now: view.now,
      }).status;
    case 'Abort':
    case 'Retry':
      return status;
    default:
      return assertNever(wish.kind);
  }
}

function limitsOf(
  { now }: RunView,
  { source }: Wish,
): { readonly now: number; readonly expiresAt: string | undefined } {
  const expiresAt = source.type === 'decision' ? source.observation.spec.expiresAt : undefined;
  return { now, expiresAt };
}

function pauseOf({ now }: RunView, { by, reason }: Wish): RolloutStatus['pausedBy'] {
  return { by, since: toIso(now), ...(reason === undefined ? {} : { reason }) };
}

function resume(view: RunView, status: RolloutStatus): RolloutStatus {
  const { pausedBy: _, ...rest } = status;
  const isHeldBy = (reason: string) => view.holds.some((hold) => hold.reason === reason);
  const lifted = isHeldBy(LIFTABLE) ? [LIFTABLE] : [];
  const known = { ...rest, acknowledgedHolds: [...(rest.acknowledgedHolds ?? []), ...lifted] };
  // What was known of a canary whose traffic is gone is forgotten: a person has looked.
  return isHeldBy(LOWERED) ? { ...known, triggers: [] } : known;
}

function promote({ run, now }: RunView, status: RolloutStatus): RolloutStatus {
  const point = currentPoint(run, status);
  if (point === undefined || status.promotedPoint === point.name) return status;
  return { ...status, promotedPoint: point.name, promotedAt: toIso(now) };
}

/** The first one to look at it is the one who has it. */
function acknowledge({ now }: RunView, status: RolloutStatus, wish: Wish): RolloutStatus {
  const triggers = status.triggers?.map((trigger) =>
    trigger.name === wish.step && trigger.acknowledgedAt === undefined
      ? { ...trigger, acknowledgedBy: wish.by, acknowledgedAt: toIso(now) }
      : trigger,
  );
  return triggers === undefined ? status : { ...status, triggers };
}
