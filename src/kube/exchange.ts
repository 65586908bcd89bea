/** One whole request and answer, in JSON or the end of a text: limiter, deadline, Retry-After, and failures as ClusterErrors. */

import type { Clock } from '#ports/clock.ts';
import type { ClusterError } from '#ports/cluster.ts';
import { startDeadline } from '#runtime/deadline.ts';
import type { Lane } from '#runtime/lane.ts';
import type { Limiter } from '#runtime/limiter.ts';
import { type BodyEnd, readEnd } from './body-end.ts';
import type { Connection, HttpAnswer, HttpCall } from './connect.ts';
import { errorOfAnswer, errorOfException } from './errors.ts';

export interface JsonCall extends Omit<HttpCall, 'watch' | 'signal' | 'body'> {
  readonly body?: object;
  /** Each of them ends the request. */
  readonly signals: readonly AbortSignal[];
  /** Counted from its turn. */
  readonly limitMs?: number;
  /** Goes at once, however many wait for their turn. */
  readonly isUrgent?: boolean;
}

/** Where the figures about requests go. `status` is 0 when no answer came. */
export interface RequestMetrics {
  requested(method: string, host: string, status: number, durationMs: number): void;
  /** A request waited for its turn at our own limiter. */
  limited(waitedMs: number): void;
}

export interface ExchangeOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly limiter?: Limiter;
  /** Where requests that are not urgent wait for their turn; without one nothing waits. */
  readonly lane?: Lane;
  readonly metrics?: RequestMetrics;
}

export const JSON_PATCH = 'application/json-patch+json';
const DEFAULT_LIMIT_MS = 15_000;
/** A server that asks for more than this is left alone; the caller's own queue waits better. */
const RETRY_AFTER_MAX_MS = 5_000;
const TRIES_MAX = 3;

export class Exchange {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #limiter: Limiter | undefined;
  readonly #lane: Lane | undefined;
  readonly #metrics: RequestMetrics | undefined;

  constructor(options: ExchangeOptions) {
    this.#connection = options.connection;
    this.#clock = options.clock;
    this.#limiter = options.limiter;
    this.#lane = options.lane;
    this.#metrics = options.metrics;
  }

  /** The parsed answer; undefined when it is empty. Rejects with ClusterError only. */
  async json(call: JsonCall): Promise<unknown> {
    const read = async (body: HttpAnswer['body']) => await body.text();
    return await this.#ask(call, read, (text) => (text === '' ? undefined : JSON.parse(text)));
  }

  /** The last bytes of an answer of any length. Rejects with ClusterError only. */
  async end(call: JsonCall, bytesMax: number): Promise<BodyEnd> {
    const read = async (body: HttpAnswer['body']) => await readEnd(body, bytesMax);
    return await this.#ask(call, read, (end) => end);
  }

  async #ask<Body, T>(call: JsonCall, read: Reader<Body>, parse: (body: Body) => T): Promise<T> {
    const leave = await this.#enter(call);
    const limitMs = call.limitMs ?? DEFAULT_LIMIT_MS;
    const deadline = startDeadline(this.#clock, limitMs, call.signals);
    try {
      return parse(await this.#tries(call, read, deadline.signal));
    } catch (error) {
      throw errorOfException(nameOf(call), error, deadline.signal);
    } finally {
      deadline.clear();
      leave();
    }
  }

  /** Resolves when it is the call's turn, with the function that ends it. */
  async #enter(call: JsonCall): Promise<() => void> {
    if (this.#lane === undefined || call.isUrgent === true) return () => undefined;
    const waiting = startDeadline(this.#clock, Number.POSITIVE_INFINITY, call.signals);
    try {
      return await this.#lane.enter(waiting.signal, false);
    } catch (error) {
      throw errorOfException(nameOf(call), error, waiting.signal);
    } finally {
      waiting.clear();
    }
  }

  async #tries<T>(call: JsonCall, read: Reader<T>, signal: AbortSignal): Promise<T> {
    const { method, path, body, contentType = 'application/json', guard, accept } = call;
    const request: HttpCall = {
      method,
      path,
      signal,
      ...(body === undefined ? {} : { body: JSON.stringify(body), contentType }),
      ...(guard === undefined ? {} : { guard }),
      ...(accept === undefined ? {} : { accept }),
    };
    for (let tryNumber = 1; ; tryNumber += 1) {
      signal.throwIfAborted();
      const waitedMs = (await this.#limiter?.take(signal)) ?? 0;
      if (waitedMs > 0) this.#metrics?.limited(waitedMs);
      const outcome = await this.#once(call, request, read);
      if (outcome.type === 'answered') return outcome.value;
      const { error } = outcome;
      const waitMs = error.retryAfterMs;
      if (waitMs === undefined || waitMs > RETRY_AFTER_MAX_MS || tryNumber >= TRIES_MAX)
        throw error;
      await this.#clock.sleep(waitMs, signal);
    }
  }

  async #once<T>(call: JsonCall, request: HttpCall, read: Reader<T>): Promise<Outcome<T>> {
    const startedMs = this.#clock.monotonic();
    let status = 0;
    try {
      const answer = await this.#connection.send(request);
      const isGood = answer.statusCode >= 200 && answer.statusCode < 300;
      const outcome: Outcome<T> = isGood
        ? { type: 'answered', value: await read(answer.body) }
        : { type: 'refused', error: this.#refusal(call, answer, await answer.body.text()) };
      status = answer.statusCode;
      return outcome;
    } finally {
      const tookMs = this.#clock.monotonic() - startedMs;
      this.#metrics?.requested(call.method, this.#connection.host, status, tookMs);
    }
  }

  #refusal(call: JsonCall, answer: HttpAnswer, body: string): ClusterError {
    const header = answer.headers['retry-after'];
    return errorOfAnswer({
      request: nameOf(call),
      status: answer.statusCode,
      body,
      retryAfter: Array.isArray(header) ? header[0] : header,
      nowMs: this.#clock.now(),
      isJsonPatch: call.contentType === JSON_PATCH,
    });
  }
}

type Reader<T> = (body: HttpAnswer['body']) => Promise<T>;

type Outcome<T> =
  | { readonly type: 'answered'; readonly value: T }
  | { readonly type: 'refused'; readonly error: ClusterError };

/** Messages are read by people and deduplicated: without the query. */
function nameOf(call: JsonCall): string {
  return `${call.method} ${call.path.split('?', 1)[0]}`;
}
