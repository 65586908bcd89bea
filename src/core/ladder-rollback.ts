/** The rollback that the ladders of firing triggers ask for: of several the one that was due first. */
import type { Because } from './decision.ts';
import { rollbackByLadder } from './ladder.ts';
import { responseSentence } from './response-text.ts';
import { fromIso } from './time.ts';
import type { TriggerOutcome } from './trigger.ts';

export interface WantedRollback {
  readonly trigger: string;
  readonly because: Because;
}

export function wantedRollback(triggers: readonly TriggerOutcome[]): WantedRollback | undefined {
  const due = triggers.flatMap((outcome) => {
    const response = rollbackByLadder(outcome.status);
    return response === undefined ? [] : [{ outcome, response }];
  });
  const [first] = due.toSorted((a, b) => fromIso(a.response.at) - fromIso(b.response.at));
  if (first === undefined) return undefined;
  const { outcome, response } = first;
  const because = { reason: 'TriggerFiring', message: responseSentence(outcome, response) };
  return { trigger: outcome.trigger.name, because };
}
