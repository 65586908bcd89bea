/** Where snapshots, events and reports of runs are kept. */
import type { IndexRanges } from '#core/index-ranges.ts';
import type { EvidenceLine } from '#core/record.ts';

/** The rollout that evidence belongs to. */
export interface EvidenceOwner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Six hours of a run; segments are numbered from 0. */
export interface Segment {
  readonly owner: EvidenceOwner;
  readonly runId: string;
  readonly number: number;
}

export interface KeptReport {
  readonly markdown: string;
  readonly json: string;
  /** The run has ended: nothing can be added to it any more. */
  readonly isFinal: boolean;
}

/** What is kept of one run, without its records. */
export interface KeptRun {
  readonly runId: string;
  /** When its first record was kept, ms since the epoch: runs are kept in this order. */
  readonly sinceMs: number;
  readonly recorded: IndexRanges;
  readonly openSegments: readonly number[];
  readonly report: 'none' | 'interim' | 'final';
}

/**
 * Every method rejects when the store fails, honours `signal`, and may be repeated: a snapshot whose index is
 * there already is left as it is, and so is a report that is final.
 */
export interface EvidenceStore {
  runs(owner: EvidenceOwner, signal: AbortSignal): Promise<readonly KeptRun[]>;
  /**
   * Resolves once the lines are kept.
   * @returns what of them the store can never keep, because the segment is closed or a line is too large
   */
  append(
    segment: Segment,
    lines: readonly EvidenceLine[],
    signal: AbortSignal,
  ): Promise<readonly EvidenceLine[]>;
  /** Nothing can be added to the segment any more. */
  close(segment: Segment, signal: AbortSignal): Promise<void>;
  /** Everything of a run, in the order in which it was kept; a snapshot once. */
  read(owner: EvidenceOwner, runId: string, signal: AbortSignal): Promise<readonly EvidenceLine[]>;
  writeReport(
    owner: EvidenceOwner,
    runId: string,
    report: KeptReport,
    signal: AbortSignal,
  ): Promise<void>;
  /** The report of a run as people read it; undefined where there is none. */
  readReport(
    owner: EvidenceOwner,
    runId: string,
    signal: AbortSignal,
  ): Promise<Pick<KeptReport, 'markdown' | 'isFinal'> | undefined>;
  /** Where the report of a run is, or will be: `configmap/checkout-7f3a0c1d2e4b5a69-report`. */
  reportAt(owner: EvidenceOwner, runId: string): string;
  /** Takes everything of a run away. */
  remove(owner: EvidenceOwner, runId: string, signal: AbortSignal): Promise<void>;
}
