/** What is remembered of a look in virtual time, for timelines and for failures that explain themselves. */
import type { Action, Decision } from '#core/decision.ts';
import type { Snapshot } from '#core/snapshot.ts';
import { isEvidence } from './virtual-evidence.ts';

/** What came of one look. */
export interface Entry {
  readonly at: number;
  readonly rule: string;
  readonly phase: string;
  readonly step: string | undefined;
  /** Highest share read at the time of the look, before its actions. */
  readonly weight: number | undefined;
  readonly reason: string;
  readonly message: string;
  readonly actions: readonly string[];
  readonly events: readonly string[];
}

/** @param atMs when it was looked */
export function entryOf(atMs: number, snapshot: Snapshot, decision: Decision): Entry {
  const { rule, because, status, first, actions, events } = decision;
  const weights = snapshot.routes.flatMap(({ reading }) =>
    reading.type === 'read' ? [reading.weight] : [],
  );
  return {
    at: atMs,
    rule,
    phase: status.phase ?? '',
    step: status.step,
    weight: weights.length === 0 ? undefined : Math.max(...weights),
    reason: because.reason,
    message: because.message,
    actions: [...first, ...actions].filter((one) => !isEvidence(one)).map(actionText),
    events: events.map((event) => event.reason),
  };
}

function actionText(action: Action): string {
  switch (action.type) {
    case 'SetWeight':
      return `SetWeight ${action.target.name} ${action.weight}`;
    case 'Isolate':
    case 'Rejoin':
    case 'Release':
      return `${action.type} ${action.target.name}`;
    case 'Restart':
      return `Restart ${action.workload.name} ${action.weight}`;
    case 'SettleDecision':
      return `SettleDecision ${action.name} ${action.outcome}`;
    default:
      return action.type;
  }
}

/** The last looks, for an error. */
export function describeLooks(timeline: readonly Entry[]): string {
  return timeline
    .slice(-4)
    .map((one) => `${new Date(one.at).toISOString()} ${one.rule} ${one.reason}: ${one.message}`)
    .join('\n');
}
