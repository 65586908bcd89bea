/** How long a loop waits before it tries again: exponential, jittered, and forgiving after a quiet time. */
import type { Clock } from '#ports/clock.ts';

export interface BackoffOptions {
  readonly clock: Clock;
  readonly baseMs: number;
  readonly maxMs: number;
  /** A wait is lengthened by up to this share of itself, so that many clients do not return at once. */
  readonly jitter: number;
  /** After this long without a failure the next wait is `baseMs` again. */
  readonly resetAfterMs: number;
  readonly random: () => number;
}

export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;
  #lastAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** The next wait in ms, jitter included. */
  next(): number {
    const { clock, baseMs, maxMs, jitter, resetAfterMs, random } = this.#options;
    const nowMs = clock.monotonic();
    if (nowMs - this.#lastAtMs > resetAfterMs) this.#failures = 0;
    const waitMs = Math.min(maxMs, baseMs * 2 ** Math.min(this.#failures, 40));
    this.#failures += 1;
    const jitteredMs = waitMs * (1 + jitter * random());
    this.#lastAtMs = nowMs + jitteredMs;
    return jitteredMs;
  }
}
