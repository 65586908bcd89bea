/** Something speaks against going on: stay where we are, keep watching, and say what it is. */
import { holdSentence } from '#core/holds.ts';
import type { Rule } from './rule.ts';

export const held: Rule = {
  name: 'held',
  when: 'the hold set is not empty',
  apply({ view }) {
    const [first] = view?.holds ?? [];
    if (view === undefined || first === undefined) return undefined;
    const because = { reason: first.reason, message: holdSentence(view.holds) };
    return { because, phase: 'Held', status: view.status };
  },
};
