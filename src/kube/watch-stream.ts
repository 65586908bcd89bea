/** One watch request: opens it, kills it when it is silent, and hands out its events one by one. */

import type { Clock } from '#ports/clock.ts';
import type { ClusterError, KubeObject, Resource } from '#ports/cluster.ts';
import { DeadlineExceeded, reasonOf, startDeadline } from '#runtime/deadline.ts';
import type { Connection, HttpAnswer } from './connect.ts';
import { errorOfAnswer, errorOfException, errorOfStatusObject } from './errors.ts';
import { BrokenStream, LineSplitter } from './lines.ts';
import { collectionPath, isKubeObject, isRecord, type Query, withQuery } from './resource.ts';

export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject }
  | {
      readonly type: 'BOOKMARK';
      readonly resourceVersion: string;
      /** The last of the initial events of a watch-list has been sent. */
      readonly endsInitialEvents: boolean;
    };

export interface WatchRequest {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly query: Query;
  readonly signal: AbortSignal;
  /** The server has accepted the watch. */
  readonly onOpen: () => void;
  /** Called in order for each event. Must not throw. */
  readonly onEvent: (event: WatchEvent) => void;
}

/** Headers of a watch come at once; a server that is overloaded may take its time. */
const HEADERS_LIMIT_MS = 30_000;
/** Bookmarks come about once a minute: more than two missed means that nobody is there any more. */
const SILENCE_MAX_MS = 150_000;
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/** Nothing has come for too long on a watch that is open. */
export class SilentStream extends DeadlineExceeded {
  constructor() {
    super(SILENCE_MAX_MS);
    this.name = 'SilentStream';
  }
}

/**
 * Resolves when the server ends the stream in an orderly way (its timeoutSeconds are over); rejects
 * with ClusterError for everything else: an ERROR event, silence, a cut or unreadable stream, the signal.
 */
export async function readWatch(request: WatchRequest): Promise<void> {
  const path = withQuery(collectionPath(request.resource, request.namespace), request.query);
  const name = `WATCH ${path.split('?', 1)[0]}`;
  const life = startDeadline(request.clock, Number.POSITIVE_INFINITY, [request.signal]);
  try {
    const answer = await openWatch(request, path, life);
    if (answer.statusCode !== 200) throw await refusal(request, name, answer);
    request.onOpen();
    await readBody(request, name, answer, life);
  } catch (error) {
    throw errorOfException(name, error, life.signal);
  } finally {
    life.abort(new Error('the watch has ended'));
    life.clear();
  }
}

type Life = ReturnType<typeof startDeadline>;

async function openWatch(request: WatchRequest, path: string, life: Life): Promise<HttpAnswer> {
  const cancel = request.clock.after(HEADERS_LIMIT_MS, () =>
    life.abort(new DeadlineExceeded(HEADERS_LIMIT_MS)),
  );
  try {
    return await request.connection.send({ method: 'GET', path, signal: life.signal, watch: true });
  } finally {
    cancel();
  }
}

async function refusal(
  request: WatchRequest,
  name: string,
  answer: HttpAnswer,
): Promise<ClusterError> {
  const cancel = request.clock.after(HEADERS_LIMIT_MS, () => answer.body.destroy());
  try {
    const header = answer.headers['retry-after'];
    return errorOfAnswer({
      request: name,
      status: answer.statusCode,
      body: await answer.body.text(),
      retryAfter: Array.isArray(header) ? header[0] : header,
      nowMs: request.clock.now(),
      isJsonPatch: false,
    });
  } finally {
    cancel();
  }
}

async function readBody(
  request: WatchRequest,
  name: string,
  answer: HttpAnswer,
  life: Life,
): Promise<void> {
  const lines = new LineSplitter();
  const watchdog = new Watchdog(request.clock, life);
  try {
    for await (const chunk of answer.body) {
      watchdog.feed();
      lines.push(toBuffer(chunk), (line) => request.onEvent(parseEvent(name, line)));
    }
  } finally {
    watchdog.stop();
  }
  if (life.signal.aborted) throw reasonOf(life.signal);
  if (lines.isUnfinished) throw new BrokenStream('the stream ended in the middle of an event');
}

/** Aborts a stream on which no byte has come for too long. One timer, not one a chunk. */
class Watchdog {
  readonly #clock: Clock;
  readonly #life: Life;
  #fedAtMs: number;
  #cancel: () => void;

  constructor(clock: Clock, life: Life) {
    this.#clock = clock;
    this.#life = life;
    this.#fedAtMs = clock.monotonic();
    this.#cancel = clock.after(SILENCE_MAX_MS, () => this.#look());
  }

  feed(): void {
    this.#fedAtMs = this.#clock.monotonic();
  }

  stop(): void {
    this.#cancel();
  }

  #look(): void {
    const restMs = this.#fedAtMs + SILENCE_MAX_MS - this.#clock.monotonic();
    if (restMs <= 0) this.#life.abort(new SilentStream());
    else this.#cancel = this.#clock.after(restMs, () => this.#look());
  }
}

function toBuffer(chunk: unknown): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
}

function parseEvent(name: string, line: string): WatchEvent {
  const { type, object } = parseLine(line);
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      if (!isKubeObject(object)) throw new BrokenStream(`a ${type} event has no object`);
      return { type, object };
    case 'BOOKMARK':
      return toBookmark(object);
    case 'ERROR':
      throw errorOfStatusObject(name, object);
    default:
      throw new BrokenStream(`an event of the unknown type ${JSON.stringify(type)}`);
  }
}

function parseLine(line: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(line);
    if (isRecord(parsed)) return parsed;
  } catch (error) {
    throw new BrokenStream(`an event is not JSON: ${line.slice(0, 100)}`, { cause: error });
  }
  throw new BrokenStream(`an event is not an object: ${line.slice(0, 100)}`);
}

/** A bookmark's object has a resourceVersion and nothing else of use; it has no name. */
function toBookmark(object: unknown): WatchEvent {
  const metadata = isRecord(object) && isRecord(object['metadata']) ? object['metadata'] : {};
  const { resourceVersion, annotations } = metadata;
  if (typeof resourceVersion !== 'string') {
    throw new BrokenStream('a BOOKMARK event has no resourceVersion');
  }
  const endsInitialEvents = isRecord(annotations) && annotations[INITIAL_EVENTS_END] === 'true';
  return { type: 'BOOKMARK', resourceVersion, endsInitialEvents };
}
