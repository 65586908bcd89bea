/** The evidence store of virtual time: in memory, at once, and able to lose what it is given. */
import { type Answer, type MetricQuestion, questionKey } from '#core/answer.ts';
import type { Action } from '#core/decision.ts';
import type { EvidenceState, ReportSource } from '#core/evidence.ts';
import { type IndexRanges, noIndices, withIndex } from '#core/index-ranges.ts';
import {
  completeRecord,
  type EventRecord,
  questionsOf,
  type SnapshotRecord,
} from '#core/record.ts';
import { type MadeReport, makeReport } from '#core/report/report.ts';

export type EvidenceAction = Extract<
  Action,
  { readonly type: 'RecordSnapshot' } | { readonly type: 'WriteReport' }
>;

type KeptRecord = SnapshotRecord & { readonly runId: string };

export class VirtualEvidence {
  readonly #kept: { readonly runId: string; readonly make: () => SnapshotRecord }[] = [];
  readonly #made: KeptRecord[] = [];
  /** What was asked for records alone. */
  readonly questions: MetricQuestion[] = [];
  /** What every report that was written was made of, in order. */
  readonly written: ReportSource[] = [];
  /** False: the store loses what it is given. */
  keeps = true;
  /** False: a process that has just started does not know yet what is kept. */
  isKnown = true;
  readonly #recorded = new Map<string, IndexRanges>();

  /** What the newest report of each run is made of. */
  readonly #sources = new Map<string, ReportSource>();
  readonly #events: (EventRecord & { readonly runId: string })[] = [];

  stateOf(runId: string): EvidenceState {
    const recorded = this.#recorded.get(runId) ?? noIndices;
    const source = this.#sources.get(runId);
    const report = source === undefined ? 'none' : source.isFinal ? 'final' : 'interim';
    return { recorded, report, reportAt: `configmap/${runId}-report` };
  }

  told(runId: string, event: EventRecord): void {
    if (this.keeps) this.#events.push({ ...event, runId });
  }

  carryOut(action: EvidenceAction, answer: (question: MetricQuestion) => Answer): void {
    if (!this.keeps) return;
    if (action.type === 'RecordSnapshot') this.#keep(action, answer);
    else this.#write(action);
  }

  #write({ runId, source }: Extract<EvidenceAction, { type: 'WriteReport' }>): void {
    this.#sources.set(runId, source);
    this.written.push(source);
  }

  #keep(
    { runId, index, draft }: Extract<EvidenceAction, { type: 'RecordSnapshot' }>,
    answer: (question: MetricQuestion) => Answer,
  ): void {
    const open = questionsOf(draft);
    this.questions.push(...open);
    const answers = new Map(open.map((one) => [questionKey(one), answer(one)] as const));
    this.keep(runId, index, () => completeRecord(draft, answers));
  }

  /** @param make draws the record up when somebody reads it */
  keep(runId: string, index: number, make: () => SnapshotRecord): void {
    this.#kept.push({ runId, make });
    this.#recorded.set(runId, withIndex(this.stateOf(runId).recorded, index));
  }

  /** Records of all runs, in the order in which they were kept. */
  get records(): readonly KeptRecord[] {
    for (const { runId, make } of this.#kept.slice(this.#made.length)) {
      this.#made.push({ ...make(), runId });
    }
    return this.#made;
  }

  /** Made when somebody asks for it; undefined while none has been written. */
  report(runId: string): MadeReport | undefined {
    const source = this.#sources.get(runId);
    if (source === undefined) return undefined;
    const lines = [...this.records, ...this.#events].filter((line) => line.runId === runId);
    return makeReport(source, lines);
  }
}

/** Records are kept apart from what steers traffic. */
export function isEvidence(action: Action): action is EvidenceAction {
  return action.type === 'RecordSnapshot' || action.type === 'WriteReport';
}
