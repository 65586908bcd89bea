/**
 * Right of way: while urgent work is under way, other work waits for it, for a limited time. When a thousand
 * rollbacks begin at once, every route is lowered before the first report about it is written.
 */
import type { Clock } from '#ports/clock.ts';
import { withDeadline } from './deadline.ts';

/** Nobody gives way for longer than this: the status of a rollback must not starve either. */
const WAIT_MAX_MS = 5_000;

export class RightOfWay {
  readonly #clock: Clock;
  #urgentCount = 0;
  #waiting: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs urgent work; everybody in `giveWay` waits until it is over. */
  async urgent<T>(work: () => Promise<T>): Promise<T> {
    this.#urgentCount += 1;
    try {
      return await work();
    } finally {
      this.#urgentCount -= 1;
      if (this.#urgentCount === 0) for (const go of this.#waiting.splice(0)) go();
    }
  }

  /** Resolves when no urgent work is under way, or after {@link WAIT_MAX_MS}; rejects when `signal` is aborted. */
  async giveWay(signal: AbortSignal): Promise<void> {
    if (this.#urgentCount === 0) return;
    const clear = new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
    });
    try {
      await withDeadline(this.#clock, WAIT_MAX_MS, [signal], () => clear);
    } catch (error) {
      if (signal.aborted) throw error;
    }
  }
}
