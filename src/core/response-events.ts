/**
 * Kubernetes Events for what ladders have carried out and for answers that are overdue. They follow from the
 * change of the status, so that what could not be written down is not told either. People are paged by these.
 */
import type { RolloutStatus, TriggerResponse, TriggerStatus } from '#api/status.ts';
import type { EventDraft } from './decision.ts';
import { isHeldAfter } from './ladder.ts';
import { responseSentence, whomToCall } from './response-text.ts';
import type { RunTrigger } from './run-spec.ts';
import { spanText } from './time.ts';
import type { TriggerOutcome } from './trigger.ts';

export function responseEvents(
  before: RolloutStatus,
  after: RolloutStatus,
  triggers: readonly TriggerOutcome[],
): EventDraft[] {
  if (before.runId !== after.runId) return [];
  return (after.triggers ?? []).flatMap((is) => {
    if (is.firingAt === undefined) return [];
    const was = before.triggers?.find(({ name }) => name === is.name);
    const outcome = triggers.find(({ trigger }) => trigger.name === is.name);
    if (was === is || outcome === undefined) return [];
    const known = was?.firingAt === is.firingAt ? was : undefined;
    return [...rungEvents(known, is, outcome), ...overdueEvents(known, is, outcome.trigger)];
  });
}

function rungEvents(
  was: TriggerStatus | undefined,
  is: TriggerStatus,
  outcome: TriggerOutcome,
): EventDraft[] {
  const { responses = [] } = is;
  const told = was?.responses?.length ?? 0;
  return responses.flatMap((response, index) =>
    index < told ? [] : (eventOf(response, responses.slice(0, index), outcome) ?? []),
  );
}

/** Hold and Rollback have events of their own, as every hold and every rollback has. */
function eventOf(
  response: TriggerResponse,
  earlier: readonly TriggerResponse[],
  outcome: TriggerOutcome,
): EventDraft | undefined {
  const { trigger } = outcome;
  const note = responseSentence(outcome, response);
  switch (response.action) {
    case 'Notify': {
      const type = trigger.severity === 'Info' ? 'Normal' : 'Warning';
      const call = whomToCall(trigger);
      return { type, reason: 'ResponderNotified', action: 'Notify', note: `${note}${call}` };
    }
    case 'RunSuite':
      return { type: 'Normal', reason: 'SuiteRequested', action: 'RunSuite', note };
    case 'Continue':
      return isHeldAfter(earlier)
        ? { type: 'Normal', reason: 'HoldLifted', action: 'Continue', note }
        : undefined;
    default:
      return undefined;
  }
}

function overdueEvents(
  was: TriggerStatus | undefined,
  is: TriggerStatus,
  trigger: RunTrigger,
): EventDraft[] {
  if (is.overdueAt === undefined || was?.overdueAt !== undefined) return [];
  const within = spanText(trigger.respondWithinMs ?? 0);
  const note = `nobody has answered within ${within}: ${is.message ?? is.name}${whomToCall(trigger)}`;
  return [{ type: 'Warning', reason: 'ResponseOverdue', action: 'Page', note }];
}
