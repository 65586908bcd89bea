/** The rollout is being deleted: traffic is brought to where `deletionPolicy` wants it, then let go. */
import type { Action } from '#core/decision.ts';
import { restartsToStable } from '#core/restarts.ts';
import { isStableGone } from '#core/rollback.ts';
import { desiredWeight } from '#core/traffic.ts';
import type { RunView } from '#core/view.ts';
import type { Rule, RuleInput, Verdict } from './rule.ts';

/** `kubectl delete` must not hang: after this the finalizer gives up and says so. */
const GIVE_UP_AFTER_MS = 60_000;
const RETRY_MS = 1000;

export const deleted: Rule = {
  name: 'deleted',
  when: 'the rollout is being deleted',
  apply(input) {
    const { deletionRequestedAtMs } = input.snapshot.object;
    return deletionRequestedAtMs === undefined ? undefined : letGo(input, deletionRequestedAtMs);
  },
};

function letGo({ snapshot, view }: RuleInput, requestedAtMs: number): Verdict {
  const base = { phase: 'Pending', status: snapshot.status, leavesTraffic: true } as const;
  const done = { reason: 'Deleted', message: 'deleted; traffic is no longer steered' };
  if (!snapshot.object.hasFinalizer) return { ...base, because: done };
  const { lower, release } = view === undefined ? nothing : steps(view);
  // Nobody is sent to a stable that is not there; after a minute a person is told.
  const first = isStableGone(snapshot) ? [] : lower;
  if (lower.length + release.length === 0) {
    return { ...base, because: done, actions: [{ type: 'RemoveFinalizer' }] };
  }
  if (snapshot.now >= requestedAtMs + GIVE_UP_AFTER_MS) {
    const message = `traffic was not seen released within ${GIVE_UP_AFTER_MS / 1000}s of the deletion; check the routes by hand`;
    return {
      ...base,
      because: { reason: 'ReleaseGivenUp', message },
      // The last try, for an operator that was not there in time.
      first,
      actions: [...release, { type: 'RemoveFinalizer' }],
      events: [{ type: 'Warning', reason: 'ReleaseGivenUp', action: 'Delete', note: message }],
    };
  }
  const because = { reason: 'Releasing', message: 'deleted; traffic is being released' };
  const wakeAtMs = Math.min(snapshot.now + RETRY_MS, requestedAtMs + GIVE_UP_AFTER_MS);
  // Like every lowering to 0 this waits for no status.
  return { ...base, because, first, actions: release, wakeAtMs };
}

interface Steps {
  readonly lower: readonly Action[];
  readonly release: readonly Action[];
}

const nothing: Steps = { lower: [], release: [] };

/** What is left to do. A rollback that was decided is carried out whatever the policy says. */
function steps(view: RunView): Steps {
  const { run, status, snapshot } = view;
  // An ended run follows no edits, but this is what its owner wants now.
  const { deletionPolicy } = snapshot.wanted.type === 'ok' ? snapshot.wanted.run : run;
  const restores = deletionPolicy === 'RestoreStable' || status.rollback !== undefined;
  const rollbackOf = status.rollback === undefined ? undefined : view.runId;
  // A route that no run of ours has moved stays as its owner declares it.
  const hasSteered = desiredWeight(run, status) !== undefined;
  const lower: Action[] = [];
  const release: Action[] = [];
  for (const { target, reading } of snapshot.routes) {
    const isOurs = hasSteered || (reading.type === 'read' && reading.owned);
    if (reading.type === 'missing' || !isOurs) continue;
    const isDown = reading.type === 'read' && reading.weight === 0 && reading.uniform;
    if (restores && !isDown) {
      lower.push({ type: 'SetWeight', target, weight: 0, rollbackOf });
    } else if (reading.type === 'read' && reading.owned) {
      release.push({ type: 'Release', target, declared: reading.weight });
    }
  }
  // Ownership of the flag may go first: the mark on the workload says that it has to follow.
  return { lower, release: restores ? [...release, ...restartsToStable(view)] : release };
}
