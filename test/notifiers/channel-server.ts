/** An HTTP or HTTPS server on the loopback that keeps what it is sent and answers as it is told. */

import { once } from 'node:events';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';

export interface Received {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

export interface Scripted {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly text?: string;
}

export interface ChannelServer {
  readonly url: string;
  readonly received: readonly Received[];
  /** What it says from now on; `hang` never answers. */
  answer: Scripted | 'hang';
  close(): Promise<void>;
}

export async function startChannelServer(tls?: {
  readonly cert: string;
  readonly key: string;
}): Promise<ChannelServer> {
  const received: Received[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      received.push({ path: request.url ?? '', headers: request.headers, text });
      const { answer } = self;
      if (answer === 'hang') return;
      response.writeHead(answer.status, answer.headers);
      response.end(answer.text ?? '');
    });
  };
  const server = tls === undefined ? createHttpServer(listener) : createHttpsServer(tls, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const self: ChannelServer = {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${address.port}`,
    received,
    answer: { status: 200, text: 'ok' },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return self;
}
