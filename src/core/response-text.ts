/** What a response says of itself: the trigger's own sentence, the rung where it is not the plain one, and the finding. */
import type { TriggerResponse } from '#api/status.ts';
import type { RunTrigger } from './run-spec.ts';
import type { TriggerOutcome } from './trigger.ts';

export function responseSentence(outcome: TriggerOutcome, response: TriggerResponse): string {
  const { status, findings } = outcome;
  const what = status.message ?? `${status.name} fires`;
  if (response.rung === response.action) return what;
  const finding = findings?.get(response.rung);
  return `${what}; ${response.rung}${finding === undefined ? '' : ` (${finding})`}`;
}

/** As the end of a sentence, empty where the trigger names nobody. */
export function whomToCall({ responder, runbookUrl }: RunTrigger): string {
  const call = responder === undefined ? '' : `; responder ${responder}`;
  return runbookUrl === undefined ? call : `${call}; runbook ${runbookUrl}`;
}
