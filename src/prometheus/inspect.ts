/**
 * From an answer about the server itself to a list, or to why there is none. Only Prometheus has all of these APIs, so
 * "it has no such API" is told apart from "it did not answer as it should".
 */
import type { HttpAnswer } from '#transport/exchange.ts';
import { excerpt } from '#transport/failures.ts';
import { type Parsed, parseEnvelope } from './answer.ts';
import type { ReadList } from './lists.ts';

/** The words end a sentence that begins with the server's address. */
export type Inspected<T> =
  | { readonly type: 'told'; readonly value: readonly T[] }
  | { readonly type: 'cannotTell'; readonly words: string };

/** No such path, no such method, not made, gone; or not for these credentials, which may query all the same. */
const NO_SUCH_API = new Set([403, 404, 405, 410, 501]);

/** VictoriaMetrics and frontends of vendors say it with 400 or 500. */
const NO_SUCH_WORDS =
  /not supported|unsupported|not implemented|unimplemented|unknown (path|route|endpoint|method)|no such (path|route|endpoint)/i;

/** @param name of the API, as in `/api/v1/targets` */
export function inspect<T>(
  answer: HttpAnswer,
  name: string,
  read: ReadList<T>,
): Parsed<Inspected<T>> {
  const { status } = answer;
  if (NO_SUCH_API.has(status)) return cannotTell(`answers ${status} to /api/v1/${name}`);
  if (status >= 400 && NO_SUCH_WORDS.test(answer.text)) {
    return cannotTell(`answers ${status} to /api/v1/${name}: ${excerpt(answer.text)}`);
  }
  if (status === 200 && !isJson(answer)) {
    return cannotTell(`answers /api/v1/${name} with something else than JSON`);
  }
  const envelope = parseEnvelope(answer);
  if (envelope.type === 'fault') {
    // What a list lacks proves nothing then. It is no failure either: queries are asked for whole answers, so one that
    // needs the store which is missing fails by itself.
    return envelope.fault === 'partial' ? cannotTell(envelope.words) : envelope;
  }
  const list = read(envelope.data);
  if (list === undefined) return cannotTell(`answers /api/v1/${name} in a form of its own`);
  return { type: 'parts', parts: [{ type: 'told', value: list }] };
}

function cannotTell<T>(words: string): Parsed<Inspected<T>> {
  return { type: 'parts', parts: [{ type: 'cannotTell', words }] };
}

function isJson({ contentType, text }: HttpAnswer): boolean {
  return contentType.includes('json') || text.startsWith('{');
}
