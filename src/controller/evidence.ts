/**
 * The shell's side of evidence: what the engine wants kept goes in here and is written in the background.
 * Nothing here ever waits, throws, or stands in the way of a decision.
 */
import type { RolloutStatus } from '#api/status.ts';
import type { Answer, MetricQuestion } from '#core/answer.ts';
import type { Action } from '#core/decision.ts';
import type { EvidenceState } from '#core/evidence.ts';
import { noIndices } from '#core/index-ranges.ts';
import type { EventRecord } from '#core/record.ts';
import type { KubeObject, ObjectKey } from '#ports/cluster.ts';
import type { SuiteArchive } from '#ports/suite-runner.ts';

export type RecordSnapshot = Extract<Action, { readonly type: 'RecordSnapshot' }>;
export type WriteReport = Extract<Action, { readonly type: 'WriteReport' }>;

export interface EvidenceKeeper extends SuiteArchive {
  /**
   * What is kept of the current run; undefined while that is not known yet.
   * @param keepRuns of how many runs it is kept; undefined while no spec says so
   */
  stateOf(
    rollout: KubeObject,
    status: RolloutStatus,
    keepRuns: number | undefined,
  ): EvidenceState | undefined;
  /** @param ask answers what the look itself had no need to ask */
  keepSnapshot(
    rollout: KubeObject,
    action: RecordSnapshot,
    ask: (question: MetricQuestion, signal: AbortSignal) => Promise<Answer>,
  ): void;
  keepReport(rollout: KubeObject, action: WriteReport): void;
  keepEvents(rollout: KubeObject, status: RolloutStatus, events: readonly EventRecord[]): void;
  /** The rollout is gone. */
  forget(key: ObjectKey): void;
}

/** Keeps nothing, and says so: no snapshot is ever due. */
export const noEvidence: EvidenceKeeper = {
  stateOf: () => ({ recorded: noIndices, report: 'notKept', reportAt: '' }),
  keepSnapshot: () => undefined,
  keepReport: () => undefined,
  keepEvents: () => undefined,
  keepSuiteRun: () => undefined,
  keptSuiteRuns: () => new Map(),
  forget: () => undefined,
};
