/** The evidence store of virtual time: in memory, at once, and able to lose what it is given. */
import { type Answer, type MetricQuestion, questionKey } from '#core/answer.ts';
import type { Action } from '#core/decision.ts';
import type { EvidenceState } from '#core/evidence.ts';
import { type IndexRanges, noIndices, withIndex } from '#core/index-ranges.ts';
import { completeRecord, questionsOf, type SnapshotRecord } from '#core/record.ts';

export type EvidenceAction = Extract<Action, { readonly type: 'RecordSnapshot' }>;

export class VirtualEvidence {
  /** Records of all runs, in the order in which they were kept. */
  readonly records: (SnapshotRecord & { readonly runId: string })[] = [];
  /** What was asked for records alone. */
  readonly questions: MetricQuestion[] = [];
  /** False: the store loses what it is given. */
  keeps = true;
  readonly #recorded = new Map<string, IndexRanges>();

  stateOf(runId: string): EvidenceState {
    const recorded = this.#recorded.get(runId) ?? noIndices;
    return { recorded, report: 'none', reportAt: `configmap/${runId}-report` };
  }

  carryOut(
    { runId, index, draft }: EvidenceAction,
    answer: (question: MetricQuestion) => Answer,
  ): void {
    if (!this.keeps) return;
    const open = questionsOf(draft);
    this.questions.push(...open);
    const answers = new Map(open.map((one) => [questionKey(one), answer(one)] as const));
    this.records.push({ ...completeRecord(draft, answers), runId });
    this.#recorded.set(runId, withIndex(this.stateOf(runId).recorded, index));
  }
}

/** Records are kept apart from what steers traffic. */
export function isEvidence(action: Action): action is EvidenceAction {
  return action.type === 'RecordSnapshot';
}
