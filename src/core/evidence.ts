/**
 * When a snapshot is due, and how many there should be. At `startedAt + k × interval`, k = 1, 2, …, up to half an
 * interval late; paused, held and extended time counts. A missing one is counted and shown, never filled in.
 */
import type { HistoryEntry, RolloutStatus } from '#api/status.ts';
import type { Action } from './decision.ts';
import { countUpTo, hasIndex, type IndexRanges } from './index-ranges.ts';
import { draftRecord } from './record.ts';
import type { RunSpec } from './run-spec.ts';
import { fromIsoOptional } from './time.ts';
import { isWatched, type RunView } from './view.ts';

/** What the store has of the current run. */
export interface EvidenceState {
  /** Indices of the snapshots that are kept, or on their way there. */
  readonly recorded: IndexRanges;
  /** `final`: of a run that has ended, nothing can be added to it. `notKept`: nothing is kept here at all. */
  readonly report: 'none' | 'interim' | 'final' | 'notKept';
  /** Where the report is, or will be: `configmap/checkout-7f3a0c1d2e4b5a69-report`. */
  readonly reportAt: string;
}

/** All that a report is made of, apart from the records of the run. */
export interface ReportSource {
  readonly namespace: string;
  readonly name: string;
  readonly run: RunSpec;
  readonly status: RolloutStatus;
  /** When it was asked for, ms since the epoch. */
  readonly atMs: number;
  /** The run has ended. */
  readonly isFinal: boolean;
}

export interface SnapshotCounts {
  /** Due so far. */
  readonly expected: number;
  /** Of those, how many are neither there nor can still come in time. */
  readonly missing: number;
  /** The distance between two of this run, ms. */
  readonly intervalMs: number;
}

const INTERVAL_MIN_MS = 1000;

/** One distance for the whole run, also when the spec is edited: an index must go on meaning the same moment. */
export function snapshotIntervalMs(run: RunSpec, status: RolloutStatus): number {
  const known = status.snapshots?.intervalMs;
  return known === undefined || !(known >= INTERVAL_MIN_MS) ? run.snapshots.intervalMs : known;
}

/** Undefined while it is not known what has been kept, and where nothing is. */
function keptOf({ snapshot }: RunView): EvidenceState | undefined {
  return snapshot.evidence?.report === 'notKept' ? undefined : snapshot.evidence;
}

/** When the snapshot of this index is due, ms since the epoch. */
export function snapshotDueAtMs(view: RunView, index: number): number {
  return view.startedAtMs + index * snapshotIntervalMs(view.run, view.status);
}

/** The next moment at which a snapshot is due, ms since the epoch. */
export function nextSnapshotAtMs(view: RunView): number {
  return snapshotDueAtMs(view, newestIndex(view, view.now) + 1);
}

/** The snapshot that is to be made now; undefined when there is none, or it is not known what has been made. */
export function dueSnapshot(view: RunView): number | undefined {
  const evidence = keptOf(view);
  const index = newestIndex(view, view.now);
  if (evidence === undefined || index < 1 || !isWatched(view.status)) return undefined;
  const lateMs = view.now - snapshotDueAtMs(view, index);
  const isInTime = lateMs <= snapshotIntervalMs(view.run, view.status) / 2;
  return isInTime && !hasIndex(evidence.recorded, index) ? index : undefined;
}

/** The action that makes the snapshot which is due now, if one is. */
export function recordActions(view: RunView, status: RolloutStatus): Action[] {
  const index = dueSnapshot(view);
  if (index === undefined) return [];
  const draft = draftRecord(view, status, { index, dueAtMs: snapshotDueAtMs(view, index) });
  return [{ type: 'RecordSnapshot', runId: view.runId, index, draft }];
}

/**
 * Has the report of this run written, as things stand in `status`. A run that ends has its own written by
 * itself; this is for whoever wants one before that.
 */
export function reportAction(view: RunView, status: RolloutStatus, isFinal = false): Action {
  const { namespace, name } = view.snapshot.object;
  const { run, now } = view;
  const source = { namespace, name, run, status, atMs: now, isFinal };
  return { type: 'WriteReport', runId: view.runId, source };
}

/** The last report of a run that has ended, asked for until the store says that it has it. */
export function finalReportActions(view: RunView, status: RolloutStatus): Action[] {
  const evidence = keptOf(view);
  const isWanted = !isWatched(status) && lastRun(status, view)?.report !== undefined;
  const isOpen = evidence !== undefined && evidence.report !== 'final';
  return isWanted && isOpen ? [reportAction(view, status, true)] : [];
}

/** Names the report of a run that ends, and takes back the names of those whose evidence is not kept any more. */
export function withReports(status: RolloutStatus, view: RunView): RolloutStatus {
  const evidence = keptOf(view);
  if (evidence === undefined || status.history === undefined) return status;
  const hasEnded = !isWatched(status);
  const keptMax = hasEnded ? view.run.snapshots.keepRuns : view.run.snapshots.keepRuns - 1;
  const own = hasEnded ? lastRun(status, view) : undefined;
  const history = status.history.map((entry, index) => {
    if (entry === own) return { ...entry, report: entry.report ?? evidence.reportAt };
    if (index < keptMax || entry.report === undefined) return entry;
    const { report: _, ...rest } = entry;
    return rest;
  });
  return { ...status, history };
}

function lastRun(status: RolloutStatus, view: RunView): HistoryEntry | undefined {
  const last = status.history?.[0];
  return last?.runId === view.runId ? last : undefined;
}

/** @returns undefined while it is not known what has been recorded */
export function snapshotCounts(view: RunView): SnapshotCounts | undefined {
  const evidence = keptOf(view);
  if (evidence === undefined) return undefined;
  const settled = settledIndex(view);
  return {
    expected: expectedIndex(view),
    missing: settled - countUpTo(evidence.recorded, settled),
    intervalMs: snapshotIntervalMs(view.run, view.status),
  };
}

/** Every snapshot since `sinceMs` is there: what `success.require: SnapshotsComplete` asks for. */
export function snapshotsComplete(
  view: RunView,
  sinceMs: number,
):
  | { readonly type: 'met' }
  | { readonly type: 'missed'; readonly message: string }
  | { readonly type: 'unknown'; readonly message: string } {
  const evidence = keptOf(view);
  if (evidence === undefined) {
    return { type: 'unknown', message: 'which snapshots are kept is not known' };
  }
  const before = newestIndex(view, sinceMs);
  const settled = Math.max(before, settledIndex(view));
  const countBetween = countUpTo(evidence.recorded, settled) - countUpTo(evidence.recorded, before);
  const missing = settled - before - countBetween;
  if (missing === 0) return { type: 'met' };
  const message = `${missing} of ${expectedIndex(view) - before} snapshots are missing`;
  return { type: 'missed', message };
}

/** The newest index whose moment has come; 0 before the first. */
function newestIndex(view: RunView, atMs: number): number {
  const intervalMs = snapshotIntervalMs(view.run, view.status);
  return Math.max(0, Math.floor((atMs - view.startedAtMs) / intervalMs));
}

/** The newest index that has been due; a run that has ended expects no more. */
function expectedIndex(view: RunView): number {
  return newestIndex(view, endedAtMs(view) ?? view.now);
}

/** The newest index that cannot come any more: one that is due can for half an interval, while the run goes on. */
function settledIndex(view: RunView): number {
  const newest = expectedIndex(view);
  if (endedAtMs(view) !== undefined) return newest;
  const lateMs = view.now - snapshotDueAtMs(view, newest);
  const isOpen = lateMs <= snapshotIntervalMs(view.run, view.status) / 2;
  return isOpen ? Math.max(0, newest - 1) : newest;
}

function endedAtMs({ status }: RunView): number | undefined {
  return isWatched(status) ? undefined : fromIsoOptional(status.finishedAt);
}
