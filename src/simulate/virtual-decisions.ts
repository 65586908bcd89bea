/** GenesisDecisions as the API server would keep them: made at a time, settled by the operator, never forgotten. */
import type { DecisionSpec } from '#api/decision.ts';
import type { Action } from '#core/decision.ts';
import type { DecisionObservation } from '#core/snapshot.ts';

export interface VirtualOutcome {
  readonly outcome: string;
  readonly message: string;
}

export class VirtualDecisions {
  /** A new array with every change. */
  list: readonly DecisionObservation[] = [];
  /** What the operator has written into each, by name. */
  readonly outcomes = new Map<string, VirtualOutcome>();

  /** Creation times have whole seconds, as in every API server. */
  add(spec: DecisionSpec, nowMs: number): string {
    const name = `${spec.rollout}-${this.list.length + 1}`;
    const createdAtMs = Math.floor(nowMs / 1000) * 1000;
    const made = { name, uid: `uid-${name}`, createdAtMs, spec, isSettled: false };
    this.list = [...this.list, made];
    return name;
  }

  settle({ uid, name, outcome, message }: Extract<Action, { type: 'SettleDecision' }>): void {
    this.outcomes.set(name, { outcome, message });
    this.list = this.list.map((one) => (one.uid === uid ? { ...one, isSettled: true } : one));
  }
}
