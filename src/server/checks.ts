/** What `/healthz` and `/readyz` look at. */
import type { Clock } from '#ports/clock.ts';
import type { Check } from './routes.ts';

/** How often the event loop is asked for a sign of life. */
const BEAT_MS = 1_000;
/** Later than this and leases run out: a process that is so slow had better start anew. */
const LAG_MAX_MS = 5_000;
/** Bookmarks come about once a minute and a watch lasts at most ten: after this only a restart is left. */
const SILENCE_MAX_MS = 15 * 60_000;

export interface EventLoopCheck extends Check {
  stop(): void;
}

/** Fails while the event loop ran so late at its last beat; one good beat makes it well again. */
export function checkEventLoop(clock: Clock, lagMaxMs: number = LAG_MAX_MS): EventLoopCheck {
  let lagMs = 0;
  let dueAtMs = 0;
  let cancel: () => void = () => undefined;
  const beat = (): void => {
    lagMs = clock.monotonic() - dueAtMs;
    arm();
  };
  const arm = (): void => {
    dueAtMs = clock.monotonic() + BEAT_MS;
    cancel = clock.after(BEAT_MS, beat);
  };
  arm();
  return {
    name: 'event-loop',
    problem: () => {
      // A beat that is overdue counts too: after a stall this may be asked before it has run.
      const worstMs = Math.max(lagMs, clock.monotonic() - dueAtMs);
      if (worstMs <= lagMaxMs) return undefined;
      return `ran ${Math.round(worstMs)} ms late; allowed are ${lagMaxMs} ms`;
    },
    stop: () => cancel(),
  };
}

/** @param silentForMs since when the quietest watch has not heard from the API server */
export function checkWatches(silentForMs: () => number): Check {
  return {
    name: 'watches',
    problem: () => {
      const ms = silentForMs();
      if (ms <= SILENCE_MAX_MS) return undefined;
      return `a watch has been silent for ${Math.round(ms / 1000)} s; allowed are ${SILENCE_MAX_MS / 1000} s`;
    },
  };
}

export function checkReady(isReady: () => boolean): Check {
  return {
    name: 'caches',
    problem: () => (isReady() ? undefined : 'not everything has been read yet'),
  };
}

export function checkNotEnding(signal: AbortSignal): Check {
  return {
    name: 'shutdown',
    problem: () => (signal.aborted ? 'the process is ending' : undefined),
  };
}
