/** The spec as a run follows it: defaults filled in, durations in ms, conditions parsed, references resolved. */
import type { Condition } from '#api/condition-text.ts';
import type { RollbackStageName } from '#api/rollback.ts';
import type { CheckpointRequirement } from '#api/schedule.ts';
import type { SuccessRequirement } from '#api/success.ts';
import type { Probe, SuiteFigureOf } from './answer.ts';
import type { Subscription } from './notices/policy.ts';

export interface Backend {
  readonly service: string;
  readonly port: number;
}

/** What to split, and between whom. `flag` is set only for feature flags, the backends only for routes. */
export interface RouteTarget {
  readonly namespace: string;
  readonly name: string;
  readonly kind: string;
  readonly apiVersion: string;
  readonly stable: Backend | undefined;
  readonly canary: Backend | undefined;
  readonly flag:
    | {
        readonly key: string;
        readonly format: 'Percent' | 'Flagd';
        readonly flag: string | undefined;
      }
    | undefined;
}

/** A workload that reads the flag only at its start. */
export interface RunRestart {
  readonly namespace: string;
  readonly kind: 'Deployment' | 'StatefulSet' | 'DaemonSet';
  readonly name: string;
  /** Names the flag on the workload, beside those of other rollouts: ConfigMap, key and flag. */
  readonly flag: string;
}

export type Severity = 'Critical' | 'Warning' | 'Info';

/**
 * How a number is had. Placeholders that differ by arm and time are still in the text.
 * `rangeMs` is how far back the query looks: nothing from before the run may count.
 */
export type Measure =
  | {
      readonly type: 'query';
      readonly query: string;
      readonly series: Readonly<Record<string, string>> | undefined;
      readonly isArmBound: boolean;
      readonly rangeMs: number;
    }
  | {
      readonly type: 'ratio';
      readonly bad: string;
      readonly total: string;
      readonly series: Readonly<Record<string, string>> | undefined;
      readonly isArmBound: boolean;
      readonly rangeMs: number;
    }
  /** Neither arm's: whoever answers at the URL, whatever the suite tests. */
  | (Probe & { readonly type: 'probe'; readonly isArmBound: false; readonly rangeMs: 0 })
  | (SuiteFigureOf & { readonly type: 'suite'; readonly isArmBound: false; readonly rangeMs: 0 });

/** A health suite, and how it is run. */
export interface RunSuite {
  readonly name: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly runner:
    | { readonly type: 'http'; readonly url: string }
    /** A JobTemplateSpec as the user wrote it. */
    | { readonly type: 'job'; readonly template: Readonly<Record<string, unknown>> };
  /** Regular expressions for names of tests. */
  readonly knownFlaky: readonly string[];
}

export type ResponseAction = 'Rollback' | 'Hold' | 'RunSuite' | 'Notify' | 'Continue';

/** What must be so for a rung to be carried out: a trend of the trigger's measure, or a finding of a suite. */
export type RungCondition = 'Worsening' | 'Improving' | 'Steady' | 'NewFailures' | 'KnownFlakyOnly';

/** One response to a firing trigger, `afterMs` counted from `firingAt`. */
export interface Rung {
  readonly action: ResponseAction;
  readonly afterMs: number;
  readonly when?: RungCondition;
  /** Only with RunSuite, which always has it. */
  readonly suite?: string;
}

/** A count query as pieces of text, with the length of the time to count over between each two. */
export type CountText = readonly string[];

/** An anytime-valid test on the counts of a ratio; see core/judge. */
export interface SequentialJudge {
  readonly type: 'Sequential';
  readonly counts: { readonly bad: CountText; readonly total: CountText };
  /** The share of bad requests that counts as healthy where there is no stable to compare with. */
  readonly limit: number;
  /** What ln e has to reach. */
  readonly logBar: number;
  readonly blockMs: number;
  /** By how much stable's time is longer than canary's at both ends. */
  readonly lagMs: number;
}

export type Judge = { readonly type: 'Threshold' } | SequentialJudge;

export interface RunTrigger {
  readonly name: string;
  readonly severity: Severity;
  readonly measure: Measure;
  readonly condition: Condition;
  readonly judge: Judge;
  readonly forMs: number;
  readonly keepFiringForMs: number;
  readonly noData: 'Hold' | 'Ignore' | 'Breach';
  readonly noDataForMs: number;
  readonly ladder: readonly Rung[];
  /** Stable breaches too: it is held so long before the ladder begins. */
  readonly compareWithStable?: { readonly holdForMs: number };
  /** Nobody has acknowledged or decided so long after it fired: the release owner is paged. */
  readonly respondWithinMs?: number;
  readonly responder?: string;
  readonly runbookUrl?: string;
}

/** What must be so: of canary at the end, of stable again after a rollback. */
export interface RunCriterion {
  readonly name: string;
  readonly measure: Measure;
  readonly condition: Condition;
  /** A violation that lasts this long fails it. */
  readonly forMs: number;
}

/** What is judged at the end, and what follows from a miss. */
export interface RunSuccess {
  readonly criteria: readonly RunCriterion[];
  readonly require: readonly SuccessRequirement[];
  readonly onFailure: 'Extend' | 'Rollback' | 'Hold';
  readonly extendByMs: number;
  readonly maxExtensions: number;
}

/** The way back: the budget of each stage, and what each looks at. */
export interface RunRollback {
  readonly slaMs: number;
  readonly stopTrafficMs: number;
  readonly verifyMs: number;
  readonly restoreMs: number;
  readonly stabilizeMs: number;
  readonly reportMs: number;
  /** Must answer 2xx. */
  readonly healthUrl: string | undefined;
  readonly healthSuite: string | undefined;
  readonly baseline: readonly RunCriterion[];
  readonly hooks: readonly RunHook[];
}

/** A Job that is run once in a stage. */
export interface RunHook {
  /** By its place in the spec. */
  readonly name: string;
  readonly stage: RollbackStageName;
  /** A JobTemplateSpec as the user wrote it. */
  readonly jobTemplate: Readonly<Record<string, unknown>>;
}

/** A step, a checkpoint or the end, in order of time. */
export interface PlanPoint {
  readonly name: string;
  readonly kind: 'Step' | 'Checkpoint' | 'End';
  readonly atMs: number;
  /** Canary share in percent; undefined for checkpoints and the end. */
  readonly weight: number | undefined;
  /** What this version cannot judge yet at the end; it holds there and says so. */
  readonly unjudged: readonly string[];
  /** What must be so to pass a checkpoint; empty for steps and the end. */
  readonly requirements: readonly CheckpointRequirement[];
  /** What follows when it is not so. */
  readonly onFailure: 'Hold' | 'Rollback';
  /** People must agree first; undefined where nobody is asked. */
  readonly approval: PointApproval | undefined;
}

export interface PointApproval {
  /** How many distinct people. */
  readonly quorum: number;
  /** Whoever made the change does not count. */
  readonly isAuthorExcluded: boolean;
  /** How long to wait, from when the step is due; undefined: for ever. */
  readonly expiresAfterMs: number | undefined;
  readonly onExpiry: 'Hold' | 'Rollback';
}

/** No weight rises and nothing is promoted for `durationMs` of elapsed time from each opening. */
export interface FreezeWindow {
  readonly name: string;
  readonly cron: string;
  readonly timeZone: string;
  readonly durationMs: number;
  readonly reason: string | undefined;
}

/** Literal thresholds are tried on stable's history. */
export interface RunBacktest {
  readonly windowMs: number;
  /** How often a trigger may have fired in it. */
  readonly maxFirings: number;
}

/** A metric that is recorded, whether or not a trigger or a criterion looks at it. */
export interface RunMetric {
  readonly name: string;
  readonly measure: Extract<Measure, { readonly type: 'query' | 'ratio' }>;
}

/** How the Services of both arms are scraped, where the operator is asked to see to it. */
export interface RunServiceMonitor {
  readonly port: string;
  readonly path: string;
  readonly scheme: 'http' | 'https';
  readonly intervalMs: number;
}

/** What preflight proves besides every query in use. */
export interface RunChain {
  /** Names of alerting rules. */
  readonly alertRules: readonly string[];
  /** Uids of Grafana dashboards. */
  readonly dashboards: readonly string[];
  /** Scrape jobs. */
  readonly targets: readonly string[];
}

export interface RunSpec {
  readonly revision: string;
  readonly paused: boolean;
  /** Placeholders that are the same for every query of the run. */
  /** Of the spec with its defaults: two specs with the same one say the same. */
  readonly digest: string;
  readonly placeholders: { readonly namespace: string; readonly rollout: string };
  readonly stable: Backend | undefined;
  readonly canary: Backend | undefined;
  readonly targets: readonly RouteTarget[];
  readonly restarts: readonly RunRestart[];
  readonly points: readonly PlanPoint[];
  readonly freezes: readonly FreezeWindow[];
  readonly success: RunSuccess;
  readonly thenMonitorForMs: number;
  readonly intervalMs: number;
  readonly offsetMs: number;
  readonly triggers: readonly RunTrigger[];
  readonly suites: readonly RunSuite[];
  readonly canaryDown: { readonly forMs: number; readonly action: 'Rollback' | 'Hold' };
  readonly preflight: 'Require' | 'Advise' | 'Skip';
  readonly chain: RunChain;
  readonly backtest: RunBacktest | undefined;
  readonly rollback: RunRollback;
  readonly deletionPolicy: 'RestoreStable' | 'KeepTraffic';
  readonly onNewRevision: 'Restart' | 'Queue' | 'Reject';
  readonly historyLimit: number;
  readonly metrics: readonly RunMetric[];
  readonly serviceMonitor: RunServiceMonitor | undefined;
  readonly snapshots: { readonly intervalMs: number; readonly keepRuns: number };
  /** Who has asked to be told what. */
  readonly notify: readonly Subscription[];
}
