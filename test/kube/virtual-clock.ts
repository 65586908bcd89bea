/** A clock that stands still until a test advances it. Sockets go on in real time. */
import type { Clock } from '#ports/clock.ts';
import { sleepWith } from '#runtime/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

export class VirtualClock implements Clock {
  #monotonicMs = 1_000;
  #offsetMs = Date.UTC(2026, 10, 22);
  #timers: Timer[] = [];

  now(): number {
    return this.#offsetMs + this.#monotonicMs;
  }

  monotonic(): number {
    return this.#monotonicMs;
  }

  get timerCount(): number {
    return this.#timers.length;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#monotonicMs + Math.max(0, delayMs), callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return sleepWith((ms, callback) => this.after(ms, callback), delayMs, signal);
  }

  /** Lets time pass, running what falls due in order, with what it sets off in between. */
  async advance(byMs: number): Promise<void> {
    const endMs = this.#monotonicMs + byMs;
    await settle();
    for (;;) {
      const due = this.#timers
        .filter(({ atMs }) => atMs <= endMs)
        .reduce<Timer | undefined>(
          (first, timer) => (first === undefined || timer.atMs < first.atMs ? timer : first),
          undefined,
        );
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#monotonicMs = Math.max(this.#monotonicMs, due.atMs);
      due.callback();
      await settle();
    }
    this.#monotonicMs = endMs;
    await settle();
  }

  /** Lets time pass without running anything, as a stall of the event loop does. */
  stall(byMs: number): void {
    this.#monotonicMs += byMs;
  }

  /** Somebody sets the wall clock. */
  step(byMs: number): void {
    this.#offsetMs += byMs;
  }
}

/** Lets promises and sockets that are ready go on. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
