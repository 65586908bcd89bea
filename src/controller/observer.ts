/** Who wants to know what the controller does: metrics and logs, without the controller knowing either. */
import type { Decision } from '#core/decision.ts';
import type { Snapshot } from '#core/snapshot.ts';
import type { ObjectKey } from '#ports/cluster.ts';

/** Deferred: what is to be written waits for its turn at the API server. */
export type ReconcileResult = 'success' | 'conflict' | 'deferred' | 'error';

export interface ReconcileObserver {
  /** A decision was made and carried out. */
  decided(key: ObjectKey, snapshot: Snapshot, decision: Decision): void;
  /** One look at one key is over; `evaluationMs` is what asking and deciding took of it. */
  reconciled(result: ReconcileResult, durationMs: number, evaluationMs: number | undefined): void;
  /** The rollout is gone. */
  forgotten(key: ObjectKey): void;
}
