/**
 * A server that speaks as much of the Prometheus API as a test tells it to, and breaks in every way that a
 * network, a proxy or a backend can.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

export interface Recorded {
  readonly method: string;
  readonly path: string;
  readonly search: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly form: Readonly<Record<string, string>>;
  /** Common name of the client certificate, with mutual TLS. */
  readonly clientName: string | undefined;
  /** Which connection it came over, from 1. */
  readonly connection: number;
}

export type Behaviour =
  | {
      readonly type: 'answer';
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly text: string;
    }
  | { readonly type: 'hang' }
  /** Status and headers, and then nothing. */
  | { readonly type: 'hangInBody' }
  /** The text, one character at a time. */
  | { readonly type: 'drip'; readonly text: string; readonly everyMs: number }
  /** The connection is cut without an answer. */
  | { readonly type: 'reset' }
  /** Announces the whole text, sends half, cuts the connection. */
  | { readonly type: 'cut'; readonly text: string }
  /** Sends without end, in chunks. */
  | { readonly type: 'flood' }
  /** Answers once `until` is fulfilled. */
  | { readonly type: 'wait'; readonly until: Promise<unknown>; readonly next: Behaviour };

/** Short where nothing will come, long where something does, however busy the machine is. */
export function patienceMs({ type }: Behaviour): number {
  return type === 'hang' || type === 'hangInBody' ? 300 : 30_000;
}

export interface FakePrometheus {
  readonly url: string;
  readonly requests: readonly Recorded[];
  /** Requests under way now, and the most there ever were. */
  readonly open: { readonly now: number; readonly most: number };
  respond: (request: Recorded, index: number) => Behaviour;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startFakePrometheus(
  options: { tls?: ServerOptions; port?: number; respond?: FakePrometheus['respond'] } = {},
): Promise<FakePrometheus> {
  const requests: Recorded[] = [];
  const open = { now: 0, most: 0 };
  const connections = new Map<Socket, number>();
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    open.now += 1;
    open.most = Math.max(open.most, open.now);
    response.on('close', () => {
      open.now -= 1;
    });
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const recorded = record(request, Buffer.concat(chunks), connections.get(request.socket) ?? 0);
      requests.push(recorded);
      behave(fake.respond(recorded, requests.length - 1), response);
    });
  };
  const server = options.tls ? createTlsServer(options.tls, handle) : createServer(handle);
  server.keepAliveTimeout = 60_000;
  const onConnection = (socket: Socket): void => {
    connections.set(socket, connections.size + 1);
    socket.on('error', () => undefined);
  };
  server.on(options.tls ? 'secureConnection' : 'connection', onConnection);
  await new Promise<void>((resolve) => {
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const fake: FakePrometheus = {
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    requests,
    open,
    respond: options.respond ?? (() => vector([sample('1')])),
    close,
    [Symbol.asyncDispose]: close,
  };
  return fake;
}

/** `{"status":"success"}` around some data. */
export function success(data: unknown, beside: object = {}): Behaviour {
  return json({ status: 'success', data, ...beside });
}

export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Behaviour {
  return {
    type: 'answer',
    status,
    headers: { 'content-type': 'application/json', ...headers },
    text: JSON.stringify(body),
  };
}

export function apiError(status: number, errorType: string, error: string): Behaviour {
  return json({ status: 'error', errorType, error }, status);
}

export function vector(result: readonly unknown[], beside: object = {}): Behaviour {
  return success({ resultType: 'vector', result }, beside);
}

export function matrix(result: readonly unknown[], beside: object = {}): Behaviour {
  return success({ resultType: 'matrix', result }, beside);
}

export function sample(value: string, metric: Record<string, string> = {}, seconds = 1000): object {
  return { metric, value: [seconds, value] };
}

function record(request: IncomingMessage, body: Buffer, connection: number): Recorded {
  const url = new URL(request.url ?? '/', 'http://fake');
  const peer =
    'getPeerCertificate' in request.socket
      ? (request.socket as TLSSocket).getPeerCertificate()
      : undefined;
  const name = peer?.subject?.CN;
  return {
    method: request.method ?? '',
    path: url.pathname,
    search: url.search,
    headers: request.headers,
    form: Object.fromEntries(new URLSearchParams(body.toString('utf8'))),
    clientName: typeof name === 'string' ? name : undefined,
    connection,
  };
}

function behave(behaviour: Behaviour, response: ServerResponse): void {
  switch (behaviour.type) {
    case 'answer':
      response.writeHead(behaviour.status ?? 200, behaviour.headers).end(behaviour.text);
      return;
    case 'hang':
      return;
    case 'hangInBody':
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"status":');
      return;
    case 'drip':
      drip(behaviour.text, behaviour.everyMs, response);
      return;
    case 'reset':
      response.socket?.resetAndDestroy();
      return;
    case 'cut':
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': String(behaviour.text.length),
      });
      response.write(behaviour.text.slice(0, behaviour.text.length / 2), () =>
        response.socket?.destroy(),
      );
      return;
    case 'flood':
      flood(response);
      return;
    case 'wait':
      void behaviour.until.then(() => behave(behaviour.next, response));
      return;
  }
}

function drip(text: string, everyMs: number, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  let sent = 0;
  const timer = setInterval(() => {
    response.write(text.charAt(sent));
    sent += 1;
    if (sent === text.length) response.end();
  }, everyMs);
  response.on('close', () => clearInterval(timer));
}

function flood(response: ServerResponse): void {
  const chunk = ' '.repeat(16_384);
  response.writeHead(200, { 'content-type': 'application/json' });
  const more = (): void => {
    if (!response.destroyed && response.write(chunk)) setImmediate(more);
  };
  response.on('drain', more);
  more();
}
