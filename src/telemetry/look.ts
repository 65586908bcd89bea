/** What of a look at a rollout the metrics are made of. The controller's own values fit as they are. */
import type { RolloutStatus, TriggerStatus } from '#api/status.ts';
import type { ObjectKey } from '#ports/cluster.ts';

export interface SeenTrigger {
  readonly trigger: {
    readonly name: string;
    readonly severity: string;
    readonly condition: { readonly threshold: number };
  };
  readonly status: TriggerStatus;
  readonly reading:
    | { readonly type: 'value'; readonly value: number }
    | { readonly type: 'noTraffic' | 'noData' | 'error' }
    | undefined;
}

/** Kept until the next look at the same rollout; immutable. */
export interface Seen {
  readonly status: RolloutStatus;
  readonly triggers: readonly SeenTrigger[];
  readonly snapshots?: { readonly expected: number; readonly missing: number } | undefined;
}

export interface LookObserver {
  decided(
    key: ObjectKey,
    before: { readonly now: number; readonly status: RolloutStatus },
    after: Seen,
  ): void;
  reconciled(
    result: 'success' | 'conflict' | 'error',
    durationMs: number,
    evaluationMs: number | undefined,
  ): void;
  forgotten(key: ObjectKey): void;
}
