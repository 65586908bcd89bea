/** Every way in which no trustworthy answer comes, sorted once into the faults of the port. */
import type { QueryFault } from '#ports/metric-source.ts';
import { errorCode, type HttpAnswer } from './exchange.ts';

/** A fault and the rest of the sentence that begins with the server's address. */
export interface Fault {
  readonly fault: QueryFault;
  readonly words: string;
}

export const fault = (kind: QueryFault, words: string): Fault => ({ fault: kind, words });

/** Characters of the server's own words that are repeated. */
const EXCERPT_MAX = 300;

/**
 * `errorType` of the Prometheus API. Whatever is not here (Cortex has own ones) is sorted by HTTP status.
 * `canceled` is what a server says that is shutting down.
 */
const ERROR_TYPES: Readonly<Record<string, QueryFault>> = {
  bad_data: 'badQuery',
  execution: 'badQuery',
  cost_limit: 'tooLarge',
  canceled: 'unreachable',
  timeout: 'timeout',
  internal: 'unreachable',
  unavailable: 'unreachable',
  not_found: 'refused',
  not_acceptable: 'refused',
};

/** Limits arrive as `execution` or `bad_data`: they are told by their words (Prometheus, Mimir, VictoriaMetrics). */
const LIMIT_WORDS =
  /too many samples|exceeded maximum resolution|exceed(s|ed|ing)? the (maximum|limit)|limit exceeded|err-mimir-max|cannot select more than/i;

/**
 * A store behind the server failed: Thanos with partial_response=false, remote read, Mimir's ingesters. It comes as
 * `execution`, though nothing is wrong with the query.
 */
const STORE_WORDS = /expanding series:|rpc error|store gateway|fetch(ing)? series/i;

/** The `error` part of a Prometheus answer, whatever the HTTP status. */
export function apiFault(status: number, errorType: string, error: string): Fault {
  const words = `answered ${status} ${errorType}: ${excerpt(error)}`;
  const kind = ERROR_TYPES[errorType];
  if (kind === 'badQuery' && LIMIT_WORDS.test(error)) return fault('tooLarge', words);
  if (errorType === 'execution' && STORE_WORDS.test(error)) return fault('partial', words);
  if (status === 401 || status === 403 || status === 429) return fault('refused', words);
  return fault(kind ?? statusFault(status), words);
}

/** An answer that is not Prometheus' JSON: from a proxy, or from the wrong place. */
export function httpFault(answer: HttpAnswer): Fault {
  const { status } = answer;
  const said = `answered ${status}${excerptOf(answer)}`;
  if (status >= 300 && status < 400) {
    return fault(
      'refused',
      `answered ${status} with a redirect${destination(answer)}; redirects are not followed, so set the url to where it leads`,
    );
  }
  if (status === 401) return fault('refused', `${said}; check basicAuth, bearerToken or headers`);
  if (status === 403) return fault('refused', `${said}; these credentials may not query`);
  if (status === 404 || status === 405) {
    return fault(
      'refused',
      `${said}; the url must be the part before /api/v1/query, with any path prefix`,
    );
  }
  if (status === 200) {
    return isJson(answer)
      ? fault('unreachable', `broke off: ${answer.bytes} bytes of JSON that cannot be read`)
      : fault(
          'refused',
          `answered 200, but not in Prometheus' JSON${excerptOf(answer)}; is this a Prometheus, or a log-in page?`,
        );
  }
  return fault(statusFault(status), said);
}

/** A request that brought no answer at all. */
export function connectionFault(error: Error, brokenBeforeAnswer: boolean): Fault {
  const code = errorCode(error);
  if (code.startsWith('UND_ERR_CONNECT_TIMEOUT') || code === 'ETIMEDOUT') {
    return fault('timeout', `could not be connected to in time (${describe(error)})`);
  }
  const words = describe(error);
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER') {
    return fault(
      'unreachable',
      `does not speak TLS there (${words}); is it http instead of https?`,
    );
  }
  if (isCertificateError(code)) {
    const advice = 'check tls.ca and tls.serverName';
    return fault('unreachable', `shows a certificate that is not accepted (${words}); ${advice}`);
  }
  if (code.startsWith('ERR_SSL') || code.startsWith('ERR_OSSL')) {
    return fault('unreachable', `cannot be reached over TLS (${words}); check tls`);
  }
  if (brokenBeforeAnswer) {
    const advice =
      'if it always does, check http or https, and whether it wants a client certificate';
    return fault('unreachable', `closed the connection without an answer (${words}); ${advice}`);
  }
  return fault('unreachable', `cannot be reached (${words})`);
}

/** The server's words on one line, cut. */
export function excerpt(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return line.length > EXCERPT_MAX ? `${line.slice(0, EXCERPT_MAX)}…` : line;
}

function statusFault(status: number): QueryFault {
  if (status === 408 || status === 504) return 'timeout';
  if (status === 413) return 'tooLarge';
  if (status === 400 || status === 422) return 'badQuery';
  return status >= 500 ? 'unreachable' : 'refused';
}

function excerptOf(answer: HttpAnswer): string {
  const type = answer.contentType.split(';', 1)[0] ?? '';
  // A page of HTML is no sentence; its type says enough.
  const words = type === 'text/html' ? '' : excerpt(answer.text);
  if (words !== '') return `: ${words}`;
  return type === '' ? '' : ` (${type})`;
}

function isJson(answer: HttpAnswer): boolean {
  return answer.contentType.includes('json');
}

/** Where a redirect leads, without the parameters that a log-in server hangs on. */
function destination({ location }: HttpAnswer): string {
  if (location === undefined) return '';
  const path = location.split(/[?#]/, 1)[0] ?? '';
  return ` to ${excerpt(path.replace(/\/\/[^/@]*@/, '//'))}`;
}

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
