/** Repeats a one-shot call that may fail for a moment: the one import of ts-retry. */
import { isAbortError, retryAsync } from 'ts-retry';
import type { Clock } from '#ports/clock.ts';

export interface RetryPolicy {
  readonly clock: Clock;
  /** Calls in all, the first included; at least 1. */
  readonly triesMax: number;
  /** Wait before the second call; doubled for each further one. */
  readonly baseMs: number;
  readonly maxMs: number;
  /** Ends calls and waits at once. */
  readonly signal: AbortSignal;
  /** False ends the retries: a request that is itself wrong stays wrong. */
  readonly isTransient: (error: Error) => boolean;
  /** Told of each failure that is followed by another try. */
  readonly onRetry?: (error: Error, tryNumber: number) => void;
  readonly random?: () => number;
}

/**
 * The result of `work`, called up to `triesMax` times with full jitter between the calls; rejects
 * with the last error, or with the signal's reason.
 *
 * ts-retry counts and classifies, but its own wait cannot be cancelled and knows only real time, and
 * its options have global defaults. So every option is given here, its wait is 0, and the waiting is
 * done by our clock in front of the call.
 */
export async function retry<T>(
  policy: RetryPolicy,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  let tryNumber = 0;
  const attempt = async (): Promise<T> => {
    tryNumber += 1;
    if (tryNumber > 1) await policy.clock.sleep(waitMs(policy, tryNumber), policy.signal);
    policy.signal.throwIfAborted();
    return await work(policy.signal);
  };
  try {
    return await retryAsync(attempt, {
      maxTry: policy.triesMax,
      delay: 0,
      until: () => true,
      onError: (error, failedTry) => {
        const again = !policy.signal.aborted && policy.isTransient(error);
        if (again) policy.onRetry?.(error, failedTry);
        return again;
      },
      onMaxRetryFunc: () => undefined,
      onSuccessFunc: () => undefined,
    });
  } catch (error) {
    throw isAbortError(error) ? error.getError() : error;
  }
}

/** Full jitter: between 0 and the exponential wait, which spreads many clients best. */
function waitMs(policy: RetryPolicy, tryNumber: number): number {
  const ceilingMs = Math.min(policy.maxMs, policy.baseMs * 2 ** (tryNumber - 2));
  return ceilingMs * (policy.random ?? Math.random)();
}
