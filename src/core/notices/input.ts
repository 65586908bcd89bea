/** What a plan of notices is made from. */
import type { RunSpec } from '#core/run-spec.ts';
import type { TriggerOutcome } from '#core/trigger.ts';
import type { About } from './compose.ts';
import type { OpenIncident } from './fact.ts';
import type { Ledger, Opened } from './ledger.ts';
import type { NoticePolicy } from './policy.ts';

export interface NoticeInput {
  readonly about: About;
  readonly run: RunSpec | undefined;
  readonly triggers: readonly TriggerOutcome[];
  /** Undefined: nothing was ever told of this rollout. */
  readonly ledger: Ledger | undefined;
  readonly policy: NoticePolicy;
  readonly now: number;
}

/** The same opening: a trigger that fires again is another incident. */
export function isSame({ name, message }: Opened, incident: OpenIncident): boolean {
  return name === incident.name && message.incident?.openedAt === incident.since;
}
