/**
 * A hold is reset by a reading that is false, or by a gap that is too long; not by taking the traffic away from
 * a canary that was seen to fail. Until the gap is that long canary must not rise again.
 */
import { parseDuration } from '#api/duration.ts';
import type { RolloutStatus } from '#api/status.ts';
import type { TriggerTruth } from './held.ts';
import { INTERVAL_MS } from './scenario.ts';

const GAP_MAX_MS = 5 * 60_000;

export class HeldOver {
  /** By the trigger's name: when canary lost its traffic while it was known to be bad. */
  readonly #lostMs = new Map<string, number>();

  /** The operator has taken canary's traffic away, knowing this. */
  lowered({ triggers = [] }: RolloutStatus, truths: readonly TriggerTruth[], nowMs: number): void {
    for (const truth of truths) {
      const { name, severity } = truth.trigger;
      const state = triggers.find((one) => one.name === name)?.state;
      const isPending = severity === 'Critical' && state === 'Pending';
      const forbidsRise = severity === 'Critical' || truth.holdsAtOnce;
      if (isPending || (forbidsRise && state === 'Firing')) this.#lostMs.set(name, nowMs);
    }
  }

  /** Whatever else is said of a trigger than that nobody asks canary is news of it. */
  statusWritten({ triggers = [] }: RolloutStatus): void {
    for (const { name, state, reason } of triggers) {
      const isStanding = state === 'Pending' || state === 'Firing';
      if (!isStanding && reason !== 'NoTrafficExpected') this.#lostMs.delete(name);
    }
  }

  /** Canary has traffic again, or a new run begins. */
  forget(): void {
    this.#lostMs.clear();
  }

  /** @returns why canary must not rise yet */
  forbidsRise(truths: readonly TriggerTruth[], nowMs: number): string | undefined {
    const found = truths.find(({ trigger }) => {
      const lostMs = this.#lostMs.get(trigger.name);
      const limitMs = Math.min(GAP_MAX_MS, parseDuration(trigger.for ?? '0s'));
      // The operator's clock may be off by the skew that it bears.
      return lostMs !== undefined && nowMs < lostMs + limitMs - 3 * INTERVAL_MS;
    });
    if (found === undefined) return undefined;
    return `and ${found.trigger.name} held when its traffic was taken away`;
  }
}
