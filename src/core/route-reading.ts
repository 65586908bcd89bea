/** What a route or feature flag says when it is read. Weights are canary's share, whole percent 0–100. */

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
      /** True while managedFields has an entry of ours. */
      readonly owned: boolean;
      /** The run whose rollback lowered this route, from the mark written together with the weight. */
      readonly rolledBackRun: string | undefined;
      /** True while the last resort of a rollback keeps canary out of the route. */
      readonly isolated: boolean;
      readonly resourceVersion: string;
      readonly problems: readonly RouteProblem[];
    }
  /** The object is not there. */
  | { readonly type: 'missing'; readonly message: string }
  /** The object is there, and must not or cannot be written: `reason` is CamelCase. */
  | { readonly type: 'refused'; readonly reason: string; readonly message: string };
