/** A trigger has held for its time and asks for a rollback: obeyed in every phase before the run has ended. */
import { isDue, responseAtMs } from '#core/ladder.ts';
import { beginRollback } from '#core/rollback.ts';
import { isWatched } from '#core/view.ts';
import type { Rule } from './rule.ts';

export const fired: Rule = {
  name: 'fired',
  when: 'a trigger has fired and its response is to roll back',
  apply({ view }) {
    if (view === undefined || !isWatched(view.status)) return undefined;
    const due = view.triggers
      .flatMap((outcome) => {
        const atMs = responseAtMs(outcome, 'Rollback');
        const isWanted = atMs !== undefined && isDue(outcome, 'Rollback', view.now);
        return isWanted ? [{ outcome, atMs }] : [];
      })
      .sort((a, b) => a.atMs - b.atMs);
    const [soonest] = due;
    if (soonest === undefined) return undefined;
    const { trigger, status } = soonest.outcome;
    const because = { reason: 'TriggerFiring', message: status.message ?? `${trigger.name} fires` };
    return beginRollback(view, because, trigger.name);
  },
};
