/** How long everything in the demo lasts. All follows from how often Prometheus scrapes, since no window may be shorter than a few scrapes. */

export interface DemoPlan {
  readonly steps: readonly {
    readonly name: string;
    readonly atMs: number;
    readonly weight: number;
  }[];
  readonly endMs: number;
  readonly intervalMs: number;
  /** The range of rate() in the queries. */
  readonly windowMs: number;
  /** For how long the error rate must be over its threshold. */
  readonly holdMs: number;
  /** In run 2: how long the bad version behaves once it has 50 %, and what share of its answers then fails. */
  readonly faultAfterMs: number;
  readonly errorRate: number;
  readonly requestsPerSecond: number;
}

export interface PlanOptions {
  /** For tests: as short as a thousand requests a step allow. */
  readonly isShort: boolean;
  readonly scrapeIntervalMs: number;
}

/** rate() needs two scrapes; with four in a window one may be late or lost. */
const scrapesInWindow = 4;
const shortestWindowMs = 5_000;

export function planDemo({ isShort, scrapeIntervalMs }: PlanOptions): DemoPlan {
  const windowMs = Math.max(isShort ? 4_000 : shortestWindowMs, scrapesInWindow * scrapeIntervalMs);
  const holdMs = Math.max(isShort ? 3_000 : 5_000, 2 * scrapeIntervalMs);
  // With a scrape a second: 0 % for 25 s, 50 % for 40 s, 100 % for 35 s; short: 7 s, 15 s, 9 s.
  const darkMs = windowMs + (isShort ? 3_000 : 20_000);
  const halfMs = windowMs + holdMs + (isShort ? 8_000 : 30_000);
  const fullMs = windowMs + (isShort ? 5_000 : 30_000);
  return {
    steps: [
      { name: 'dark', atMs: 0, weight: 0 },
      { name: 'half', atMs: darkMs, weight: 50 },
      { name: 'full', atMs: darkMs + halfMs, weight: 100 },
    ],
    endMs: darkMs + halfMs + fullMs,
    intervalMs: Math.max(1_000, Math.floor(scrapeIntervalMs / 3_000) * 1_000),
    windowMs,
    holdMs,
    // Late enough for 1,000 requests at 50 % before it, early enough to be found out before 100 % is due.
    faultAfterMs: isShort ? 4_500 : 12_000,
    errorRate: 0.2,
    requestsPerSecond: isShort ? 250 : 200,
  };
}

/** The form of durations in the API and in PromQL. */
export function durationText(ms: number): string {
  return ms % 60_000 === 0 && ms > 0 ? `${ms / 60_000}m` : `${ms / 1_000}s`;
}
