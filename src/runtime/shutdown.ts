/** The end of the process: signals become an AbortSignal, and parts are closed in order, each in bounded time. */
import type { Clock } from '#ports/clock.ts';
import type { Logger } from '#ports/logger.ts';
import { withDeadline } from './deadline.ts';

/** What of `process` is needed here, so that tests can bring an EventEmitter. */
export interface SignalSource {
  on(event: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
  off(event: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
}

export interface Termination {
  /** Aborted by the first SIGTERM or SIGINT. */
  readonly signal: AbortSignal;
  /** Stops listening for signals. */
  dispose(): void;
}

export interface ClosingStep {
  readonly name: string;
  readonly limitMs: number;
  close(signal: AbortSignal): Promise<void>;
}

/** The second signal means that somebody does not want to wait: `onSecond` should end the process. */
export function listenForTermination(source: SignalSource, onSecond: () => void): Termination {
  const controller = new AbortController();
  const stop = (name: string): void => {
    if (controller.signal.aborted) onSecond();
    else controller.abort(new Error(`stopped by ${name}`));
  };
  const onTerm = (): void => stop('SIGTERM');
  const onInt = (): void => stop('SIGINT');
  source.on('SIGTERM', onTerm);
  source.on('SIGINT', onInt);
  return {
    signal: controller.signal,
    dispose: () => {
      source.off('SIGTERM', onTerm);
      source.off('SIGINT', onInt);
    },
  };
}

/**
 * Closes parts one after the other. A step that fails or takes longer than its limit is logged and
 * left behind: the steps after it (the lease among them) matter more. Returns the names of those.
 */
export async function closeInOrder(
  steps: readonly ClosingStep[],
  options: { readonly clock: Clock; readonly logger: Logger },
): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const step of steps) {
    const startedMs = options.clock.monotonic();
    try {
      await withDeadline(options.clock, step.limitMs, [], (signal) => step.close(signal));
      const tookMs = Math.round(options.clock.monotonic() - startedMs);
      options.logger.debug({ step: step.name, tookMs }, 'closed');
    } catch (error) {
      failed.push(step.name);
      options.logger.warn({ step: step.name, err: error }, 'could not be closed in time');
    }
  }
  return failed;
}
