/** A signal that is aborted by a deadline of the Clock, or by another signal before that. */
import type { Clock } from '#ports/clock.ts';

export class DeadlineError extends Error {
  constructor() {
    super('the deadline has passed');
    this.name = 'DeadlineError';
  }
}

export interface Deadline {
  readonly signal: AbortSignal;
  /** Must be called once there is nothing left to wait for. */
  cancel(): void;
}

/** Cheaper than AbortSignal.any with AbortSignal.timeout, and runs on the given clock. */
export function withDeadline(clock: Clock, delayMs: number, stop: AbortSignal): Deadline {
  const controller = new AbortController();
  const pass = (): void => controller.abort(stop.reason);
  const cancelTimer = clock.after(delayMs, () => controller.abort(new DeadlineError()));
  if (stop.aborted) pass();
  else stop.addEventListener('abort', pass, { once: true });
  return {
    signal: controller.signal,
    cancel() {
      cancelTimer();
      stop.removeEventListener('abort', pass);
    },
  };
}
