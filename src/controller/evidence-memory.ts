/** What one process knows of one rollout's evidence: what is kept, what is on its way, what has been lost. */
import type { ReportSource } from '#core/evidence.ts';
import {
  hasIndex,
  type IndexRanges,
  noIndices,
  union,
  withIndex,
  withoutIndex,
} from '#core/index-ranges.ts';
import { type EvidenceLine, momentOf } from '#core/record.ts';
import type { SuiteRun } from '#core/suite-state.ts';
import type { EvidenceOwner, KeptRun } from '#ports/evidence-store.ts';

/** Engine.md: a segment per six hours. */
const SEGMENT_MS = 6 * 3_600_000;
/** Half a day of snapshots that a store which is down has not taken yet, with what was told in the meantime. */
const LINES_MAX = 256;

export interface WaitingLine {
  readonly runId: string;
  readonly segment: number;
  readonly line: EvidenceLine;
}

interface RunMemory {
  kept: KeptRun;
  /** The segment of the newest line. */
  newestSegment: number;
}

type SuiteRuns = ReadonlyMap<string, readonly SuiteRun[]>;

const noSuiteRuns: SuiteRuns = new Map();

export class EvidenceMemory {
  readonly owner: EvidenceOwner;
  /** Undefined until the store has said what it has. */
  #runs: Map<string, RunMemory> | undefined;
  #waiting: readonly WaitingLine[] = [];
  /** Snapshots that are being made or wait to be kept, by run. */
  readonly #onTheirWay = new Map<string, IndexRanges>();
  readonly #reports = new Map<string, ReportSource>();
  /** Of runs that were asked for. */
  readonly #suiteRuns = new Map<string, SuiteRuns | undefined>();
  /** How many runs are kept, and which is under way: set by whoever looks. */
  current: { readonly runId: string; readonly keepRuns: number } | undefined;
  /** Drafts whose questions are not answered yet. */
  drafts = 0;

  constructor(owner: EvidenceOwner) {
    this.owner = owner;
  }

  get isLoaded(): boolean {
    return this.#runs !== undefined;
  }

  loaded(runs: readonly KeptRun[]): void {
    this.#runs = new Map(
      runs.map((kept) => [kept.runId, { kept, newestSegment: Math.max(0, ...kept.openSegments) }]),
    );
  }

  /** Kept or on its way. */
  recorded(runId: string): IndexRanges {
    const kept = this.#runs?.get(runId)?.kept.recorded ?? noIndices;
    return union(kept, this.#onTheirWay.get(runId) ?? noIndices);
  }

  report(runId: string): KeptRun['report'] {
    const kept = this.#runs?.get(runId)?.kept.report ?? 'none';
    const waiting = this.#reports.get(runId);
    if (kept === 'final' || waiting === undefined) return kept;
    return waiting.isFinal ? 'final' : kept;
  }

  /** The last report is kept: what happens to the run from here on is told, and kept no more. */
  isComplete(runId: string): boolean {
    return this.#runs?.get(runId)?.kept.report === 'final';
  }

  /** @returns false when it is there already, or on its way */
  begin(runId: string, index: number): boolean {
    if (hasIndex(this.recorded(runId), index)) return false;
    this.#onTheirWay.set(runId, withIndex(this.#onTheirWay.get(runId) ?? noIndices, index));
    return true;
  }

  /** @returns what had to be given up so that the memory stays small */
  add(runId: string, startedAtMs: number, line: EvidenceLine): readonly WaitingLine[] {
    const atMs = Date.parse(momentOf(line));
    const own = Math.max(0, Math.floor((atMs - startedAtMs - 1) / SEGMENT_MS));
    // What is told late goes where something can still be added.
    const newest = this.#runs?.get(runId)?.newestSegment ?? 0;
    const segment = line.type === 'snapshot' ? own : Math.max(own, newest);
    const all = [...this.#waiting, { runId, segment, line }];
    const dropped = all.slice(0, Math.max(0, all.length - LINES_MAX));
    this.#waiting = all.slice(dropped.length);
    this.#forgetIndices(dropped);
    return dropped;
  }

  /** What the store had of suites when this process asked first; undefined while that is not known. */
  suiteRuns(runId: string): SuiteRuns | undefined {
    const known = this.#suiteRuns.get(runId);
    if (known !== undefined) return known;
    // What is not there cannot be read, and needs not to be.
    const hasNone = this.#runs !== undefined && !this.#runs.has(runId);
    if (hasNone) return noSuiteRuns;
    this.#suiteRuns.set(runId, undefined);
    return undefined;
  }

  get suitesToRead(): readonly string[] {
    return [...this.#suiteRuns].flatMap(([runId, runs]) => (runs === undefined ? [runId] : []));
  }

  suitesRead(runId: string, runs: SuiteRuns): void {
    this.#suiteRuns.set(runId, runs);
  }

  askFor(runId: string, source: ReportSource): void {
    if (this.#reports.get(runId)?.isFinal !== true) this.#reports.set(runId, source);
  }

  get waiting(): readonly WaitingLine[] {
    return this.#waiting;
  }

  get reports(): readonly (readonly [runId: string, source: ReportSource])[] {
    return [...this.#reports];
  }

  get hasWork(): boolean {
    return (
      this.#waiting.length > 0 ||
      this.#reports.size > 0 ||
      this.suitesToRead.length > 0 ||
      this.surplusRuns.length > 0 ||
      this.segmentsToClose().length > 0
    );
  }

  /** These are in the store; `lost` can never be. */
  kept(lines: readonly WaitingLine[], lost: readonly EvidenceLine[]): void {
    this.#waiting = this.#waiting.filter((one) => !lines.includes(one));
    for (const { runId, segment, line } of lines) {
      const run = this.#run(runId);
      run.newestSegment = Math.max(run.newestSegment, segment);
      const { openSegments, recorded } = run.kept;
      const open = openSegments.includes(segment) ? openSegments : [...openSegments, segment];
      const isKept = line.type === 'snapshot' && !lost.includes(line);
      run.kept = {
        ...run.kept,
        openSegments: open,
        recorded: isKept ? withIndex(recorded, line.index) : recorded,
      };
    }
    this.#forgetIndices(lines);
  }

  reported(runId: string, source: ReportSource): void {
    const run = this.#run(runId);
    run.kept = { ...run.kept, report: source.isFinal ? 'final' : 'interim' };
    if (this.#reports.get(runId) === source) this.#reports.delete(runId);
  }

  /** Open segments to which nothing is added any more: those before the newest, and all of a run with its last report. */
  segmentsToClose(): readonly { readonly runId: string; readonly number: number }[] {
    return [...(this.#runs ?? [])].flatMap(([runId, { kept, newestSegment }]) => {
      const isOver = kept.report === 'final' || (this.current && runId !== this.current.runId);
      const isBusy = this.#waiting.some((one) => one.runId === runId) || this.#reports.has(runId);
      return kept.openSegments
        .filter((number) => (isOver === true && !isBusy) || number < newestSegment)
        .map((number) => ({ runId, number }));
    });
  }

  closed(runId: string, number: number): void {
    const run = this.#run(runId);
    const openSegments = run.kept.openSegments.filter((one) => one !== number);
    run.kept = { ...run.kept, openSegments };
  }

  /** Runs beyond the newest `keepRuns`; the one under way is the newest. */
  get surplusRuns(): readonly string[] {
    if (this.current === undefined || this.#runs === undefined) return [];
    const { runId: current, keepRuns } = this.current;
    return [...this.#runs.values()]
      .filter(({ kept }) => kept.runId !== current)
      .toSorted((a, b) => b.kept.sinceMs - a.kept.sinceMs)
      .slice(Math.max(0, keepRuns - 1))
      .map(({ kept }) => kept.runId);
  }

  removed(runId: string): void {
    this.#runs?.delete(runId);
  }

  #run(runId: string): RunMemory {
    const runs = this.#runs ?? new Map<string, RunMemory>();
    this.#runs = runs;
    const known = runs.get(runId);
    if (known !== undefined) return known;
    const sinceMs = Number.POSITIVE_INFINITY;
    const kept: KeptRun = { runId, sinceMs, recorded: noIndices, openSegments: [], report: 'none' };
    const made = { kept, newestSegment: 0 };
    runs.set(runId, made);
    return made;
  }

  #forgetIndices(lines: readonly WaitingLine[]): void {
    for (const { runId, line } of lines) {
      if (line.type !== 'snapshot') continue;
      const left = withoutIndex(this.#onTheirWay.get(runId) ?? noIndices, line.index);
      this.#onTheirWay.set(runId, left);
    }
  }
}
