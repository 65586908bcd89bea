/** A human has paused: the schedule holds, the watch goes on, and a trigger still rolls back. */
import { holdSentence } from '#core/holds.ts';
import type { Rule } from './rule.ts';

export const paused: Rule = {
  name: 'paused',
  when: 'a person or spec.paused has paused the run',
  apply({ view }) {
    const pauses = view?.holds.filter((hold) => hold.reason === 'Paused') ?? [];
    if (view === undefined || pauses.length === 0) return undefined;
    const message = `${holdSentence(pauses)}; triggers are still watched`;
    return { because: { reason: 'Paused', message }, phase: 'Paused', status: view.status };
  },
};
