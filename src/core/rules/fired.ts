/** A trigger has held for its time and its ladder asks for a rollback: obeyed in every phase before the run has ended. */
import { wantedRollback } from '#core/ladder-rollback.ts';
import { beginRollback } from '#core/rollback.ts';
import { isWatched } from '#core/view.ts';
import type { Rule } from './rule.ts';

export const fired: Rule = {
  name: 'fired',
  when: 'a trigger has fired and its response is to roll back',
  apply({ view }) {
    if (view === undefined || !isWatched(view.status)) return undefined;
    const wanted = wantedRollback(view.triggers);
    return wanted && beginRollback(view, wanted.because, wanted.trigger);
  },
};
