/** A clock that stands still until it is told to go on, and then goes from timer to timer. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '#ports/clock.ts';
import { sleepWith } from '#runtime/clock.ts';
import { TimerHeap } from '#runtime/timer-heap.ts';

export class VirtualClock implements Clock {
  readonly #startMs: number;
  #nowMs: number;
  readonly #heap = new TimerHeap();
  readonly #callbacks = new Map<string, () => void>();
  #last = 0;

  constructor(startMs: number) {
    this.#startMs = startMs;
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs - this.#startMs;
  }

  readonly after = (delayMs: number, callback: () => void): (() => void) => {
    this.#last += 1;
    const key = String(this.#last);
    this.#heap.set({ key, atMs: this.#nowMs + Math.max(0, delayMs), urgent: false });
    this.#callbacks.set(key, callback);
    return () => {
      this.#heap.delete(key);
      this.#callbacks.delete(key);
    };
  };

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return sleepWith(this.after, delayMs, signal);
  }

  /** Fires everything that is due until then, each once what came before it has come to rest. */
  async runUntil(atMs: number): Promise<void> {
    await turn();
    for (;;) {
      const first = this.#heap.first();
      if (first === undefined || first.atMs > atMs) break;
      this.#nowMs = Math.max(this.#nowMs, first.atMs);
      this.#heap.delete(first.key);
      const callback = this.#callbacks.get(first.key);
      this.#callbacks.delete(first.key);
      callback?.();
      await turn();
    }
    this.#nowMs = atMs;
  }
}
