/** Everything `decide` may know, as one immutable value. */
import type { DecisionSpec } from '#api/decision.ts';
import type { RolloutStatus } from '#api/status.ts';
import type { Answer } from './answer.ts';
import type { ChainState } from './chain.ts';
import type { EvidenceState } from './evidence.ts';
import type { RouteReading } from './route-reading.ts';
import type { RouteTarget, RunRestart, RunSpec } from './run-spec.ts';
import type { Standing } from './standing.ts';
import type { SuiteState } from './suite-state.ts';
import type { WorkloadReading } from './workload-reading.ts';

export type ResolvedSpec =
  | { readonly type: 'ok'; readonly run: RunSpec }
  /** Sentences that name the field, the value and what is allowed. */
  | {
      readonly type: 'invalid';
      readonly problems: readonly string[];
      /** Default: InvalidSpec. */
      readonly reason?: 'InvalidSpec' | 'CrdOutdated';
    };

export interface RouteObservation {
  readonly target: RouteTarget;
  readonly reading: RouteReading;
}

export interface RestartObservation {
  readonly workload: RunRestart;
  readonly reading: WorkloadReading;
}

/** How far a Job is that runs once. */
export type JobState =
  | { readonly type: 'running' }
  | { readonly type: 'succeeded' }
  | { readonly type: 'failed'; readonly message: string };
/** A GenesisDecision for this rollout. */
export interface DecisionObservation {
  readonly name: string;
  readonly uid: string;
  readonly createdAtMs: number;
  readonly spec: DecisionSpec;
  /** Its own status has an outcome. */
  readonly isSettled: boolean;
}

/** Whether the API server holds `by` of a decision to its creator's name, and asks for the right to decide so. */
export type DecisionPolicy =
  | {
      readonly type: 'enforced';
      /** What was made before proves nothing. */
      readonly sinceMs: number;
    }
  | {
      readonly type: 'notEnforced';
      /** Why, as the end of a sentence. */
      readonly message: string;
    };

export interface Snapshot {
  /** Wall-clock time, ms since the epoch. */
  readonly now: number;
  readonly object: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly generation: number;
    readonly deletionRequestedAtMs: number | undefined;
    readonly hasFinalizer: boolean;
    /** The annotation genesis.dev/request, as it stands. */
    readonly request: string | undefined;
    /** The annotation genesis.dev/author: who made the change that is rolled out. */
    readonly author: string | undefined;
  };
  /** The spec as it is now. */
  readonly wanted: ResolvedSpec;
  /** The spec that the current run follows; undefined when there is no run yet. */
  readonly recorded: RunSpec | undefined;
  readonly status: RolloutStatus;
  /** One entry for each target of the recorded spec, else of the wanted one. */
  readonly routes: readonly RouteObservation[];
  /** Likewise one for each workload that is restarted with the flag. */
  readonly restarts: readonly RestartObservation[];
  /** Ready endpoints; undefined where a rollout names no Services. */
  readonly ready: { readonly stable: number | undefined; readonly canary: number | undefined };
  /** Name of the older rollout that already steers one of these routes. */
  readonly conflict: string | undefined;
  /** By name. A suite that is not in it has runs which are not known yet; one without runs has had none. */
  readonly suites: ReadonlyMap<string, SuiteState>;
  /** The Jobs that the status names as running, by name; one that is not in it has not been created. */
  readonly jobs: ReadonlyMap<string, JobState>;
  readonly decisions: readonly DecisionObservation[];
  readonly decisionPolicy: DecisionPolicy;
  /** Answers so far, by `questionKey`. */
  readonly answers: ReadonlyMap<string, Answer>;
  /** What is kept of the current run; undefined while it is not known, and where nothing is kept. */
  readonly evidence?: EvidenceState | undefined;
  /** Undefined where nobody checks the metric chain: nothing is held for it then. */
  readonly chain?: ChainState | undefined;
  /** What this process has decided last, if it may stand. Nothing follows from it that would not follow without it. */
  readonly last?: Standing | undefined;
}
