/**
 * A server with an API of JSON: one request, one answer that has been read. What is no answer is a sentence that begins
 * with what the server is and where.
 */
import type { Clock } from '#ports/clock.ts';
import type { Told } from '#ports/monitoring-systems.ts';
import type { ServerEndpoint } from '#ports/server-endpoint.ts';
import type { Connections } from './connections.ts';
import { type HttpAnswer, sendRequest } from './exchange.ts';
import { excerptOf, failureOf, redirectWords } from './failures.ts';
import { createServer, type Fields, pathOf, type Server } from './server.ts';
import { createTravel } from './trips.ts';

export interface ServiceOptions {
  readonly clock: Clock;
  readonly connections: Connections;
  /** For one request from asking to answer, waiting included. */
  readonly timeoutMs: number;
  readonly responseBytesMax: number;
}

export interface ServiceRequest {
  readonly path: string;
  readonly fields?: Fields;
  /** With one it is a POST. */
  readonly body?: unknown;
}

export type Reply =
  | {
      readonly type: 'reply';
      readonly status: number;
      /** Undefined: there is none that can be read. */
      readonly json: unknown;
      /** Of an answer that is not what was wanted. */
      readonly refusal: Failed;
    }
  | Failed;

export type Failed = Extract<Told<never>, { type: 'failed' }>;

export interface Service {
  /** For messages. */
  readonly url: string;
  ask(request: ServiceRequest, signal: AbortSignal): Promise<Reply>;
  /** @param words the rest of a sentence that begins with the server */
  failed(words: string): Failed;
}

/** @param name as in `Alertmanager at http://… ` */
export function createService(
  options: ServiceOptions,
  name: string,
  endpoint: ServerEndpoint,
): Service {
  const made = createServer(endpoint);
  if (made.type === 'invalid') {
    const message = `The url of ${name} is not usable: ${made.message}`;
    const failed = (): Failed => ({ type: 'failed', message });
    return { url: endpoint.url, ask: () => Promise.resolve(failed()), failed };
  }
  const { server } = made;
  const travel = createTravel(options, options.connections);
  const failed = (words: string): Failed => ({
    type: 'failed',
    message: server.redact(`${name} at ${server.shown} ${words}`),
  });
  return {
    url: server.shown,
    failed,
    async ask(request, stop) {
      const exchange = exchangeOf(server, request, options.responseBytesMax);
      const { result, sentAtMs } = await travel(
        {
          server,
          urgent: false,
          send: async (dispatcher, _leftMs, signal) => {
            const first = await sendRequest(dispatcher, exchange, signal);
            // The server closed a kept connection just as it was used again; every request may be made twice.
            const isBroken = first.type === 'failed' && first.brokenBeforeAnswer;
            return isBroken ? sendRequest(dispatcher, exchange, signal) : first;
          },
        },
        stop,
      );
      if (result.type !== 'answer') {
        return failed(failureOf(result, sentAtMs !== undefined, options).words);
      }
      const json = readJson(result.text);
      return { type: 'reply', status: result.status, json, refusal: failed(refusalOf(result)) };
    },
  };
}

function exchangeOf(
  server: Server,
  { path, fields, body }: ServiceRequest,
  responseBytesMax: number,
) {
  const whole = { path: pathOf(server, path, fields), responseBytesMax };
  if (body === undefined)
    return { ...whole, method: 'GET', headers: server.headers, body: null } as const;
  const headers = { ...server.headers, 'content-type': 'application/json' };
  return { ...whole, method: 'POST', headers, body: JSON.stringify(body) } as const;
}

function refusalOf(answer: HttpAnswer): string {
  const { status } = answer;
  if (status >= 300 && status < 400) return redirectWords(answer);
  const said = `answered ${status}${excerptOf(answer)}`;
  if (status === 401) return `${said}; check the credentials it is asked with`;
  if (status === 403) return `${said}; these credentials may not ask that`;
  return said;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
