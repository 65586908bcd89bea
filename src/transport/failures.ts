/** What a request failed of that brought no answer, as the rest of a sentence that begins with the server's address. */
import { DeadlineExceeded } from '#runtime/deadline.ts';
import { LaneFullError } from '#runtime/lane.ts';
import { type ExchangeResult, errorCode, type HttpAnswer } from './exchange.ts';

export interface Failure {
  readonly kind: 'timeout' | 'unreachable' | 'tooLarge';
  readonly words: string;
}

export type NoAnswer = Exclude<ExchangeResult, HttpAnswer>;

export interface Limits {
  readonly timeoutMs: number;
  readonly responseBytesMax: number;
}

/** Characters of the server's own words that are repeated. */
const EXCERPT_MAX = 300;

/** @param isSent false while it still waited in the server's lane */
export function failureOf(result: NoAnswer, isSent: boolean, limits: Limits): Failure {
  if (result.type === 'tooLarge') {
    return { kind: 'tooLarge', words: `answered with more than ${limits.responseBytesMax} bytes` };
  }
  const { error } = result;
  if (error instanceof DeadlineExceeded) {
    const within = `within ${limits.timeoutMs / 1000} s`;
    return timeout(
      isSent
        ? `did not answer ${within}`
        : `could not be asked ${within}: too many queries waited before this one`,
    );
  }
  if (error instanceof LaneFullError) return timeout(`was not asked: ${error.message}`);
  return connectionFailure(error, result.brokenBeforeAnswer);
}

function connectionFailure(error: Error, brokenBeforeAnswer: boolean): Failure {
  const code = errorCode(error);
  if (code.startsWith('UND_ERR_CONNECT_TIMEOUT') || code === 'ETIMEDOUT') {
    return timeout(`could not be connected to in time (${describe(error)})`);
  }
  const words = describe(error);
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER') {
    return unreachable(`does not speak TLS there (${words}); is it http instead of https?`);
  }
  if (isCertificateError(code)) {
    const advice = 'check tls.ca and tls.serverName';
    return unreachable(`shows a certificate that is not accepted (${words}); ${advice}`);
  }
  if (code.startsWith('ERR_SSL') || code.startsWith('ERR_OSSL')) {
    return unreachable(`cannot be reached over TLS (${words}); check tls`);
  }
  if (brokenBeforeAnswer) {
    const advice =
      'if it always does, check http or https, and whether it wants a client certificate';
    return unreachable(`closed the connection without an answer (${words}); ${advice}`);
  }
  return unreachable(`cannot be reached (${words})`);
}

/** The server's words on one line, cut. */
export function excerpt(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return line.length > EXCERPT_MAX ? `${line.slice(0, EXCERPT_MAX)}…` : line;
}

/** What an answer that was not expected says, to be put behind its status. */
export function excerptOf(answer: Pick<HttpAnswer, 'contentType' | 'text'>): string {
  const type = answer.contentType.split(';', 1)[0] ?? '';
  // A page of HTML is no sentence; its type says enough.
  const words = type === 'text/html' ? '' : excerpt(answer.text);
  if (words !== '') return `: ${words}`;
  return type === '' ? '' : ` (${type})`;
}

/** Where a redirect leads, without the parameters that a log-in server hangs on. */
export function redirectWords({ status, location }: HttpAnswer): string {
  const path = location?.split(/[?#]/, 1)[0] ?? '';
  const to = location === undefined ? '' : ` to ${excerpt(path.replace(/\/\/[^/@]*@/, '//'))}`;
  const mend = 'redirects are not followed, so set the url to where it leads';
  return `answered ${status} with a redirect${to}; ${mend}`;
}

const timeout = (words: string): Failure => ({ kind: 'timeout', words });
const unreachable = (words: string): Failure => ({ kind: 'unreachable', words });

function isCertificateError(code: string): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/.test(code);
}

/** An AggregateError (one attempt per address) has no message of its own. */
function describe(error: Error): string {
  const parts: unknown[] = error instanceof AggregateError ? error.errors : [];
  const messages = parts.map((part) => (part instanceof Error ? part.message : String(part)));
  const cause = error.cause instanceof Error ? error.cause.message : '';
  const words = messages.join('; ') || error.message || cause || errorCode(error) || error.name;
  // OpenSSL wraps its reason into a code, a function, a file and a line.
  return excerpt(/SSL routines:[^:]*:([^:]+):/.exec(words)?.[1] ?? words);
}
