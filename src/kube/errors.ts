/** Every way in which a request to the API server can fail, sorted once into the faults of the port. */
import { ClusterError, type ClusterFault } from '#ports/cluster.ts';
import { DeadlineExceeded } from '#runtime/deadline.ts';
import { isRecord } from './resource.ts';

export interface FailedAnswer {
  /** `PATCH /apis/apps/v1/namespaces/shop/deployments/checkout`: how the message begins. */
  readonly request: string;
  readonly status: number;
  readonly body: string;
  readonly retryAfter: string | undefined;
  readonly nowMs: number;
  /** A JSON patch that does not fit the object (its `test` failed) is a conflict, not a mistake. */
  readonly isJsonPatch: boolean;
}

/** A `Status` object, or what of one could be read. */
interface ServerStatus {
  readonly message: string;
  readonly reason: string;
  readonly code: number;
  readonly causeCount: number;
  readonly retryAfterSeconds: number | undefined;
}

/** Characters of an answer that is no Status (a proxy's page) which are repeated. */
const EXCERPT_MAX = 300;
/** The API server does not say it. */
const UNFIT_PATCH_HINT = 'a test in the patch did not hold, or a path of it is not in the object';

export function errorOfAnswer(answer: FailedAnswer): ClusterError {
  const said = parseStatus(answer.body);
  const words = said?.message ?? excerpt(answer.body);
  const retryAfterMs = retryAfterOf(answer, said);
  const fault = faultOf(answer.status, said, answer.isJsonPatch);
  const hint = fault === 'conflict' && answer.status === 422 ? ` (${UNFIT_PATCH_HINT})` : '';
  return new ClusterError(
    fault,
    `${answer.request} answered ${answer.status}${words === '' ? '' : `: ${words}`}${hint}`,
    { status: answer.status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
  );
}

/** The `object` of a watch's ERROR event. */
export function errorOfStatusObject(request: string, status: unknown): ClusterError {
  const said = readStatus(status);
  const code = said?.code ?? 500;
  const retryAfterMs =
    said?.retryAfterSeconds === undefined ? {} : { retryAfterMs: said.retryAfterSeconds * 1000 };
  return new ClusterError(
    faultOf(code, said, false),
    `${request} sent an ERROR event: ${said?.message ?? excerpt(JSON.stringify(status))}`,
    { status: code, ...retryAfterMs },
  );
}

/** A request that brought no whole answer. `ClusterError`s pass through unchanged. */
export function errorOfException(
  request: string,
  error: unknown,
  signal: AbortSignal,
): ClusterError {
  if (error instanceof ClusterError) return error;
  const reason: unknown = signal.aborted ? signal.reason : error;
  if (reason instanceof ClusterError) {
    return new ClusterError(reason.fault, `${request}: ${reason.message}`, { cause: reason });
  }
  if (signal.aborted) {
    const words =
      reason instanceof DeadlineExceeded ? reason.message : `stopped: ${describe(reason)}`;
    return new ClusterError('timeout', `${request}: ${words}`, { cause: reason });
  }
  return new ClusterError('unavailable', `${request} failed: ${describe(error)}`, { cause: error });
}

function faultOf(
  status: number,
  said: ServerStatus | undefined,
  isJsonPatch: boolean,
): ClusterFault {
  switch (status) {
    case 401:
      return 'unauthorized';
    case 403:
      return 'forbidden';
    case 404:
      return 'notFound';
    case 409:
      return said?.reason === 'AlreadyExists' ? 'alreadyExists' : 'conflict';
    case 410:
      return 'gone';
    case 422:
      return isJsonPatch && said !== undefined && isUnfitPatch(said) ? 'conflict' : 'invalid';
    case 429:
      return 'throttled';
    case 408:
    case 504:
      return 'timeout';
    default:
      return status >= 500 ? 'unavailable' : 'invalid';
  }
}

/**
 * The API server answers a patch that cannot be applied (a failed `test`, a path that is not there)
 * with a bare 422, and an object that breaks its schema with a 422 that lists causes.
 */
function isUnfitPatch(said: ServerStatus): boolean {
  return said.reason === 'Invalid' && said.causeCount === 0;
}

function parseStatus(body: string): ServerStatus | undefined {
  try {
    return readStatus(JSON.parse(body));
  } catch {
    return undefined;
  }
}

function readStatus(value: unknown): ServerStatus | undefined {
  if (!isRecord(value) || value['kind'] !== 'Status') return undefined;
  const details = isRecord(value['details']) ? value['details'] : {};
  const seconds = details['retryAfterSeconds'];
  return {
    message: textOf(value['message']),
    reason: textOf(value['reason']),
    code: typeof value['code'] === 'number' ? value['code'] : 500,
    causeCount: Array.isArray(details['causes']) ? details['causes'].length : 0,
    retryAfterSeconds: typeof seconds === 'number' ? seconds : undefined,
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Retry-After in seconds or as a date; a Status may say it too. */
function retryAfterOf(answer: FailedAnswer, said: ServerStatus | undefined): number | undefined {
  const { retryAfter } = answer;
  const fromStatus = said?.retryAfterSeconds;
  if (retryAfter === undefined) return fromStatus === undefined ? undefined : fromStatus * 1000;
  const seconds = Number(retryAfter);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const atMs = Date.parse(retryAfter);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - answer.nowMs);
}

function excerpt(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > EXCERPT_MAX ? `${line.slice(0, EXCERPT_MAX)}…` : line;
}

/** An AggregateError (one failed attempt an address) has no message of its own. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map(describe).join('; ');
  }
  const cause = error.cause instanceof Error ? ` (${describe(error.cause)})` : '';
  return `${error.message}${cause}`;
}
