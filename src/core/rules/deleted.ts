/** The rollout is being deleted: traffic is brought to where `deletionPolicy` wants it, then let go. */
import type { Action } from '#core/decision.ts';
import { allRead } from '#core/traffic.ts';
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
  const actions: Action[] =
    view === undefined ? [] : releases(view.run.deletionPolicy, snapshot.routes);
  if (actions.length === 0) {
    return { ...base, because: done, actions: [{ type: 'RemoveFinalizer' }] };
  }
  if (snapshot.now >= requestedAtMs + GIVE_UP_AFTER_MS) {
    const message = `traffic could not be released within ${GIVE_UP_AFTER_MS / 1000}s of the deletion; check the routes by hand`;
    return {
      ...base,
      because: { reason: 'ReleaseGivenUp', message },
      actions: [{ type: 'RemoveFinalizer' }],
      events: [{ type: 'Warning', reason: 'ReleaseGivenUp', action: 'Delete', note: message }],
    };
  }
  const because = { reason: 'Releasing', message: 'deleted; traffic is being released' };
  return { ...base, because, actions, wakeAtMs: snapshot.now + RETRY_MS };
}

function releases(
  policy: 'RestoreStable' | 'KeepTraffic',
  routes: RuleInput['snapshot']['routes'],
): Action[] {
  const restores = policy === 'RestoreStable';
  return routes.flatMap(({ target, reading }): Action[] => {
    if (reading.type !== 'read') return [];
    const isPlaced = !restores || allRead([{ target, reading }], 0);
    if (!isPlaced) return [{ type: 'SetWeight', target, weight: 0, rollbackOf: undefined }];
    return reading.owned ? [{ type: 'Release', target, declared: reading.weight }] : [];
  });
}
