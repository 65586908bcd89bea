/** A token bucket (as GCRA: one number of state) that spaces requests of one process. */
import type { Clock } from '#ports/clock.ts';

export interface LimiterOptions {
  readonly clock: Clock;
  /** Tokens that flow in a second. */
  readonly perSecond: number;
  /** Tokens that can be taken at once after a quiet time; at least 1. */
  readonly burst: number;
}

export class Limiter {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #toleranceMs: number;
  /** When the bucket will be full again, in monotonic ms. */
  #fullAtMs: number;

  constructor(options: LimiterOptions) {
    this.#clock = options.clock;
    this.#intervalMs = 1000 / options.perSecond;
    this.#toleranceMs = (Math.max(1, options.burst) - 1) * this.#intervalMs;
    this.#fullAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Takes a token now if there is one. */
  tryTake(): boolean {
    const nowMs = this.#clock.monotonic();
    if (this.#waitMs(nowMs) > 0) return false;
    this.#reserve(nowMs);
    return true;
  }

  /**
   * Takes a token, waiting for it in the order of the calls; returns how many ms it waited. An
   * aborted wait rejects with the signal's reason and its token is lost.
   */
  async take(signal: AbortSignal): Promise<number> {
    const nowMs = this.#clock.monotonic();
    const waitMs = this.#waitMs(nowMs);
    this.#reserve(nowMs);
    if (waitMs > 0) await this.#clock.sleep(waitMs, signal);
    return waitMs;
  }

  #waitMs(nowMs: number): number {
    return Math.max(0, this.#fullAtMs - nowMs - this.#toleranceMs);
  }

  #reserve(nowMs: number): void {
    this.#fullAtMs = Math.max(this.#fullAtMs, nowMs) + this.#intervalMs;
  }
}
