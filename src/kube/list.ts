/** Reads a whole collection in pages, and in one piece when the pages expire on the way. */
import { ClusterError, type KubeObject, type Resource } from '#ports/cluster.ts';
import type { Exchange } from './exchange.ts';
import {
  apiVersionOf,
  collectionPath,
  isKubeObject,
  isRecord,
  type Query,
  withQuery,
} from './resource.ts';

export interface ListRequest {
  readonly exchange: Exchange;
  readonly resource: Resource;
  readonly namespace: string | undefined;
  /** Label and field selectors. */
  readonly query: Query;
  readonly transform: (object: KubeObject) => KubeObject;
  readonly signal: AbortSignal;
  /** Default: the objects whole. */
  readonly accept?: string;
  /** How long a page may take. */
  readonly limitMs?: number;
}

export interface ListAnswer {
  readonly objects: readonly KubeObject[];
  readonly resourceVersion: string;
}

interface Page extends ListAnswer {
  readonly next: string | undefined;
}

/** client-go's page size. */
const PAGE_SIZE = 500;
const PAGE_LIMIT_MS = 60_000;
/** Without spec, data and status. */
export const METADATA_LIST =
  'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';

/** The newest state (resourceVersion unset asks for a consistent read). Rejects with ClusterError. */
export async function listAll(request: ListRequest): Promise<ListAnswer> {
  try {
    return await readPages(request);
  } catch (error) {
    // The first page's snapshot has been compacted away: only a list in one piece is consistent.
    if (!(error instanceof ClusterError) || error.fault !== 'gone') throw error;
    return await readPage(request, {});
  }
}

async function readPages(request: ListRequest): Promise<ListAnswer> {
  const objects: KubeObject[] = [];
  let next: string | undefined;
  for (;;) {
    const page: Page = await readPage(request, { limit: String(PAGE_SIZE), continue: next });
    objects.push(...page.objects);
    next = page.next;
    if (next === undefined) return { objects, resourceVersion: page.resourceVersion };
  }
}

async function readPage(request: ListRequest, paging: Query): Promise<Page> {
  const { exchange, resource, namespace, signal, accept } = request;
  const path = collectionPath(resource, namespace);
  const answer = await exchange.json({
    method: 'GET',
    path: withQuery(path, { ...request.query, ...paging }),
    signals: [signal],
    limitMs: request.limitMs ?? PAGE_LIMIT_MS,
    ...(accept === undefined ? {} : { accept }),
  });
  const metadata = isRecord(answer) && isRecord(answer['metadata']) ? answer['metadata'] : {};
  const { resourceVersion, continue: next } = metadata;
  if (!isRecord(answer) || typeof resourceVersion !== 'string') {
    throw new ClusterError('unavailable', `GET ${path} answered with something that is no list`);
  }
  const items = Array.isArray(answer['items']) ? answer['items'] : [];
  return {
    objects: items.filter(isKubeObject).map((item) => request.transform(withType(item, resource))),
    resourceVersion,
    next: typeof next === 'string' && next !== '' ? next : undefined,
  };
}

/** The items of lists of built-in resources lack both. */
function withType(item: KubeObject, resource: Resource): KubeObject {
  if (item.kind !== undefined && item.apiVersion !== undefined) return item;
  return { ...item, apiVersion: apiVersionOf(resource), kind: resource.kind };
}
