/**
 * Logs of containers: text and not JSON, and of any length. The API server can cut a log after so many bytes or before
 * so many lines, and neither is its end in bytes: so all of it is read, and only the end kept.
 */
import type { ObjectKey, Resource } from '#ports/cluster.ts';
import type { LogEnd } from '#ports/pod-logs.ts';
import type { Exchange } from './exchange.ts';
import { objectPath, withQuery } from './resource.ts';

const pods: Resource = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };

/** A kubelet begins a new file at 10 MiB, unless it is told otherwise. */
const READ_BYTES_MAX = 64 * 2 ** 20;
const LIMIT_MS = 30_000;

export async function readPodLog(
  exchange: Exchange,
  pod: ObjectKey,
  container: string,
  { bytesMax, signal }: { readonly bytesMax: number; readonly signal: AbortSignal },
): Promise<LogEnd> {
  const query = { container, limitBytes: String(READ_BYTES_MAX) };
  const path = withQuery(objectPath(pods, pod, 'log'), query);
  // The API server refuses `text/plain` alone.
  const call = {
    method: 'GET',
    path,
    accept: '*/*',
    signals: [signal],
    limitMs: LIMIT_MS,
  } as const;
  const { bytes, bytesSeen } = await exchange.end(call, bytesMax);
  return {
    text: bytes.toString('utf8'),
    hasStart: bytes.length === bytesSeen,
    hasEnd: bytesSeen < READ_BYTES_MAX,
  };
}
