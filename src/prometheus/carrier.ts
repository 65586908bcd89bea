/**
 * Carries one question out: waits for a place in the server's lane, sends it, reads the answer, reports. Never
 * rejects: whatever goes wrong is a fault with a sentence.
 */
import type { Clock } from '#ports/clock.ts';
import type { Logger } from '#ports/logger.ts';
import type { FailedAnswer, QueryFault } from '#ports/metric-source.ts';
import { DeadlineExceeded, startDeadline } from '#runtime/deadline.ts';
import type { Parsed } from './answer.ts';
import type { Connections } from './connections.ts';
import type { ExchangeResult, HttpAnswer } from './exchange.ts';
import { connectionFault, type Fault, fault } from './faults.ts';
import { LaneFullError } from './lane.ts';
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

/** Where one question is on its way; times by the monotonic clock, but for `sentAtMs`. */
interface Trip {
  readonly begunAt: number;
  /** Undefined while it waits in the lane. */
  sent: { readonly at: number; readonly atMs: number } | undefined;
}

/** With less of its time left than this a question that has waited is no longer sent. */
const WORTHWHILE_SHARE = 0.05;

export function createCarrier(options: CarrierOptions, connections: Connections): Carrier {
  const { clock, timeoutMs, responseBytesMax } = options;
  const send = createSend(responseBytesMax);

  const travel = async (question: Question, trip: Trip, signal: AbortSignal) => {
    const { pool, lane } = connections.of(question.target);
    const leave = await lane.enter(signal, question.urgent);
    try {
      const at = clock.monotonic();
      const leftMs = timeoutMs - (at - trip.begunAt);
      if (leftMs < timeoutMs * WORTHWHILE_SHARE) throw new DeadlineExceeded(timeoutMs);
      trip.sent = { at, atMs: clock.now() };
      return await send(question, pool, leftMs, signal);
    } finally {
      leave();
    }
  };

  const skewOf = (trip: Trip, answer: HttpAnswer): number | undefined => {
    if (!trip.sent || answer.cached) return undefined;
    const elapsedMs = clock.monotonic() - trip.sent.at;
    const span = { sentAtMs: trip.sent.atMs, receivedAtMs: clock.now(), elapsedMs };
    return clockSkew(answer.date, span);
  };

  const report = (question: Question, trip: Trip, outcome: 'ok' | Fault, bytes: number): void => {
    const now = clock.monotonic();
    const durationMs = now - trip.begunAt;
    const waitedMs = (trip.sent?.at ?? now) - trip.begunAt;
    const kind = outcome === 'ok' ? 'ok' : outcome.fault;
    options.observe?.answered({ kind: question.kind, outcome: kind, waitedMs, durationMs, bytes });
  };

  return async (question, stop, parse) => {
    const { target } = question;
    const trip: Trip = { begunAt: clock.monotonic(), sent: undefined };
    const deadline = startDeadline(clock, timeoutMs, [stop]);
    const result = await travel(question, trip, deadline.signal).catch(asFailure);
    deadline.clear();
    const skewMs = result.type === 'answer' ? skewOf(trip, result) : undefined;
    const parsed =
      result.type === 'answer'
        ? parse(result)
        : ({ type: 'fault', ...explain(result, trip, options) } as const);
    const bytes = result.type === 'answer' ? result.bytes : 0;
    if (parsed.type === 'parts') {
      report(question, trip, 'ok', bytes);
      return { type: 'carried', parts: parsed.parts, skewMs };
    }
    report(question, trip, parsed, bytes);
    const message = target.redact(`Prometheus at ${target.shown} ${parsed.words}`);
    options.logger.debug({ fault: parsed.fault, kind: question.kind }, message);
    return { type: 'error', fault: parsed.fault, message };
  };
}

type NoAnswer = Exclude<ExchangeResult, HttpAnswer>;

function asFailure(reason: unknown): NoAnswer {
  const error = reason instanceof Error ? reason : new Error(String(reason));
  return { type: 'failed', error, brokenBeforeAnswer: false };
}

function explain(result: NoAnswer, trip: Trip, options: CarrierOptions): Fault {
  const { responseBytesMax, timeoutMs } = options;
  if (result.type === 'tooLarge') {
    const words = `answered with more than ${responseBytesMax} bytes; let the query return fewer series`;
    return fault('tooLarge', words);
  }
  const { error } = result;
  if (error instanceof DeadlineExceeded) {
    const within = `within ${timeoutMs / 1000} s`;
    return trip.sent
      ? fault('timeout', `did not answer ${within}`)
      : fault('timeout', `could not be asked ${within}: too many queries waited before this one`);
  }
  if (error instanceof LaneFullError) return fault('timeout', `was not asked: ${error.message}`);
  return connectionFault(error, result.brokenBeforeAnswer);
}
