/** Simulated time. A process may read a wall clock that is off; the world itself never is. */
import type { Clock } from '#ports/clock.ts';

export interface SimTime {
  /** True time, ms since the epoch. */
  nowMs: number;
  /** What the operator's wall clock is off by. */
  offMs: number;
}

/** The timers of one process; they die with it. */
export class Timers {
  #waiting: { readonly atMs: number; readonly run: () => void }[] = [];

  add(atMs: number, run: () => void): () => void {
    const timer = { atMs, run };
    this.#waiting.push(timer);
    return () => {
      this.#waiting = this.#waiting.filter((one) => one !== timer);
    };
  }

  get nextAtMs(): number | undefined {
    return this.#waiting.length === 0
      ? undefined
      : Math.min(...this.#waiting.map(({ atMs }) => atMs));
  }

  /** Runs those that are due, the oldest first. */
  run(nowMs: number): void {
    const due = this.#waiting
      .filter(({ atMs }) => atMs <= nowMs)
      .toSorted((a, b) => a.atMs - b.atMs);
    this.#waiting = this.#waiting.filter((one) => !due.includes(one));
    for (const { run } of due) run();
  }

  clear(): void {
    this.#waiting = [];
  }
}

export function systemTimeOf(time: SimTime, timers: Timers): Clock {
  return {
    now: () => time.nowMs + time.offMs,
    monotonic: () => time.nowMs,
    sleep: (ms) => new Promise((resolve) => timers.add(time.nowMs + ms, resolve)),
    after: (ms, run) => timers.add(time.nowMs + ms, run),
  };
}
