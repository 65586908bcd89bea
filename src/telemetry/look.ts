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

export interface SeenSuiteResult {
  readonly type: 'done';
  readonly total: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly knownFlaky: number;
}

/** By name: the runs of a health suite, ascending in time. */
export type SeenSuites = ReadonlyMap<
  string,
  {
    readonly runs: readonly {
      readonly startedAtMs: number;
      readonly finishedAtMs: number;
      readonly outcome: SeenSuiteResult | { readonly type: 'failed' };
    }[];
  }
>;

/** The newest check of the metric chain. */
export interface SeenChain {
  readonly checkedAtMs: number;
  readonly findings: readonly { readonly link: string; readonly verdict: string }[];
  readonly health: Readonly<
    Record<'prometheus' | 'alertmanager' | 'grafana', { readonly state: string }>
  >;
}

/** What of the spec that a run follows the metrics need. */
export interface SeenRun {
  readonly rollback: { readonly slaMs: number };
}

/** What was known before the decision. */
export interface SeenBefore {
  readonly now: number;
  readonly status: RolloutStatus;
  readonly recorded?: SeenRun | undefined;
  readonly suites?: SeenSuites | undefined;
  readonly chain?:
    | { readonly type: 'known'; readonly report: SeenChain }
    | { readonly type: 'unknown' }
    | undefined;
  /** By question; those of Prometheus begin with `i ` and `r `. */
  readonly answers?: ReadonlyMap<string, { readonly type: string; readonly fault?: string }>;
}

/** Kept until the next look at the same rollout; immutable. */
export interface Seen {
  readonly status: RolloutStatus;
  readonly triggers: readonly SeenTrigger[];
  readonly snapshots?: { readonly expected: number; readonly missing: number } | undefined;
  /** Undefined while there is no run. */
  readonly run?: SeenRun | undefined;
  readonly suites?: SeenSuites | undefined;
  /** Undefined before the first check. */
  readonly chain?: SeenChain | undefined;
}

export interface LookObserver {
  decided(
    key: ObjectKey,
    before: SeenBefore,
    after: Pick<Seen, 'status' | 'triggers' | 'snapshots'>,
  ): void;
  reconciled(
    result: 'success' | 'conflict' | 'deferred' | 'error',
    durationMs: number,
    evaluationMs: number | undefined,
  ): void;
  forgotten(key: ObjectKey): void;
}
