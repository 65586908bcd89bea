/** One place where traffic is split: a route object or a feature flag. Weights are canary's share, whole percent 0–100. */
import type { ObjectKey } from './cluster.ts';

export interface Backend {
  readonly service: string;
  readonly port: number;
}

/** What to split, and between whom. `flag` is set only for feature flags, the backends only for routes. */
export interface RouteTarget extends ObjectKey {
  readonly kind: string;
  readonly apiVersion: string;
  readonly stable: Backend | undefined;
  readonly canary: Backend | undefined;
  readonly flag:
    | {
        readonly key: string;
        readonly format: 'Percent' | 'Flagd';
        readonly flag: string | undefined;
      }
    | undefined;
}

/** Something a person must know about a route. `blocking` ones forbid every rise. */
export interface RouteProblem {
  readonly reason: string;
  readonly message: string;
  readonly blocking: boolean;
}

export type RouteReading =
  | {
      readonly type: 'read';
      /** The highest share of canary in any rule that names both Services. */
      readonly weight: number;
      /** True when all those rules agree. */
      readonly uniform: boolean;
      /** True when every parent has accepted this generation of the object (or has nothing to accept). */
      readonly settled: boolean;
      /** Who wrote the weights last, by field manager; undefined when unknown. */
      readonly writtenBy: string | undefined;
      readonly resourceVersion: string;
      readonly problems: readonly RouteProblem[];
    }
  /** The object is not there. */
  | { readonly type: 'missing'; readonly message: string }
  /** The object is there, and must not or cannot be written: `reason` is CamelCase. */
  | { readonly type: 'refused'; readonly reason: string; readonly message: string };

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
  /** Raising is guarded by resourceVersion, lowering to 0 never is. Writes nothing when the weights already stand so. */
  setWeight(target: RouteTarget, weight: number, signal: AbortSignal): Promise<RouteWrite>;
  /** Last resort of a rollback: the canary can no longer be reached through this route at all. */
  isolate(target: RouteTarget, signal: AbortSignal): Promise<RouteWrite>;
  /** Weights to `declared`, then gives up ownership of every field. */
  release(target: RouteTarget, declared: number, signal: AbortSignal): Promise<RouteWrite>;
}
