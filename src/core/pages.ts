/**
 * Which holds call a person at once, and the event that does it: one for each reason when it begins, however many
 * triggers, routes or suites say the same. What holds for want of traffic or by plan calls nobody.
 */
import type { RolloutStatus } from '#api/status.ts';
import type { EventDraft } from './decision.ts';

/** Those of the causes that hold and page, and what is said of stable and of suites (engine.md). */
export const pagingReasons: readonly string[] = [
  'ChainBroken',
  'BadQuery',
  'PrometheusDown',
  'SharedIncident',
  'StableDown',
  'SuiteFailing',
];

/** Preflight has people looking already, and a rollback pages for itself. */
export function pageEvents(before: RolloutStatus, after: RolloutStatus): EventDraft[] {
  if (after.preflightPassedAt === undefined || after.rollback !== undefined) return [];
  const had = new Set(before.holds?.map(({ reason }) => reason));
  return pagingReasons.flatMap((reason): EventDraft[] => {
    const holds = (after.holds ?? []).filter((hold) => hold.reason === reason);
    const [first, ...others] = holds;
    if (first === undefined || had.has(reason)) return [];
    const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
    return [{ type: 'Warning', reason, action: 'Page', note: `${first.message}${more}` }];
  });
}
