/** What a report says, as data: JSON for tools, and what the Markdown is made of. Times are RFC 3339, durations ms. */

export interface Report {
  readonly kind: 'Incident' | 'Success';
  /** The run had ended when this was made; nothing can be added. */
  readonly isFinal: boolean;
  readonly madeAt: string;
  readonly namespace: string;
  readonly rollout: string;
  readonly revision: string;
  readonly runId: string;
  readonly startedAt: string;
  /** When the run ended; absent while it goes on. */
  readonly endedAt?: string;
  readonly tookMs: number;
  readonly outcome: string;
  /** Why, in a sentence. */
  readonly message: string;
  readonly rollback?: ReportedRollback;
  readonly fired: readonly ReportedFiring[];
  readonly triggers: readonly ReportedTrigger[];
  readonly plan: readonly ReportedPoint[];
  readonly weights: readonly { readonly at: string; readonly weight: number }[];
  readonly checkpoints: readonly ReportedCheckpoint[];
  readonly decisions: readonly ReportedDecision[];
  /** How the success criteria were judged last. */
  readonly success?: {
    readonly outcome: string;
    readonly judgedAt: string;
    readonly since: string;
    readonly missed: readonly string[];
  };
  readonly extensions: readonly {
    readonly at: string;
    readonly by: string;
    readonly reason: string;
    readonly until: string;
  }[];
  readonly criteria: readonly Omit<TriggerTerms, 'severity'>[];
  readonly required: readonly string[];
  readonly held: readonly ReportedHold[];
  readonly snapshots: ReportedSnapshots;
  readonly told: readonly ReportedTelling[];
  readonly timeline: readonly TimelineEntry[];
}

export interface ReportedRollback {
  readonly trigger?: string;
  readonly reason: string;
  readonly message: string;
  readonly startedAt: string;
  readonly completedAt?: string;
  readonly tookMs: number;
  readonly slaMs: number;
  readonly withinSla?: boolean;
  readonly outcome: string;
  readonly stages: readonly ReportedStage[];
}

export interface ReportedStage {
  readonly name: string;
  readonly startedAt: string;
  readonly finishedAt?: string;
  readonly tookMs?: number;
  readonly budgetMs?: number;
  readonly outcome: string;
  readonly message: string;
}

/** What a trigger asks and when it fires. */
export interface TriggerTerms {
  readonly name: string;
  readonly severity: string;
  /** How the number is had, as the spec has it. */
  readonly source: string;
  readonly condition: string;
  readonly forMs: number;
}

export interface ReportedFiring extends TriggerTerms {
  readonly value?: string;
  readonly activeAt?: string;
  readonly firingAt: string;
  readonly message: string;
}

export interface ReportedTrigger extends TriggerTerms {
  readonly state: string;
}

export interface ReportedPoint {
  readonly name: string;
  readonly kind: string;
  readonly weight?: number;
  /** From the start of the run, as the plan has it. */
  readonly plannedMs?: number;
  readonly dueAt: string;
  readonly passedAt?: string;
}

export interface ReportedCheckpoint {
  readonly name: string;
  readonly outcome: string;
  readonly at?: string;
  readonly message: string;
}

export interface ReportedDecision {
  readonly at: string;
  readonly decision: string;
  readonly by: string;
  readonly reason?: string;
  readonly outcome: string;
}

export interface ReportedHold {
  readonly from: string;
  readonly to?: string;
  readonly forMs: number;
  readonly why: readonly string[];
}

export interface ReportedSnapshots {
  readonly intervalMs: number;
  readonly expected: number;
  readonly missing: number;
  readonly gaps: readonly {
    readonly from: number;
    readonly to: number;
    readonly fromAt: string;
    readonly toAt: string;
  }[];
  readonly metrics: readonly MetricDigest[];
  /** How often each of what watches was found in which state. */
  readonly health: readonly {
    readonly of: string;
    readonly states: Readonly<Record<string, number>>;
  }[];
  /** Alerts that were seen firing, with the number of snapshots that saw them. */
  readonly alerts: readonly { readonly name: string; readonly snapshots: number }[];
}

export interface MetricDigest {
  readonly name: string;
  /** Snapshots with a value, and without one. */
  readonly values: number;
  readonly without: number;
  readonly min?: number | string;
  readonly max?: number | string;
  readonly last?: number | string;
}

export interface ReportedTelling {
  readonly reason: string;
  readonly kind: string;
  readonly count: number;
  readonly firstAt: string;
  readonly lastAt: string;
}

export interface TimelineEntry {
  readonly at: string;
  readonly what: string;
  readonly text: string;
}
