/** What a well-behaved API server answers to everything but watches. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JsonPatchOperation, KubeObject } from '#ports/cluster.ts';
import { applyJsonPatch, applyMergePatch } from '#test/fakes/json-patch.ts';
import type { ObjectStore } from './object-store.ts';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly response: ServerResponse;
}

/** Answers with a Status, as the API server does for failures. */
export function refuse(
  request: SeenRequest,
  code: number,
  reason: string,
  more: { readonly headers?: Record<string, string>; readonly details?: object } = {},
): void {
  const status = statusObject(code, reason, more.details);
  request.response.writeHead(code, { 'content-type': 'application/json', ...more.headers });
  request.response.end(JSON.stringify(status));
}

export function statusObject(code: number, reason: string, details: object = {}): object {
  const message = `the server says ${reason}`;
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message, details };
}

export function reply(request: SeenRequest, body: unknown, code = 200): void {
  request.response.writeHead(code, { 'content-type': 'application/json' });
  request.response.end(JSON.stringify(body));
}

/** `/apis/apps/v1/namespaces/shop/deployments/checkout/status` → its parts. */
export function place(path: string): { collection: string; name?: string; objectPath: string } {
  const match =
    /^(\/api\/v1|\/apis\/[^/]+\/[^/]+)(\/namespaces\/[^/]+)?\/([^/]+)(?:\/([^/]+))?(\/status)?$/.exec(
      path,
    );
  if (match === null) throw new Error(`no API path: ${path}`);
  const [, root = '', namespace = '', plural = '', name] = match;
  const collection = `${root}${namespace}/${plural}`;
  return { collection, objectPath: `${collection}/${name ?? ''}`, ...(name ? { name } : {}) };
}

/** Whether an object lives in a collection of one namespace, or of all. */
export function isIn(collection: string, objectPath: string): boolean {
  if (objectPath.startsWith(`${collection}/`)) return !collection.endsWith('/namespaces');
  return objectPath.replace(/\/namespaces\/[^/]+/, '').startsWith(`${collection}/`);
}

export function answer(request: SeenRequest, store: ObjectStore): void {
  const { collection, name, objectPath } = place(request.path);
  if (name === undefined) {
    if (request.method === 'GET') list(request, store, collection);
    else create(request, store, collection);
    return;
  }
  const known = store.objects.get(objectPath);
  if (known === undefined && !isApply(request)) {
    refuse(request, 404, 'NotFound');
    return;
  }
  const isDryRun = request.query.get('dryRun') === 'All';
  const put = (object: KubeObject): KubeObject =>
    isDryRun ? object : store.put(objectPath, object);
  switch (request.method) {
    case 'GET':
      reply(request, known);
      return;
    case 'PUT':
      replace(request, known, put);
      return;
    case 'PATCH':
      patch(request, known, put);
      return;
    case 'DELETE':
      remove(request, store, objectPath);
      return;
    default:
      refuse(request, 405, 'MethodNotAllowed');
  }
}

function list(request: SeenRequest, store: ObjectStore, collection: string): void {
  const all = [...store.objects].filter(([path]) => isIn(collection, path));
  const start = Number(request.query.get('continue') ?? 0);
  const limit = Number(request.query.get('limit') ?? all.length) || all.length;
  const end = start + limit;
  const next = end < all.length ? { continue: String(end) } : {};
  reply(request, {
    kind: 'List',
    apiVersion: 'v1',
    metadata: { resourceVersion: String(store.version), ...next },
    // As the real one: without kind and apiVersion.
    items: all
      .slice(start, end)
      .map(([, object]) => ({ ...object, kind: undefined, apiVersion: undefined })),
  });
}

function create(request: SeenRequest, store: ObjectStore, collection: string): void {
  const object = JSON.parse(request.body) as KubeObject;
  const path = `${collection}/${object.metadata.name}`;
  if (store.objects.has(path)) refuse(request, 409, 'AlreadyExists');
  else if (request.query.get('dryRun') === 'All') reply(request, object, 201);
  else reply(request, store.put(path, object), 201);
}

function replace(
  request: SeenRequest,
  known: KubeObject | undefined,
  put: (object: KubeObject) => KubeObject,
): void {
  const object = JSON.parse(request.body) as KubeObject;
  if (object.metadata.resourceVersion !== known?.metadata.resourceVersion) {
    refuse(request, 409, 'Conflict');
  } else {
    reply(request, put(object));
  }
}

function patch(
  request: SeenRequest,
  known: KubeObject | undefined,
  put: (object: KubeObject) => KubeObject,
): void {
  const body: unknown = JSON.parse(request.body);
  try {
    const patched = Array.isArray(body)
      ? applyJsonPatch(known, body as JsonPatchOperation[])
      : applyMergePatch(known ?? {}, body);
    reply(request, put(patched as KubeObject));
  } catch {
    // As the real one: not a word about which operation, and no causes.
    refuse(request, 422, 'Invalid');
  }
}

function remove(request: SeenRequest, store: ObjectStore, path: string): void {
  const known = store.objects.get(path) as KubeObject;
  if ((known.metadata.finalizers ?? []).length > 0) {
    const metadata = { ...known.metadata, deletionTimestamp: '2026-11-22T00:00:00Z' };
    reply(request, store.put(path, { ...known, metadata }));
    return;
  }
  store.delete(path);
  const { uid } = known.metadata;
  reply(request, { kind: 'Status', apiVersion: 'v1', status: 'Success', details: { uid } });
}

function isApply(request: SeenRequest): boolean {
  return request.headers['content-type'] === 'application/apply-patch+yaml';
}
