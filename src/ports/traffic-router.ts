/** One place where traffic is split: a route object or a feature flag. Weights are canary's share, whole percent 0–100. */
import type { RouteReading } from '#core/route-reading.ts';
import type { RouteTarget } from '#core/run-spec.ts';

export type { RouteProblem, RouteReading } from '#core/route-reading.ts';
export type { RouteTarget } from '#core/run-spec.ts';

export type RouteWrite =
  /** Done, and read back from the server's answer. */
  | { readonly type: 'written'; readonly reading: RouteReading }
  /** Somebody else wrote in between: read again and decide again. */
  | { readonly type: 'conflict'; readonly message: string }
  | { readonly type: 'refused'; readonly reason: string; readonly message: string };

/**
 * Every method is absolute and idempotent. Requests reject with ClusterError when the API server
 * fails; everything the route itself has to say comes back as a value.
 */
export interface TrafficRouter {
  /** From the watch cache; no request. */
  read(target: RouteTarget): RouteReading;
  /**
   * Raising is guarded by resourceVersion, lowering to 0 never is and never refuses. Writes nothing when
   * the weights already stand so. `rollbackOf` is the run that is rolled back: it is written on the route in
   * the same request (annotation `genesis.dev/rolled-back`, a JSON object by canary Service or flag), so that
   * a process that dies before the status is written leaves no doubt behind; any other write removes the mark.
   */
  setWeight(
    target: RouteTarget,
    weight: number,
    options: { readonly signal: AbortSignal; readonly rollbackOf?: string },
  ): Promise<RouteWrite>;
  /**
   * Last resort of a rollback: no rule that was split leads to canary any more. What is taken out is kept on
   * the object (annotation `genesis.dev/isolated`) and comes back by `rejoin` or `release`; until then a rise is refused.
   */
  isolate(target: RouteTarget, signal: AbortSignal): Promise<RouteWrite>;
  /** Puts back with weight 0 what `isolate` has taken out: the next run begins on a route that can be split. */
  rejoin(target: RouteTarget, signal: AbortSignal): Promise<RouteWrite>;
  /** Weights to `declared`, then gives up ownership of every field. */
  release(target: RouteTarget, declared: number, signal: AbortSignal): Promise<RouteWrite>;
}
