/** What `decide` says: the next status, what to do, whom to tell, and when to look again. */
import type { RolloutStatus } from '#api/status.ts';
import type { ReportSource, SnapshotCounts } from './evidence.ts';
import type { RecordDraft } from './record.ts';
import type { RouteTarget, RunRestart, RunSpec, RunSuite } from './run-spec.ts';
import type { TriggerOutcome } from './trigger.ts';

/** Why: the condition, the event, the log line and the notification all say this one sentence. */
export interface Because {
  /** CamelCase, listed in the reference. */
  readonly reason: string;
  readonly message: string;
}

/** Each is absolute and idempotent: doing it twice, or late, is harmless. */
export type Action =
  /** `rollbackOf` is set for every lowering that belongs to a rollback. */
  | {
      readonly type: 'SetWeight';
      readonly target: RouteTarget;
      readonly weight: number;
      readonly rollbackOf: string | undefined;
    }
  | { readonly type: 'Isolate'; readonly target: RouteTarget }
  | { readonly type: 'Rejoin'; readonly target: RouteTarget }
  | { readonly type: 'Release'; readonly target: RouteTarget; readonly declared: number }
  /** Writes on its pod template for which share of the flag it is restarted, unless that stands there. */
  | { readonly type: 'Restart'; readonly workload: RunRestart; readonly weight: number }
  | { readonly type: 'AddFinalizer' }
  | { readonly type: 'RemoveFinalizer' }
  /** Keeps the spec as it is now, whole, under this name. */
  | { readonly type: 'RecordSpec'; readonly name: string; readonly runId: string }
  | { readonly type: 'ClearRequest'; readonly request: string }
  /** Runs a suite unless it runs already, or a run of it has started at `dueAtMs` or later. */
  | {
      readonly type: 'RunSuite';
      readonly suite: RunSuite;
      readonly runId: string;
      readonly dueAtMs: number;
      /** A clause for logs: "its interval has passed". */
      readonly reason: string;
    }
  /** Has the metric chain checked, unless that is being done. Never waited for. */
  | {
      readonly type: 'CheckChain';
      readonly run: RunSpec;
      /** Of the spec that `run` comes from. */
      readonly generation: number;
      /** Canary's share as read back, in percent. */
      readonly weight: number;
      /** A decision waits for it. */
      readonly isPressing: boolean;
    }
  /** Completes the draft with what is still to be asked, and keeps the record. Never waited for. */
  | {
      readonly type: 'RecordSnapshot';
      readonly runId: string;
      readonly index: number;
      readonly draft: RecordDraft;
    }
  /** Creates a Job of the rollout's own, unless there is one of that name. */
  | {
      readonly type: 'RunJob';
      readonly name: string;
      readonly runId: string;
      readonly jobTemplate: Readonly<Record<string, unknown>>;
    }
  /** Makes the report of a run from this and from its records, and keeps it. Never waited for. */
  | { readonly type: 'WriteReport'; readonly runId: string; readonly source: ReportSource }
  /** Writes into a GenesisDecision what came of it. */
  | {
      readonly type: 'SettleDecision';
      readonly name: string;
      readonly uid: string;
      readonly outcome: string;
      readonly message: string;
      readonly runId: string | undefined;
      readonly decidedAt: string;
    };

export interface EventDraft {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly action: string;
  readonly note: string;
}

export interface Decision {
  /** The rule that spoke. */
  readonly rule: string;
  readonly because: Because;
  readonly status: RolloutStatus;
  /** Done before the status is written: records the status will name, and every lowering of a rollback. */
  readonly first: readonly Action[];
  /** Done after the status has been written. */
  readonly actions: readonly Action[];
  readonly events: readonly EventDraft[];
  /** When to look again at the latest; undefined when only a change can make a difference. */
  readonly wakeAtMs: number | undefined;
  /**
   * How much later than `wakeAtMs` the look may come without harm, in ms: 0 unless nothing but the next routine
   * evaluation waits. Evaluations of many rollouts fall on one grid; asked at once they delay what is urgent.
   */
  readonly slackMs: number;
  /**
   * The soonest moment at which anything but a changed truth of a trigger, or of the world, can make a difference: evaluations
   * before it may be left out where the truths of all triggers are known to stay. Undefined: none may be.
   */
  readonly nextMomentMs?: number | undefined;
  /** The same without snapshots and suites that are due by their interval: those are done by the clock and decide nothing. */
  readonly nextTurnMs?: number | undefined;
  /** The last look's decision stands: nothing but figures has changed since. */
  readonly isRepeated?: true;
  /** The triggers as evaluated, with live readings, for metrics. */
  readonly triggers: readonly TriggerOutcome[];
  /** Live figures; undefined while it is not known what has been recorded. */
  readonly snapshots?: SnapshotCounts | undefined;
}
