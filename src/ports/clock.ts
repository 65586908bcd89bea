/** Time, as a port: the simulator brings its own. Instants are milliseconds since the epoch. */
export interface Clock {
  /** Wall-clock time in ms since the epoch. May step backwards. */
  now(): number;
  /** Monotonic time in ms from an arbitrary origin, for measuring how long something took. */
  monotonic(): number;
  /** Resolves after `delayMs`; rejects with the signal's reason as soon as it is aborted. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
  /** Calls `callback` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, callback: () => void): () => void;
}
