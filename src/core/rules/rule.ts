/** What a rule is: it looks at the world and speaks, or leaves it to the next one. */
import type { Hold, RolloutStatus } from '#api/status.ts';
import type { Action, Because, EventDraft } from '#core/decision.ts';
import type { Snapshot } from '#core/snapshot.ts';
import type { RunView } from '#core/view.ts';

export const phases = [
  'Pending',
  'Preflight',
  'Progressing',
  'Held',
  'Paused',
  'Monitoring',
  'Promoting',
  'Succeeded',
  'RollingBack',
  'RolledBack',
] as const;

export type Phase = (typeof phases)[number];

/** The phase that a status names, for rules that leave it as it is. */
export function phaseOf(status: RolloutStatus): Phase {
  return phases.find((phase) => phase === status.phase) ?? 'Progressing';
}

export interface RuleInput {
  readonly snapshot: Snapshot;
  /** Undefined while no run has been started. */
  readonly view: RunView | undefined;
}

export interface Verdict {
  readonly because: Because;
  readonly phase: Phase;
  /** The next status, without what is derived from it: phase, routes, weight, conditions, message. */
  readonly status: RolloutStatus;
  /** Why it does not advance, where this rule knows more than the view's hold set. */
  readonly holds?: readonly Hold[];
  readonly first?: readonly Action[];
  readonly actions?: readonly Action[];
  readonly events?: readonly EventDraft[];
  /** Soonest reason of this rule's own to look again; ticks and due points are added for all. */
  readonly wakeAtMs?: number;
  /** True where routes are not to be steered by this decision: the rule's own actions say all. */
  readonly leavesTraffic?: boolean;
}

export interface Rule {
  readonly name: string;
  /** One clause that finishes "this rule speaks when …", for ARCHITECTURE.md and the reference. */
  readonly when: string;
  readonly apply: (input: RuleInput) => Verdict | undefined;
}
