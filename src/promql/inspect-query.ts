/** A query of a spec, parsed before a run relies on it. Placeholders stand for names and numbers: one word of each will do. */
import { substitute } from '#api/placeholders.ts';
import type { QueryFacts } from '#core/resolve-measure.ts';
import { checkPromql } from './check.ts';

const STAND_INS = {
  namespace: 'n',
  rollout: 'r',
  revision: 'v',
  weight: '0',
  'arm.service': 's',
  'stable.service': 's',
  'canary.service': 's',
  window: '1m',
} as const;

export function inspectQuery(query: string): QueryFacts {
  const checked = checkPromql(substitute(query, STAND_INS));
  return checked.type === 'ok' ? { type: 'ok', longestRangeMs: checked.longestRangeMs } : checked;
}
