/**
 * One request on its way: it waits for a place in the server's lane, is sent, and its answer is read, all within one
 * deadline. Never rejects.
 */

import type { Dispatcher } from 'undici';
import type { Clock } from '#ports/clock.ts';
import { DeadlineExceeded, startDeadline } from '#runtime/deadline.ts';
import type { Connections } from './connections.ts';
import type { ExchangeResult } from './exchange.ts';
import type { NoAnswer } from './failures.ts';
import type { Server } from './server.ts';

export interface Trip {
  readonly result: ExchangeResult;
  /** When it left the lane, by the wall clock; undefined when it never did. */
  readonly sentAtMs: number | undefined;
  /** For a place in the server's lane. */
  readonly waitedMs: number;
  /** From asking to answer, waiting included. */
  readonly durationMs: number;
}

/** @param leftMs of its time, for the server to know */
export type SendOver = (
  dispatcher: Dispatcher,
  leftMs: number,
  signal: AbortSignal,
) => Promise<ExchangeResult>;

export type Travel = (
  request: { readonly server: Server; readonly urgent: boolean; readonly send: SendOver },
  stop: AbortSignal,
) => Promise<Trip>;

/** With less of its time left than this a request that has waited is no longer sent. */
const WORTHWHILE_SHARE = 0.05;

export function createTravel(
  { clock, timeoutMs }: { readonly clock: Clock; readonly timeoutMs: number },
  connections: Connections,
): Travel {
  return async ({ server, urgent, send }, stop) => {
    const begunAt = clock.monotonic();
    let sent: { readonly at: number; readonly atMs: number } | undefined;
    const go = async (signal: AbortSignal): Promise<ExchangeResult> => {
      const { pool, lane } = connections.of(server);
      const leave = await lane.enter(signal, urgent);
      try {
        const at = clock.monotonic();
        const leftMs = timeoutMs - (at - begunAt);
        if (leftMs < timeoutMs * WORTHWHILE_SHARE) throw new DeadlineExceeded(timeoutMs);
        sent = { at, atMs: clock.now() };
        return await send(pool, leftMs, signal);
      } finally {
        leave();
      }
    };
    const deadline = startDeadline(clock, timeoutMs, [stop]);
    const result = await go(deadline.signal).catch(asFailure);
    deadline.clear();
    const now = clock.monotonic();
    return {
      result,
      sentAtMs: sent?.atMs,
      waitedMs: (sent?.at ?? now) - begunAt,
      durationMs: now - begunAt,
    };
  };
}

function asFailure(reason: unknown): NoAnswer {
  const error = reason instanceof Error ? reason : new Error(String(reason));
  return { type: 'failed', error, brokenBeforeAnswer: false };
}
