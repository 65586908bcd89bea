/**
 * Requests to URLs that users name in their rollouts: on a connection of their own, without redirects, within a time
 * and a size, and only to addresses that may be asked. What comes of one is a value.
 */
import { lookup as lookUp } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { Agent, type Dispatcher, request } from 'undici';
import type { Clock } from '#ports/clock.ts';
import { DeadlineExceeded, startDeadline } from '#runtime/deadline.ts';
import { type AddressRules, addressProblem, urlProblem } from './address-rules.ts';

export interface WebRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly limitMs: number;
  /** More than that of the answer is not read. */
  readonly bytesMax: number;
}

export type WebAnswer =
  | {
      readonly type: 'answer';
      readonly status: number;
      readonly contentType: string;
      readonly text: string;
      /** True when there is more of it than `bytesMax`. */
      readonly isCut: boolean;
    }
  /** Nobody there, or nobody who speaks HTTP. */
  | { readonly type: 'unreachable'; readonly message: string }
  | { readonly type: 'timeout'; readonly message: string }
  /** It was never asked, for a reason of ours: this says nothing of whoever would have answered. */
  | { readonly type: 'notAsked'; readonly message: string };

export interface Web {
  ask(question: WebRequest, signal: AbortSignal): Promise<WebAnswer>;
  close(): Promise<void>;
}

/** Failures of this process or its network, not of the other side. */
const OWN_FAULTS: readonly string[] = [
  'EAI_AGAIN',
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'ENETDOWN',
  'EADDRNOTAVAIL',
];

class ForbiddenAddress extends Error {}

export function createWeb(clock: Clock, rules: AddressRules): Web {
  const dispatcher = new Agent({ connect: { lookup: guardedLookup(rules) }, allowH2: false });
  return {
    async ask(question, signal) {
      const problem = urlProblem(question.url, rules);
      if (problem !== undefined) return { type: 'notAsked', message: `${question.url} ${problem}` };
      const deadline = startDeadline(clock, question.limitMs, [signal]);
      try {
        return await send(dispatcher, question, deadline.signal);
      } catch (error) {
        return failureOf(question, error, deadline.signal);
      } finally {
        deadline.clear();
      }
    },
    close: () => dispatcher.destroy(),
  };
}

async function send(
  dispatcher: Dispatcher,
  { method, url, headers, body, bytesMax }: WebRequest,
  signal: AbortSignal,
): Promise<WebAnswer> {
  const answer = await request(url, {
    dispatcher,
    method,
    headers: { 'user-agent': 'genesis-rollout', ...headers },
    ...(body === undefined ? {} : { body }),
    signal,
    // A connection that is kept would go on asking the one pod it has led to.
    reset: true,
    // Our own deadline covers connecting, waiting and reading.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const { text, isCut } = await readBody(answer.body, bytesMax);
  const contentType = answer.headers['content-type'] ?? '';
  return {
    type: 'answer',
    status: answer.statusCode,
    contentType: Array.isArray(contentType) ? contentType.join(',') : contentType,
    text,
    isCut,
  };
}

async function readBody(
  body: Dispatcher.ResponseData['body'],
  bytesMax: number,
): Promise<{ readonly text: string; readonly isCut: boolean }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    const part = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    bytes += part.length;
    if (bytes > bytesMax) {
      body.destroy();
      return { text: Buffer.concat(chunks).toString('utf8'), isCut: true };
    }
    chunks.push(part);
  }
  return { text: Buffer.concat(chunks).toString('utf8'), isCut: false };
}

function failureOf({ url, limitMs }: WebRequest, error: unknown, signal: AbortSignal): WebAnswer {
  if (signal.aborted) {
    return signal.reason instanceof DeadlineExceeded && signal.reason.limitMs === limitMs
      ? { type: 'timeout', message: `${url} did not answer within ${limitMs / 1000} s` }
      : { type: 'notAsked', message: `${url} was not asked to the end: the look was over` };
  }
  const words = wordsOf(error);
  if (error instanceof ForbiddenAddress || OWN_FAULTS.includes(codeOf(error))) {
    return { type: 'notAsked', message: `${url} could not be asked: ${words}` };
  }
  return { type: 'unreachable', message: `${url} cannot be reached: ${words}` };
}

/** Names are looked up here and checked at once, so that a name cannot lead elsewhere between check and connection. */
export function guardedLookup(rules: AddressRules): LookupFunction {
  return (hostname, options, callback) => {
    lookUp(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, []);
        return;
      }
      const allowed = addresses.filter((one) => addressProblem(one.address, rules) === undefined);
      const [first] = allowed;
      if (first === undefined) {
        const problem = addresses.map((one) => addressProblem(one.address, rules)).join(', ');
        callback(new ForbiddenAddress(`${hostname} ${problem}`), []);
      } else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : '';
}

/** An AggregateError (one attempt per address) has no message of its own. */
function wordsOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(wordsOf).join('; ');
  return error instanceof Error ? error.message || codeOf(error) || error.name : String(error);
}
