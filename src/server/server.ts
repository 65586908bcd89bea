/** HTTP servers for probes and metrics: one an address, so that both may share one. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Logger } from '#ports/logger.ts';
import { untilAborted } from '#runtime/deadline.ts';
import type { Answer, Routes } from './routes.ts';

export type ListenAddress =
  | { readonly type: 'off' }
  | { readonly type: 'listen'; readonly host: string | undefined; readonly port: number };

export interface Endpoint {
  /** What it serves, for log and errors: `metrics`. */
  readonly name: string;
  readonly address: ListenAddress;
  readonly routes: Routes;
}

export interface Servers {
  /** Where each endpoint listens, as `http://host:port`; undefined where it is off. */
  url(name: string): string | undefined;
  /** Takes no new connections; requests under way may end until the signal is aborted. */
  close(signal: AbortSignal): Promise<void>;
}

/** The address cannot be listened on; the message says which and why. */
export class ListenError extends Error {}

/** A whole request must have come within this, and an answer gone out: probes and scrapes are short. */
const REQUEST_MAX_MS = 30_000;

interface Listening {
  readonly server: Server;
  readonly url: string;
}

/** Endpoints with the same address share a server. Rejects with ListenError. */
export async function startServers(
  endpoints: readonly Endpoint[],
  logger: Logger,
): Promise<Servers> {
  const groups = new Map<string, Endpoint[]>();
  for (const endpoint of endpoints) {
    if (endpoint.address.type === 'off') continue;
    const { host, port } = endpoint.address;
    const key = `${host ?? ''} ${port}`;
    groups.set(key, [...(groups.get(key) ?? []), endpoint]);
  }
  const urls = new Map<string, string>();
  const opened: Listening[] = [];
  try {
    for (const group of groups.values()) {
      const listening = await open(group, logger);
      opened.push(listening);
      for (const { name } of group) urls.set(name, listening.url);
      const names = group.map(({ name }) => name);
      logger.info({ url: listening.url, serves: names }, `listening on ${listening.url}`);
    }
  } catch (error) {
    for (const { server } of opened) server.close();
    throw error;
  }
  return {
    url: (name) => urls.get(name),
    close: async (signal) => {
      await Promise.all(opened.map(({ server }) => close(server, signal)));
    },
  };
}

async function open(group: readonly Endpoint[], logger: Logger): Promise<Listening> {
  const routes: Routes = Object.assign({}, ...group.map((endpoint) => endpoint.routes));
  const server = createServer((request, response) => {
    respond(routes, request, response).catch((error: unknown) => {
      logger.warn({ err: error, path: request.url }, 'a request was not answered');
      response.destroy();
    });
  });
  server.requestTimeout = REQUEST_MAX_MS;
  server.headersTimeout = REQUEST_MAX_MS;
  server.setTimeout(REQUEST_MAX_MS);
  await listen(server, group);
  const url = urlOf(server.address());
  server.on('error', (error) => logger.error({ err: error, url }, 'a server has failed'));
  return { server, url };
}

function listen(server: Server, group: readonly Endpoint[]): Promise<void> {
  const [first] = group;
  if (first === undefined || first.address.type === 'off') return Promise.resolve();
  const { host, port } = first.address;
  return new Promise((resolve, reject) => {
    const refuse = (error: Error): void => {
      const names = group.map(({ name }) => `--${name}-address`).join(' and ');
      const shown = `${host ?? ''}:${port}`;
      reject(new ListenError(`${names} ${shown}: ${listenProblem(error)}`, { cause: error }));
    };
    server.once('error', refuse);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      server.off('error', refuse);
      resolve();
    });
  });
}

const problems: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there already; choose another port, or 0 for a free one',
  EACCES: 'this process may not listen there; ports below 1024 need a privilege',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'there is no such host',
};

function listenProblem(error: Error): string {
  const code = 'code' in error ? String(error.code) : '';
  return problems[code] ?? error.message;
}

function urlOf(address: AddressInfo | string | null): string {
  if (address === null || typeof address === 'string') return String(address);
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}

async function respond(
  routes: Routes,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = ''] = (request.url ?? '').split('?', 1);
  const answer = answerTo(routes, request.method ?? '', path);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  if (answer.type === 'text') {
    response.writeHead(answer.status, { 'Content-Type': 'text/plain; charset=utf-8' });
    response.end(request.method === 'HEAD' ? undefined : answer.text);
    return;
  }
  response.writeHead(200, { 'Content-Type': answer.contentType });
  if (request.method === 'HEAD') response.end();
  else await pipeline(Readable.from(answer.chunks, { objectMode: false }), response);
}

function answerTo(routes: Routes, method: string, path: string): Answer {
  const route = routes[path];
  if (route === undefined) {
    const known = Object.keys(routes).join(', ');
    return { type: 'text', status: 404, text: `nothing here; there is ${known}\n` };
  }
  if (method !== 'GET' && method !== 'HEAD') {
    return { type: 'text', status: 405, text: `${method} is not allowed; GET is\n` };
  }
  return route();
}

/** Idle connections end at once, the others when they are answered, or with the signal. */
async function close(server: Server, signal: AbortSignal): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  try {
    await untilAborted(closed, signal);
  } finally {
    server.closeAllConnections();
  }
}
