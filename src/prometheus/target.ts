/** What the client needs of one endpoint, computed once. */
import type { MetricEndpoint } from '#ports/metric-source.ts';
import { createServer, pathOf, type Server } from '#transport/server.ts';

export interface Target extends Server {
  /** Short name of the endpoint inside this process, for keys. */
  readonly id: number;
  readonly paths: { readonly instant: string; readonly range: string };
}

export type TargetResult =
  | { readonly type: 'ok'; readonly target: Target }
  | { readonly type: 'invalid'; readonly message: string };

export function createTarget(endpoint: MetricEndpoint, id: number): TargetResult {
  const made = createServer(endpoint);
  if (made.type === 'invalid') return made;
  const { server } = made;
  const instant = pathOf(server, '/api/v1/query');
  const range = pathOf(server, '/api/v1/query_range');
  return { type: 'ok', target: { ...server, id, paths: { instant, range } } };
}
