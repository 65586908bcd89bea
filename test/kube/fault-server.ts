/**
 * A small API server over HTTP that can be told to misbehave: sockets cut in mid-line, 410 as status
 * and as event, silence, refusals. By default it behaves, for any resource.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { KubeSource } from '#kube/credentials.ts';
import { ObjectStore } from './object-store.ts';
import { answer, type SeenRequest } from './server-verbs.ts';
import { type OpenWatch, openWatch } from './server-watch.ts';

type Fault = (request: SeenRequest, server: FaultServer) => void | Promise<void>;

interface ScriptedFault {
  readonly matches: (request: SeenRequest) => boolean;
  readonly fault: Fault;
  timesLeft: number;
}

export class FaultServer {
  readonly store = new ObjectStore();
  readonly requests: SeenRequest[] = [];
  readonly watches: OpenWatch[] = [];
  connectionsMade = 0;
  /** Without it a request for a watch-list is refused, as by servers before 1.34. */
  canWatchList = true;
  /** False: a watch gets no events by itself, only what the test writes. */
  isLive = true;
  readonly folder: string;
  readonly #faults: ScriptedFault[] = [];
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async start(): Promise<FaultServer> {
    const server = new FaultServer(await mkdtemp(join(tmpdir(), 'genesis-fault-server-')));
    await server.listen();
    await server.writeKubeconfig({ token: 'first' });
    return server;
  }

  get source(): KubeSource {
    return { type: 'file', path: join(this.folder, 'kubeconfig') };
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get connectionsOpen(): number {
    return this.#sockets.size;
  }

  /** The watches that are open now. */
  get openWatches(): readonly OpenWatch[] {
    return this.watches.filter(({ isOpen }) => isOpen);
  }

  /** Requests whose method and path begin so. */
  seen(start: string): readonly SeenRequest[] {
    return this.requests.filter(({ method, path }) => `${method} ${path}`.startsWith(start));
  }

  /** Lists, in one word for each request: `list`, `watch`, `watch-list`. */
  reads(): readonly string[] {
    return this.requests.map(({ query }) => {
      if (query.get('watch') !== 'true') return 'list';
      return query.get('sendInitialEvents') === 'true' ? 'watch-list' : 'watch';
    });
  }

  /** Answers the next `times` requests that match with this fault instead. */
  fail(matches: (request: SeenRequest) => boolean, fault: Fault, times = 1): void {
    this.#faults.push({ matches, fault, timesLeft: times });
  }

  /** Also after an outage, at the same port. */
  async listen(): Promise<void> {
    const server = createServer((request, response) => {
      this.#receive(request, response).catch((error: unknown) => {
        response.destroy(error instanceof Error ? error : new Error(String(error)));
      });
    });
    server.on('connection', (socket: Socket) => {
      this.connectionsMade += 1;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => {
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** An outage: connections are refused from now on. */
  async stopListening(): Promise<void> {
    const server = this.#server;
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      if (server === undefined) resolve();
      else server.close(() => resolve());
    });
  }

  async writeKubeconfig(user: object, cluster: object = {}): Promise<void> {
    const server = { server: this.url, 'insecure-skip-tls-verify': true, ...cluster };
    await writeFile(
      join(this.folder, 'kubeconfig'),
      stringify({
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'test',
        contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
        clusters: [{ name: 'test', cluster: server }],
        users: [{ name: 'test', user }],
      }),
    );
  }

  async close(): Promise<void> {
    await this.stopListening();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', this.url);
    const seen: SeenRequest = {
      method: request.method ?? 'GET',
      path: decodeURIComponent(url.pathname),
      query: url.searchParams,
      headers: request.headers,
      body: Buffer.concat(chunks).toString('utf8'),
      response,
    };
    this.requests.push(seen);
    const scripted = this.#faults.find((fault) => fault.timesLeft > 0 && fault.matches(seen));
    if (scripted === undefined) {
      this.behave(seen);
      return;
    }
    scripted.timesLeft -= 1;
    await scripted.fault(seen, this);
  }

  /** The answer of a server without faults. */
  behave(request: SeenRequest): void {
    if (request.query.get('watch') !== 'true') {
      answer(request, this.store);
      return;
    }
    const { canWatchList, isLive } = this;
    const watch = openWatch(request, this.store, { canWatchList, isLive });
    if (watch !== undefined) this.watches.push(watch);
  }
}

export const isWatch = (request: SeenRequest): boolean => request.query.get('watch') === 'true';
export const isList = (request: SeenRequest): boolean =>
  request.method === 'GET' && !isWatch(request);
export const isMethod =
  (method: string) =>
  (request: SeenRequest): boolean =>
    request.method === method;
