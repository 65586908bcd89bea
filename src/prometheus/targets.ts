/** Endpoints seen before are recognised by value, so that equal ones share connections and answers. */
import type { MetricEndpoint } from '#ports/metric-source.ts';
import { createTarget, type TargetResult } from './target.ts';

export type FindTarget = (endpoint: MetricEndpoint) => TargetResult;

export function createTargets(targetsMax: number): FindTarget {
  // The same object comes again and again: looking into it each time would cost more than the query.
  const byObject = new WeakMap<MetricEndpoint, TargetResult>();
  const byValue = new Map<string, TargetResult>();
  let lastId = 0;

  return (endpoint) => {
    const seen = byObject.get(endpoint);
    if (seen) return seen;
    const key = JSON.stringify([endpoint.url, endpoint.headers, endpoint.tls]);
    let result = byValue.get(key);
    if (!result) {
      lastId += 1;
      result = createTarget(endpoint, lastId);
      byValue.set(key, result);
    }
    byObject.set(endpoint, result);
    for (const oldest of byValue.keys()) {
      if (byValue.size <= targetsMax) break;
      byValue.delete(oldest);
    }
    return result;
  };
}
