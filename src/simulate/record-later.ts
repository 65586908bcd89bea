/** The record of a snapshot that was due while nobody looked: drawn up when somebody reads it, from a look at that moment. */
import { type Answer, type Question, questionKey } from '#core/answer.ts';
import { assert } from '#core/assert.ts';
import { decide } from '#core/decide.ts';
import { noIndices } from '#core/index-ranges.ts';
import { completeRecord, questionsOf, type SnapshotRecord } from '#core/record.ts';
import type { Snapshot } from '#core/snapshot.ts';
import { answered } from './ask.ts';

/** @param snapshot as it was then; what it has been answered and what is recorded do not matter */
export function recordAt(
  snapshot: Snapshot,
  answer: (question: Question) => Answer,
): SnapshotRecord {
  const { evidence } = snapshot;
  const then = {
    ...snapshot,
    answers: new Map(),
    evidence: evidence && { ...evidence, recorded: noIndices },
  };
  const { actions } = decide(answered(then, answer));
  const action = actions.find((one) => one.type === 'RecordSnapshot');
  assert(action !== undefined, 'a snapshot is due at the moment it is drawn up for');
  const asked = questionsOf(action.draft).map((one) => [questionKey(one), answer(one)] as const);
  return completeRecord(action.draft, new Map(asked));
}
