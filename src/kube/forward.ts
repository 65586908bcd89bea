/**
 * A door on this machine that leads through the API server's proxy to a Service or a pod, with the kubeconfig's
 * credentials: for tools that ask a URL and cannot be where the Service's name means something.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Connection, HttpAnswer, HttpCall } from './connect.ts';
import { type InCluster, proxyPath } from './in-cluster.ts';
import { isRecord } from './resource.ts';

export interface Forward {
  /** What stands for the Service's own URL. It holds a secret: other processes of this machine cannot guess it. */
  readonly url: string;
  /** Why it has not led there, the last time that it did not: mostly what the API server itself says. */
  refusal(): Refusal | undefined;
  close(): Promise<void>;
}

export interface Refusal {
  /** 0 when the API server itself did not answer. */
  readonly status: number;
  readonly message: string;
}

const BODY_BYTES_MAX = 10 * 2 ** 20;
const METHODS: readonly HttpCall['method'][] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
/**
 * Headers are those of a rollout's author, and the request is the caller's: none may say to the API server who asks, nor
 * steer the connection.
 */
const NOT_PASSED =
  /^(?:authorization|cookie|host|connection|keep-alive|content-length|content-type|accept|accept-encoding|user-agent|expect|te|trailer|upgrade|transfer-encoding|forwarded|proxy-.*|impersonate-.*|x-remote-.*|x-forwarded-.*|x-original-.*|sec-.*)$/;
const ANSWERED = ['content-type', 'date', 'age', 'retry-after'];
const NO_CREDENTIALS =
  "it asks for credentials, which the API server's proxy does not pass on; `kubectl port-forward` leads to it with them";

export async function openForward(connection: Connection, target: InCluster): Promise<Forward> {
  const prefix = `/${randomBytes(16).toString('hex')}`;
  const path = proxyPath(target);
  let refusal: Refusal | undefined;
  const stopping = new AbortController();

  const lead = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method: wanted, url = '' } = request;
    const method = METHODS.find((one) => one === wanted);
    if (method === undefined || (url !== prefix && !url.startsWith(`${prefix}/`))) {
      response.writeHead(404).end();
      return;
    }
    const call = callOf(request, method, `${path}${url.slice(prefix.length) || '/'}`);
    const body = await readAll(request);
    const answer = await connection.send({
      ...call,
      ...(body === '' ? {} : { body }),
      signal: AbortSignal.any([stopping.signal, closedBy(response)]),
    });
    if (answer.statusCode < 400) {
      await passOn(answer, response);
      return;
    }
    const text = await answer.body.text();
    const own = statusMessage(text);
    const message = own ?? (answer.statusCode === 401 ? NO_CREDENTIALS : undefined);
    if (message !== undefined) refusal = { status: answer.statusCode, message };
    if (own === undefined) response.writeHead(answer.statusCode, headersOf(answer)).end(text);
    else response.writeHead(answer.statusCode, { 'content-type': 'text/plain' }).end(own);
  };

  const server = createServer((request, response) => {
    lead(request, response).catch((error: unknown) => {
      const message = `the API server's proxy cannot be asked: ${wordsOf(error)}`;
      refusal = { status: 0, message };
      if (!response.headersSent) response.writeHead(502, { 'content-type': 'text/plain' });
      response.end(message);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}${prefix}`,
    refusal: () => refusal,
    close: async () => {
      stopping.abort(new Error('the door has been closed'));
      server.close();
      server.closeAllConnections();
    },
  };
}

function callOf(
  { headers }: IncomingMessage,
  method: HttpCall['method'],
  path: string,
): Omit<HttpCall, 'signal'> {
  const passed = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    value === undefined || NOT_PASSED.test(name) ? [] : [[name, [value].flat().join(', ')]],
  );
  const { accept, 'content-type': contentType } = headers;
  return {
    method,
    path,
    headers: Object.fromEntries(passed),
    ...(accept === undefined ? {} : { accept }),
    ...(contentType === undefined ? {} : { contentType }),
  };
}

/** Whoever has asked may not wait any more. */
function closedBy(response: ServerResponse): AbortSignal {
  const closed = new AbortController();
  response.once('close', () => closed.abort(new Error('nobody waits for this answer any more')));
  return closed.signal;
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const part = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    bytes += part.length;
    if (bytes > BODY_BYTES_MAX) throw new Error(`more than ${BODY_BYTES_MAX} bytes to send on`);
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function passOn(answer: HttpAnswer, response: ServerResponse): Promise<void> {
  response.writeHead(answer.statusCode, headersOf(answer));
  for await (const chunk of answer.body) {
    if (!response.write(chunk)) await once(response, 'drain');
  }
  response.end();
}

function headersOf({ headers }: HttpAnswer): Record<string, string | string[]> {
  const passed = ANSWERED.flatMap((name): [string, string | string[]][] => {
    const value = headers[name];
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(passed);
}

/** What the API server says itself, which it writes as a Status; undefined: somebody else has answered. */
function statusMessage(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isRecord(value) || value['kind'] !== 'Status' || value['apiVersion'] !== 'v1') {
      return undefined;
    }
    const { message } = value;
    return typeof message === 'string' && message !== '' ? message : 'refused without a word';
  } catch {
    return undefined;
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
