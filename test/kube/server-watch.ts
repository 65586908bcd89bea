/** An open watch, for a well-behaved server and for tests that write to it what they like. */
import type { ObjectStore } from './object-store.ts';
import { isIn, place, refuse, type SeenRequest } from './server-verbs.ts';

export interface OpenWatch {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly isOpen: boolean;
  /** Raw text, so that lines can be cut anywhere. */
  write(text: string | Buffer): void;
  event(type: string, object: object): void;
  bookmark(resourceVersion: string, annotations?: object): void;
  /** The orderly end, as after timeoutSeconds. */
  end(): void;
  /** The socket is destroyed. */
  cut(): void;
}

export const initialEventsEnd = { 'k8s.io/initial-events-end': 'true' };

export function openWatch(
  request: SeenRequest,
  store: ObjectStore,
  options: { readonly canWatchList: boolean; readonly isLive: boolean },
): OpenWatch | undefined {
  const isWatchList = request.query.get('sendInitialEvents') === 'true';
  if (isWatchList && !options.canWatchList) {
    refuse(request, 422, 'Invalid', { details: { causes: [{ field: 'sendInitialEvents' }] } });
    return undefined;
  }
  const from = Number(request.query.get('resourceVersion') ?? 0);
  if (!isWatchList && from < store.compactedAt) {
    refuse(request, 410, 'Expired');
    return undefined;
  }
  const watch = startStream(request);
  if (options.isLive) follow(watch, store, isWatchList ? undefined : from);
  return watch;
}

/** Sends the headers; what follows is up to the caller. */
export function startStream({ path, query, response }: SeenRequest): OpenWatch {
  let isOpen = true;
  response.on('close', () => {
    isOpen = false;
  });
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  const write = (text: string | Buffer): void => void response.write(text);
  const event = (type: string, object: object): void =>
    write(`${JSON.stringify({ type, object })}\n`);
  return {
    path,
    query,
    get isOpen() {
      return isOpen;
    },
    write,
    event,
    bookmark: (resourceVersion, annotations = {}) =>
      event('BOOKMARK', {
        kind: 'X',
        apiVersion: 'v1',
        metadata: { resourceVersion, annotations },
      }),
    end: () => void response.end(),
    cut: () => void response.socket?.destroy(),
  };
}

/** `from` undefined: a watch-list. */
function follow(watch: OpenWatch, store: ObjectStore, from: number | undefined): void {
  const { collection } = place(watch.path);
  if (from === undefined) {
    for (const [path, object] of store.objects) {
      if (isIn(collection, path)) watch.event('ADDED', object);
    }
    watch.bookmark(String(store.version), initialEventsEnd);
  } else {
    for (const { path, type, object } of store.events) {
      const isNew = Number(object.metadata.resourceVersion) > from;
      if (isNew && isIn(collection, path)) watch.event(type, object);
    }
  }
  const stop = store.listen(({ path, type, object }) => {
    if (!watch.isOpen) stop();
    else if (isIn(collection, path)) watch.event(type, object);
  });
}
