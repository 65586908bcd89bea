/** What happened between two statuses of a rollout, told once: by whoever wrote the second. */
import type { RolloutStatus } from '#api/status.ts';

export type Transition =
  | { readonly type: 'rollbackBegun'; readonly reason: string }
  /** Every route and flag reads 0 % canary. Undefined where no trigger asked for the rollback. */
  | {
      readonly type: 'trafficStopped';
      readonly sinceDecisionMs: number;
      readonly sinceFiringMs: number | undefined;
    }
  | { readonly type: 'promoted' }
  | { readonly type: 'drifted'; readonly count: number };

export function transitions(
  before: RolloutStatus,
  after: RolloutStatus,
  nowMs: number,
): Transition[] {
  if (before === after) return [];
  const told: Transition[] = [];
  const { rollback } = after;
  const hasBegun = rollback !== undefined && rollback.startedAt !== before.rollback?.startedAt;
  if (hasBegun) told.push({ type: 'rollbackBegun', reason: rollback.reason });
  // A rollback of a run without traffic has nothing to stop, and would flatter the figure.
  if (rollback !== undefined && !hasBegun && isStopped(after) && !isStopped(before)) {
    const firedAt = after.triggers?.find(({ name }) => name === rollback.trigger)?.firingAt;
    told.push({
      type: 'trafficStopped',
      sinceDecisionMs: nowMs - Date.parse(rollback.startedAt),
      sinceFiringMs: firedAt === undefined ? undefined : nowMs - Date.parse(firedAt),
    });
  }
  if (after.phase === 'Succeeded' && before.phase !== 'Succeeded') told.push({ type: 'promoted' });
  const count = before.runId === after.runId ? driftOf(after) - driftOf(before) : 0;
  if (count > 0) told.push({ type: 'drifted', count });
  return told;
}

/** A route that is gone keeps its last weight in the status: then the end of the rollback tells. */
function isStopped({ phase, routes = [] }: RolloutStatus): boolean {
  return (
    phase === 'RolledBack' ||
    routes.every(({ weight, problem }) => weight === 0 && problem === undefined)
  );
}

function driftOf({ routes = [] }: RolloutStatus): number {
  return routes.reduce((sum, { drift }) => sum + (drift ?? 0), 0);
}
