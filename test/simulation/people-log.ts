/** Every GenesisDecision that somebody has made in a simulated world, and whose word counts. */
import type { DecisionSpec } from '#api/decision.ts';
import type { Approval } from '#api/schedule.ts';
import type { RolloutStatus } from '#api/status.ts';
import { AUTHOR } from './features.ts';

/** A decision that is so old has reached every process that runs. */
const SEEN_AFTER_MS = 10_000;

export interface Said {
  readonly uid: string;
  readonly atMs: number;
  readonly spec: DecisionSpec;
  /** The API server had checked who says so. */
  readonly isChecked: boolean;
}

export class PeopleLog {
  readonly #said: Said[] = [];
  /** The run that a decision was answered in. */
  readonly #runOf = new Map<string, string>();

  add(said: Said): void {
    this.#said.push(said);
  }

  /** Whoever has answered a decision must never answer it again. @returns what is wrong */
  answered({ decisions = [] }: RolloutStatus): string | undefined {
    const seen = new Set<string>();
    for (const { uid, runId = '', decidedAt, decision } of decisions) {
      if (uid === undefined) continue;
      if (seen.has(uid)) return `${decision} ${uid} stands twice among the decisions`;
      seen.add(uid);
      const answer = `${runId} ${decidedAt}`;
      const known = this.#runOf.get(uid);
      if (known !== undefined && known !== answer) {
        return `${decision} ${uid} was answered as ${known} and again as ${answer}`;
      }
      this.#runOf.set(uid, answer);
    }
    return undefined;
  }

  /**
   * Whose approval of a step may count now: one for this run that was checked and has not expired, by somebody else
   * than the author, and not taken back by a rejection that everybody must have seen.
   */
  approvers(
    step: string,
    status: RolloutStatus,
    { notBy }: Pick<Approval, 'notBy'>,
    nowMs: number,
  ): readonly string[] {
    const votes = this.#said.filter(({ spec, uid }) => {
      const answeredIn = this.#runOf.get(uid)?.split(' ')[0];
      const isOfRun = answeredIn === undefined || answeredIn === status.runId;
      return spec.revision === status.revision && spec.step === step && isOfRun;
    });
    const rejectedMs = (by: string) =>
      votes.findLast(
        ({ spec, atMs }) =>
          spec.decision === 'Reject' &&
          spec.by === by &&
          atMs < nowMs - SEEN_AFTER_MS &&
          // What is too late is never applied, a rejection neither; one that was nearly so may have been.
          spec.expiresAt === undefined,
      )?.atMs ?? 0;
    const counted = votes.filter(({ spec, isChecked, atMs }) => {
      const isInTime = spec.expiresAt === undefined || nowMs < Date.parse(spec.expiresAt);
      const isAuthor = notBy === 'Author' && spec.by === AUTHOR;
      const isGood = spec.decision === 'Approve' && isInTime && isChecked && !isAuthor;
      return isGood && atMs >= rejectedMs(spec.by);
    });
    return [...new Set(counted.map(({ spec }) => spec.by))];
  }
}
