/**
 * The queue of keys to reconcile, with client-go's semantics: a key is never processed twice at
 * once, no add is lost, and a thousand adds collapse into one.
 *
 *   waiting   keys with a time at which they will be added (one time a key)
 *   dirty     keys that need processing; those of them that are not in `processing` stand in a line
 *   processing keys a worker holds; added meanwhile, they are queued again by `done`
 */
import type { Clock } from '#ports/clock.ts';
import { TimerHeap } from './timer-heap.ts';

export interface AddOptions {
  /** Urgent keys go before all others: a due rollback does not wait behind routine looks. */
  readonly urgent?: boolean;
}

/** Where the queue's figures go. All durations in ms. */
export interface WorkQueueMetrics {
  depth(count: number): void;
  added(): void;
  /** From being added to being taken by a worker. */
  waited(durationMs: number): void;
  /** From being taken to `done`. */
  worked(durationMs: number): void;
  retried(): void;
}

export interface WorkQueueOptions {
  readonly clock: Clock;
  readonly metrics?: WorkQueueMetrics;
  /** First delay of a failing key; doubled at each further failure. Default 5 ms, as in client-go. */
  readonly backoffBaseMs?: number;
  /** Longest delay of a failing key. Default 60 s: a rollout must not be left alone for longer. */
  readonly backoffMaxMs?: number;
}

interface Queued {
  urgent: boolean;
  readonly sinceMs: number;
}

/** Timers are looked at this often even if none is due, so that a stepped wall clock is noticed. */
const HEARTBEAT_MS = 10_000;
/** A line is compacted once this many taken entries stand before its head. */
const COMPACT_AFTER = 1_024;

export class WorkQueue {
  readonly #clock: Clock;
  readonly #metrics: WorkQueueMetrics | undefined;
  readonly #backoffBaseMs: number;
  readonly #backoffMaxMs: number;
  readonly #urgentLine = new Line();
  readonly #line = new Line();
  readonly #dirty = new Map<string, Queued>();
  readonly #processing = new Map<string, number>();
  #dirtyInProcessing = 0;
  readonly #waiting = new TimerHeap();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  readonly #idlers: (() => void)[] = [];
  #cancelTimer: (() => void) | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #closed = false;

  constructor(options: WorkQueueOptions) {
    this.#clock = options.clock;
    this.#metrics = options.metrics;
    this.#backoffBaseMs = options.backoffBaseMs ?? 5;
    this.#backoffMaxMs = options.backoffMaxMs ?? 60_000;
    this.#metrics?.depth(0);
  }

  /** Keys that stand in line, not counting those in processing or waiting for a time. */
  get depth(): number {
    return this.#dirty.size - this.#dirtyInProcessing;
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  get processingCount(): number {
    return this.#processing.size;
  }

  /** Marks the key as needing a look now. A time set by `addAt` stays. */
  add(key: string, options: AddOptions = {}): void {
    if (this.#closed) return;
    const urgent = options.urgent ?? false;
    const queued = this.#dirty.get(key);
    if (queued !== undefined) {
      if (urgent && !queued.urgent) this.#promote(key, queued);
      return;
    }
    this.#metrics?.added();
    this.#dirty.set(key, { urgent, sinceMs: this.#clock.monotonic() });
    if (this.#processing.has(key)) {
      this.#dirtyInProcessing += 1;
      return;
    }
    this.#lineOf(urgent).push(key);
    this.#handOut();
  }

  /** Adds the key at `atMs` (since the epoch). Replaces the time set for this key before. */
  addAt(key: string, atMs: number, options: AddOptions = {}): void {
    if (this.#closed) return;
    if (atMs <= this.#clock.now()) {
      this.#waiting.delete(key);
      this.add(key, options);
      return;
    }
    this.#waiting.set({ key, atMs, urgent: options.urgent ?? false });
    this.#arm();
  }

  /** Adds the key after `delayMs`. Replaces the time set for this key before. */
  addAfter(key: string, delayMs: number, options: AddOptions = {}): void {
    this.addAt(key, this.#clock.now() + delayMs, options);
  }

  /**
   * Adds a key whose processing failed after its own exponential delay, or at the time already set
   * for it if that is sooner. Returns the delay in ms.
   */
  addRateLimited(key: string, options: AddOptions = {}): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.#metrics?.retried();
    const delayMs = Math.min(this.#backoffMaxMs, this.#backoffBaseMs * 2 ** Math.min(failures, 40));
    const atMs = this.#clock.now() + delayMs;
    const known = this.#waiting.get(key);
    if (known === undefined || known.atMs > atMs) this.addAt(key, atMs, options);
    return delayMs;
  }

  /** Forgets the key's failures: its next delay is the shortest again. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  failureCount(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** Forgets the key's failures and its time, for an object that is gone. */
  drop(key: string): void {
    this.#failures.delete(key);
    this.#waiting.delete(key);
  }

  /** The next key, which the caller must hand back to `done`; undefined once the queue is closed. */
  take(): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    const key = this.#next();
    if (key !== undefined) return Promise.resolve(key);
    return new Promise((resolve) => {
      this.#takers.push(resolve);
    });
  }

  /** Ends the processing of a key got from `take`; added meanwhile, it stands in line again. */
  done(key: string): void {
    const startedMs = this.#processing.get(key);
    if (startedMs === undefined) return;
    this.#processing.delete(key);
    this.#metrics?.worked(this.#clock.monotonic() - startedMs);
    const queued = this.#dirty.get(key);
    if (queued !== undefined) {
      this.#dirtyInProcessing -= 1;
      this.#lineOf(queued.urgent).push(key);
      this.#handOut();
    }
    if (this.#processing.size === 0) for (const idle of this.#idlers.splice(0)) idle();
  }

  /**
   * Stops handing out keys. What stands in line is dropped on purpose: whoever leads next looks at
   * every object anyway.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#waiting.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  /** Resolves once no key is being processed. */
  idle(): Promise<void> {
    if (this.#processing.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idlers.push(resolve);
    });
  }

  #lineOf(urgent: boolean): Line {
    return urgent ? this.#urgentLine : this.#line;
  }

  #promote(key: string, queued: Queued): void {
    queued.urgent = true;
    if (!this.#processing.has(key)) this.#urgentLine.push(key);
  }

  #handOut(): void {
    while (this.#takers.length > 0) {
      const key = this.#next();
      if (key === undefined) break;
      this.#takers.shift()?.(key);
    }
    this.#metrics?.depth(this.depth);
  }

  #next(): string | undefined {
    const key = this.#nextOf(this.#urgentLine) ?? this.#nextOf(this.#line);
    if (key === undefined) return undefined;
    const nowMs = this.#clock.monotonic();
    this.#metrics?.waited(nowMs - (this.#dirty.get(key)?.sinceMs ?? nowMs));
    this.#dirty.delete(key);
    this.#processing.set(key, nowMs);
    this.#metrics?.depth(this.depth);
    return key;
  }

  /** A promoted key leaves its first entry behind in the other line, which is passed over here. */
  #nextOf(line: Line): string | undefined {
    for (;;) {
      const key = line.shift();
      if (key === undefined || (this.#dirty.has(key) && !this.#processing.has(key))) return key;
    }
  }

  #arm(): void {
    const first = this.#waiting.first();
    if (first === undefined || first.atMs >= this.#timerAtMs) return;
    this.#cancelTimer?.();
    this.#timerAtMs = first.atMs;
    const delayMs = Math.min(HEARTBEAT_MS, Math.max(0, first.atMs - this.#clock.now()));
    this.#cancelTimer = this.#clock.after(delayMs, () => this.#ring());
  }

  #ring(): void {
    this.#cancelTimer = undefined;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#clock.now();
    for (;;) {
      const first = this.#waiting.first();
      if (first === undefined || first.atMs > nowMs) break;
      this.#waiting.delete(first.key);
      this.add(first.key, { urgent: first.urgent });
    }
    this.#arm();
  }
}

/** A first-in first-out line whose `shift` costs the same at any length. */
class Line {
  #keys: string[] = [];
  #head = 0;

  push(key: string): void {
    this.#keys.push(key);
  }

  shift(): string | undefined {
    const key = this.#keys[this.#head];
    if (key === undefined) return undefined;
    this.#head += 1;
    if (this.#head >= COMPACT_AFTER && this.#head * 2 >= this.#keys.length) {
      this.#keys = this.#keys.slice(this.#head);
      this.#head = 0;
    }
    return key;
  }
}
