/** What is remembered of a look in virtual time, for timelines and for failures that explain themselves. */
import type { Action } from '#core/decision.ts';

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

export function actionText(action: Action): string {
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
