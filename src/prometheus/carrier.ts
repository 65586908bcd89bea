/**
 * Carries one question out: waits for a place in the server's lane, sends it, reads the answer, reports. Never
 * rejects: whatever goes wrong is a fault with a sentence.
 */
import type { Clock } from '#ports/clock.ts';
import type { Logger } from '#ports/logger.ts';
import type { FailedAnswer, QueryFault } from '#ports/metric-source.ts';
import type { Connections } from '#transport/connections.ts';
import type { HttpAnswer } from '#transport/exchange.ts';
import { failureOf, type Limits, type NoAnswer } from '#transport/failures.ts';
import { createTravel, type Trip } from '#transport/trips.ts';
import type { Parsed } from './answer.ts';
import { type Fault, fault } from './faults.ts';
import type { Question, QuestionKind } from './question.ts';
import { createSend } from './send.ts';
import { clockSkew } from './skew.ts';

export interface CarrierOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** For one query from asking to answer, waiting included. */
  readonly timeoutMs: number;
  readonly responseBytesMax: number;
  readonly observe?: QueryObserver;
}

export interface QueryObserver {
  /** A question has been carried out, well or badly. */
  answered(query: QueryReport): void;
  /** A question was not sent, because the same one was under way or answered. */
  shared(): void;
}

export interface QueryReport {
  readonly kind: QuestionKind;
  readonly outcome: 'ok' | QueryFault;
  /** For a place in the server's lane. */
  readonly waitedMs: number;
  /** From asking to answer, waiting included. */
  readonly durationMs: number;
  readonly bytes: number;
}

export type Carried<Part> =
  | {
      readonly type: 'carried';
      readonly parts: readonly Part[];
      readonly skewMs: number | undefined;
    }
  | FailedAnswer;

export type Carrier = <Part>(
  question: Question,
  stop: AbortSignal,
  parse: (answer: HttpAnswer) => Parsed<Part>,
) => Promise<Carried<Part>>;

export function createCarrier(options: CarrierOptions, connections: Connections): Carrier {
  const { clock, responseBytesMax } = options;
  const send = createSend(responseBytesMax);
  const travel = createTravel(options, connections);

  const report = (question: Question, trip: Trip, outcome: 'ok' | Fault): void => {
    const { waitedMs, durationMs, result } = trip;
    const kind = outcome === 'ok' ? 'ok' : outcome.fault;
    const bytes = result.type === 'answer' ? result.bytes : 0;
    options.observe?.answered({ kind: question.kind, outcome: kind, waitedMs, durationMs, bytes });
  };

  return async (question, stop, parse) => {
    const { target, urgent } = question;
    const trip = await travel(
      {
        server: target,
        urgent,
        send: (pool, leftMs, signal) => send(question, pool, leftMs, signal),
      },
      stop,
    );
    const { result } = trip;
    const skewMs = skewOf(trip, clock.now());
    const parsed =
      result.type === 'answer'
        ? parse(result)
        : ({ type: 'fault', ...explain(question, result, trip, options) } as const);
    if (parsed.type === 'parts') {
      report(question, trip, 'ok');
      return { type: 'carried', parts: parsed.parts, skewMs };
    }
    report(question, trip, parsed);
    const message = target.redact(`Prometheus at ${target.shown} ${parsed.words}`);
    options.logger.debug({ fault: parsed.fault, kind: question.kind }, message);
    return { type: 'error', fault: parsed.fault, message };
  };
}

function skewOf(
  { result, sentAtMs, waitedMs, durationMs }: Trip,
  nowMs: number,
): number | undefined {
  if (result.type !== 'answer' || sentAtMs === undefined || result.cached) return undefined;
  return clockSkew(result.date, {
    sentAtMs,
    receivedAtMs: nowMs,
    elapsedMs: durationMs - waitedMs,
  });
}

function explain({ kind: asked }: Question, result: NoAnswer, trip: Trip, limits: Limits): Fault {
  const { kind, words } = failureOf(result, trip.sentAtMs !== undefined, limits);
  if (kind !== 'tooLarge') return fault(kind, words);
  const mend =
    asked === 'list' ? 'raise limits.responseBytes' : 'let the query return fewer series';
  return fault(kind, `${words}; ${mend}`);
}
