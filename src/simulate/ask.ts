/** Asks until the core has no more questions, as the real shell does, of whoever can answer at once. */
import { type Answer, type Question, questionKey } from '#core/answer.ts';
import { openQuestions } from '#core/decide.ts';
import type { Snapshot } from '#core/snapshot.ts';

/** Rounds that the real shell allows the core before it decides. */
const ROUNDS_MAX = 5;

/** Throws when the core still asks after as many rounds as the real shell allows. */
export function answered(
  question: Snapshot,
  answer: (question: Question) => Answer,
  onAsked: (question: Question) => void = () => undefined,
): Snapshot {
  let known = question;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const open = openQuestions(known);
    if (open.length === 0) return known;
    const asked = open.map((one) => {
      onAsked(one);
      return [questionKey(one), answer(one)] as const;
    });
    known = { ...known, answers: new Map([...known.answers, ...asked]) };
  }
  const left = openQuestions(known);
  if (left.length > 0) throw new Error(`still open after ${ROUNDS_MAX} rounds: ${left.length}`);
  return known;
}
