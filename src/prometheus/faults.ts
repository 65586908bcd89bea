/** Every way in which no trustworthy answer comes, sorted once into the faults of the port. */
import type { QueryFault } from '#ports/metric-source.ts';
import type { HttpAnswer } from '#transport/exchange.ts';
import { excerpt, excerptOf, redirectWords } from '#transport/failures.ts';

/** A fault and the rest of the sentence that begins with the server's address. */
export interface Fault {
  readonly fault: QueryFault;
  readonly words: string;
}

export const fault = (kind: QueryFault, words: string): Fault => ({ fault: kind, words });

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
    return fault('refused', redirectWords(answer));
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

function statusFault(status: number): QueryFault {
  if (status === 408 || status === 504) return 'timeout';
  if (status === 413) return 'tooLarge';
  if (status === 400 || status === 422) return 'badQuery';
  return status >= 500 ? 'unreachable' : 'refused';
}

function isJson(answer: HttpAnswer): boolean {
  return answer.contentType.includes('json');
}
