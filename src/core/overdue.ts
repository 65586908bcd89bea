/**
 * `respondWithin`: when a trigger has fired, a person must acknowledge it or decide something within this time;
 * otherwise the release owner is paged, once per firing. What the ladder does of itself is no answer of a person.
 */
import type { RolloutStatus } from '#api/status.ts';
import { fromIso, fromIsoOptional } from './time.ts';
import type { TriggerOutcome } from './trigger.ts';

/** When the page is due; undefined where none is: not firing, not asked for, answered, or paged already. */
export function overdueSince(outcome: TriggerOutcome, known: RolloutStatus): number | undefined {
  const { trigger, status } = outcome;
  const { firingAt } = status;
  if (status.state !== 'Firing' || firingAt === undefined) return undefined;
  if (trigger.respondWithinMs === undefined || status.overdueAt !== undefined) return undefined;
  const firingAtMs = fromIso(firingAt);
  return isAnswered(outcome, known, firingAtMs) ? undefined : firingAtMs + trigger.respondWithinMs;
}

/** An acknowledgement is of one trigger; any other decision shows that somebody is looking at the run. */
function isAnswered({ status }: TriggerOutcome, known: RolloutStatus, sinceMs: number): boolean {
  const isSince = (at: string | undefined) => (fromIsoOptional(at) ?? -Infinity) >= sinceMs;
  if (isSince(status.acknowledgedAt) || isSince(known.pausedBy?.since)) return true;
  return (known.decisions ?? []).some(
    ({ decision, decidedAt, outcome }) =>
      decision !== 'Acknowledge' && outcome === 'Applied' && isSince(decidedAt),
  );
}
