/**
 * A rise back to traffic that canary has had and lost. Canary cannot say anything of itself without traffic, so the
 * chain of every Critical trigger is proved on the stable arm, as preflight does before the first rise.
 */
import type { Hold } from '#api/status.ts';
import type { Ask } from './answer.ts';
import { fillerFor } from './fill.ts';
import { dateHold, type Facts, TRIGGER_UNKNOWN } from './holds.ts';
import { fillMeasure, readAt } from './reading.ts';
import { currentPoint, dueAtMs } from './schedule.ts';
import { fromIso } from './time.ts';
import { desiredWeight, highestRead, lowestWeight } from './traffic.ts';
import type { TriggerOutcome } from './trigger.ts';

/** @returns one blocker for each trigger that neither arm speaks for; nothing is asked while no rise is due */
export function unprovedChains(facts: Facts, ask: Ask): Hold[] {
  const { run, status, now, triggers } = facts;
  if (run.preflight !== 'Require' || !isRiseFromLoss(facts)) return [];
  return triggers.filter(isSilent).flatMap((outcome) => {
    const message = unproved(facts, outcome, ask);
    const hold = { reason: TRIGGER_UNKNOWN, by: outcome.trigger.name };
    return message === undefined ? [] : [dateHold({ ...hold, message }, status, now)];
  });
}

/** Some route is at 0 and is to lead to canary now, and canary has had traffic in this run. */
function isRiseFromLoss({ snapshot, run, status, now }: Facts): boolean {
  const { routes } = snapshot;
  const isLost = status.trafficEndedAt !== undefined || (highestRead(routes) ?? 0) > 0;
  if (!isLost || lowestWeight(routes) !== 0 || status.rollback !== undefined) return false;
  if ((desiredWeight(run, status) ?? 0) > 0) return true;
  const point = currentPoint(run, status);
  return (point?.weight ?? 0) > 0 && point !== undefined && now >= dueAtMs(run, status, point);
}

/** Critical, and good only because nobody asks canary anything. */
function isSilent({ trigger, status }: TriggerOutcome): boolean {
  const isJudged = trigger.severity === 'Critical' && trigger.noData !== 'Ignore';
  return isJudged && status.state === 'Inactive' && status.reason === 'NoTrafficExpected';
}

function unproved(facts: Facts, outcome: TriggerOutcome, ask: Ask): string | undefined {
  const { run, status, now, weight = 0 } = facts;
  const { trigger, readAtMs } = outcome;
  const windowMs = now - fromIso(status.startedAt ?? '');
  const measure = fillMeasure(trigger.measure, fillerFor(run, 'stable', { weight, windowMs }));
  const reading = readAtMs === undefined ? undefined : readAt(measure, readAtMs, ask);
  if (reading?.type === 'value') return undefined;
  const why = reading === undefined ? 'not asked of stable yet' : reading.message;
  return `${trigger.name}: canary has lost its traffic, and stable has no reading either (${why}), so nothing proves that a breach would be seen`;
}
