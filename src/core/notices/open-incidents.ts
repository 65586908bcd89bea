/** What is open in a status, and who has answered it. */
import type { Hold, RolloutStatus, TriggerStatus } from '#api/status.ts';
import type { RunTrigger } from '#core/run-spec.ts';
import { fromIso, fromIsoOptional } from '#core/time.ts';
import { incidentNames, type OpenIncident, severityOf } from './fact.ts';
import { severityOfHold } from './hold-facts.ts';

export function openTrigger(
  status: RolloutStatus,
  trigger: TriggerStatus,
  terms: RunTrigger | undefined,
): OpenIncident[] {
  const { name, firingAt } = trigger;
  if (firingAt === undefined) return [];
  return [
    {
      name: incidentNames.trigger(name),
      severity: severityOf(trigger.severity),
      since: firingAt,
      answeredBy: trigger.acknowledgedBy ?? decidedBy(status, firingAt),
      hasOwnDeadline: terms?.respondWithinMs !== undefined,
    },
  ];
}

export function openHold(status: RolloutStatus, { reason, since, by }: Hold): OpenIncident {
  const acknowledged = status.triggers?.find(({ name }) => name === by)?.acknowledgedBy;
  return {
    name: incidentNames.hold(reason),
    severity: severityOfHold(reason),
    since,
    answeredBy: acknowledged ?? decidedBy(status, since),
    hasOwnDeadline: false,
  };
}

/** One that went well is over with it; of one that did not somebody has to take care. */
export function openRollback(status: RolloutStatus): OpenIncident[] {
  const { rollback } = status;
  if (rollback === undefined || rollback.outcome === 'Succeeded') return [];
  const cause = status.triggers?.find(({ name }) => name === rollback.trigger);
  return [
    {
      name: incidentNames.rollback,
      severity: 'Critical',
      since: rollback.startedAt,
      answeredBy: cause?.acknowledgedBy ?? decidedBy(status, rollback.startedAt),
      hasOwnDeadline: false,
    },
  ];
}

/** Any decision shows that somebody is looking at the run; an acknowledgement is of its trigger alone. */
function decidedBy(status: RolloutStatus, since: string): string | undefined {
  const sinceMs = fromIso(since);
  const isSince = (at: string | undefined) => (fromIsoOptional(at) ?? -Infinity) >= sinceMs;
  if (isSince(status.pausedBy?.since)) return status.pausedBy?.by;
  return status.decisions?.find(
    ({ decision, decidedAt, outcome }) =>
      decision !== 'Acknowledge' && outcome === 'Applied' && isSince(decidedAt),
  )?.by;
}
