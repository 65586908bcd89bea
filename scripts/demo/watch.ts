/** Watches the API server as every bystander could: a plain streaming GET, independent of the product's own client. */
import { Agent, request } from 'undici';

import { systemClock } from '#runtime/clock.ts';
import type { ApiClient, KubeObject } from '#scripts/testbed/index.ts';

export interface WatchOptions {
  readonly client: ApiClient;
  /** The path of a collection. */
  readonly path: string;
  /** Only the object of this name; undefined: all. */
  readonly name?: string;
  readonly onObject: (object: KubeObject, seenAtMs: number) => void;
}

export interface Watching {
  stop(): Promise<void>;
}

const retryAfterMs = 200;

/**
 * Calls back for what is there and for every change; a stream that ends is opened anew, and begins again
 * with what is there. Objects that are deleted are not told.
 */
export function startWatch(options: WatchOptions): Watching {
  const { client } = options;
  const { ca, cert, key, insecure } = client.address;
  const agent = new Agent({
    connections: 1,
    // A watch is silent for as long as nothing happens.
    bodyTimeout: 0,
    connect: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(insecure === true ? { rejectUnauthorized: false } : {}),
    },
  });
  const stopped = new AbortController();
  const work = keepWatching(options, agent, stopped.signal);
  return {
    stop: async () => {
      stopped.abort();
      await work;
      await agent.destroy();
    },
  };
}

async function keepWatching(
  options: WatchOptions,
  agent: Agent,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await watchOnce(options, agent, signal).catch(() => undefined);
    await systemClock.sleep(retryAfterMs, signal).catch(() => undefined);
  }
}

async function watchOnce(options: WatchOptions, agent: Agent, signal: AbortSignal): Promise<void> {
  const { client, path, name, onObject } = options;
  const selector = name === undefined ? '' : `&fieldSelector=metadata.name%3D${name}`;
  const { token } = client.address;
  const { statusCode, body } = await request(
    new URL(`${path}?watch=true${selector}`, client.address.url),
    {
      dispatcher: agent,
      signal,
      headers: {
        'user-agent': 'demo',
        accept: 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
    },
  );
  if (statusCode !== 200) {
    await body.dump();
    return;
  }
  for await (const { type, object } of lines(body.setEncoding('utf8'))) {
    if (type === 'ADDED' || type === 'MODIFIED') onObject(object, systemClock.now());
  }
}

interface WatchEvent {
  readonly type: string;
  readonly object: KubeObject;
}

async function* lines(parts: AsyncIterable<unknown>): AsyncGenerator<WatchEvent> {
  let rest = '';
  for await (const part of parts) {
    const pieces = (rest + String(part)).split('\n');
    rest = pieces.pop() ?? '';
    for (const piece of pieces) yield JSON.parse(piece) as WatchEvent;
  }
}
