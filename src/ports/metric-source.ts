/** Prometheus and what speaks its API. Answers are values, never exceptions: a failure is an answer. */

import type { InstantAnswer, RangeAnswer } from '#core/answer.ts';
import type { ServerEndpoint } from './server-endpoint.ts';

export type {
  FailedAnswer,
  InstantAnswer,
  QueryFault,
  RangeAnswer,
  Sample,
  Series,
} from '#core/answer.ts';

/** Of a Prometheus. */
export type MetricEndpoint = ServerEndpoint;

export interface QueryWindow {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
  /** A decision waits for this answer: it is asked ahead of every question that only waits in line. */
  readonly urgent?: boolean;
}

/**
 * Queries by POST with a deadline. `skewMs` is the server's clock minus ours, from the Date header
 * (one-second resolution); undefined when the header is missing. The same text asked of the same endpoint for the
 * same instant is sent once, however many callers ask.
 */
export interface MetricSource {
  instant(
    endpoint: MetricEndpoint,
    query: string,
    atMs: number,
    signal: AbortSignal,
  ): Promise<InstantAnswer>;
  range(
    endpoint: MetricEndpoint,
    query: string,
    window: QueryWindow,
    signal: AbortSignal,
  ): Promise<RangeAnswer>;
}
