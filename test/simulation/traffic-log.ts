/** Where the traffic of a simulated world really went. */

/** How much of the traffic canary had, over time. */
export interface TrafficLog {
  /** Ascending; the weight holds until the next entry. */
  readonly changes: { readonly atMs: number; readonly weight: number }[];
}

export function weightAt(log: TrafficLog, atMs: number): number {
  return log.changes.findLast((change) => change.atMs <= atMs)?.weight ?? 0;
}
