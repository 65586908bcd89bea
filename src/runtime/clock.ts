/** Real time: the only reader of the wall clock and the only maker of timers. */
import type { Clock } from '#ports/clock.ts';

/** setTimeout keeps its delay in a signed 32-bit integer; a longer one would fire at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after,
  sleep: (delayMs, signal) => sleepWith(after, delayMs, signal),
};

/**
 * `sleep` made of `after`, for this clock and for those of tests: resolves after `delayMs`, rejects
 * with the signal's reason, and leaves neither timer nor listener behind.
 */
export function sleepWith(
  after: Clock['after'],
  delayMs: number,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(asError(signal.reason));
      return;
    }
    const onAbort = (): void => {
      cancel();
      reject(asError(signal?.reason));
    };
    const cancel = after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

function after(delayMs: number, callback: () => void): () => void {
  let remainingMs = Math.max(0, delayMs);
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const sliceMs = Math.min(remainingMs, TIMER_MAX_MS);
    remainingMs -= sliceMs;
    timer = setTimeout(remainingMs > 0 ? arm : callback, sliceMs);
  };
  arm();
  return () => clearTimeout(timer);
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
