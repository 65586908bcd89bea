/** A query of a spec, parsed before a run relies on it. Placeholders stand for names and numbers: one word of each will do. */
import { withStandIns } from '#api/placeholders.ts';
import type { QueryFacts } from '#core/resolve-measure.ts';
import { checkPromql } from './check.ts';
import { countQuery } from './count.ts';

export function inspectQuery(query: string): QueryFacts {
  const text = withStandIns(query);
  const checked = checkPromql(text);
  if (checked.type !== 'ok') return checked;
  if (checked.fixesTime) {
    const message =
      'the modifier @ asks for one fixed time, so the answer says nothing of now and a hold could not be proved; use offset';
    return { type: 'invalid', message };
  }
  const { longestRangeMs } = checked;
  return { type: 'ok', longestRangeMs, counting: () => countQuery(text, query) };
}
