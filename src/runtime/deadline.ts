/**
 * One signal out of several and a time limit. `AbortSignal.any` and `AbortSignal.timeout` leave
 * listeners and timers behind until they are collected; this leaves none, at thousands of calls a second.
 */
import type { Clock } from '#ports/clock.ts';

/** The reason of a signal that was aborted because its time was up. */
export class DeadlineExceeded extends Error {
  readonly limitMs: number;
  constructor(limitMs: number) {
    super(`no answer within ${limitMs} ms`);
    this.name = 'DeadlineExceeded';
    this.limitMs = limitMs;
  }
}

export interface Deadline {
  readonly signal: AbortSignal;
  /** Aborts the signal now, for the given reason. */
  abort(reason: Error): void;
  /** Removes the timer and the listeners. Must be called when the work has ended. */
  clear(): void;
}

/** A signal that is aborted with the first of `parents`, or after `limitMs` with DeadlineExceeded. */
export function startDeadline(
  clock: Clock,
  limitMs: number,
  parents: readonly AbortSignal[],
): Deadline {
  const controller = new AbortController();
  const listeners = parents.map((parent) => {
    const onAbort = (): void => controller.abort(parent.reason);
    if (parent.aborted) onAbort();
    else parent.addEventListener('abort', onAbort, { once: true });
    return onAbort;
  });
  const cancel = Number.isFinite(limitMs)
    ? clock.after(limitMs, () => controller.abort(new DeadlineExceeded(limitMs)))
    : undefined;
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    clear: () => {
      cancel?.();
      parents.forEach((parent, index) => {
        const listener = listeners[index];
        if (listener !== undefined) parent.removeEventListener('abort', listener);
      });
    },
  };
}

/**
 * Runs `work` with such a signal and rejects as soon as the signal is aborted, also when `work` does
 * not listen to it.
 */
export async function withDeadline<T>(
  clock: Clock,
  limitMs: number,
  parents: readonly AbortSignal[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = startDeadline(clock, limitMs, parents);
  try {
    deadline.signal.throwIfAborted();
    return await untilAborted(work(deadline.signal), deadline.signal);
  } finally {
    deadline.clear();
  }
}

/** The promise's outcome, or a rejection with the signal's reason, whichever comes first. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(reasonOf(signal));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** The reason of an aborted signal, as an Error. */
export function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason));
}
