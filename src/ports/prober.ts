/** Probes: whether a URL answers as it should, asked now; and what this process has seen of it before. */
import type { Answer, ProbeQuestion } from '#core/answer.ts';
import type { ObjectKey } from './cluster.ts';

export interface Prober {
  /**
   * 1 is up, 0 is down; whoever cannot be reached is down. A failure of this process is no reading. Asked again for the
   * same instant, it answers what it has seen.
   */
  answer(rollout: ObjectKey, question: ProbeQuestion, signal: AbortSignal): Promise<Answer>;
  /** The rollout is gone. */
  forget(rollout: ObjectKey): void;
}
