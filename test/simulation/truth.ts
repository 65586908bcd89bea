/**
 * What really happens to the canary and to Prometheus in one simulated world: stretches of time, drawn from
 * the seed. The simulated Prometheus answers from it, and the checker knows it.
 */
import type { Random } from './random.ts';

export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Truth {
  /** Canary fails more often than it may. */
  readonly breaches: readonly Stretch[];
  /** Nothing is scraped: Prometheus has no samples of this time, ever. */
  readonly unscraped: readonly Stretch[];
  /** Prometheus does not answer, or answers with something else than data. */
  readonly unreachable: readonly (Stretch & { readonly how: Unreachable })[];
  readonly apiDown: readonly Stretch[];
  readonly stableDown: readonly Stretch[];
  readonly canaryDown: readonly Stretch[];
}

export type Unreachable = 'refused' | 'timeout' | 'partial' | 'nan' | 'empty';

export function within(stretches: readonly Stretch[], atMs: number): boolean {
  return stretches.some((one) => atMs >= one.fromMs && atMs < one.toMs);
}

/** @param endMs after this nothing goes wrong any more, so that every run can end */
export function drawTruth(random: Random, startMs: number, endMs: number): Truth {
  const stretches = (countMax: number, shortest: number, longest: number): Stretch[] =>
    Array.from({ length: random.int(0, countMax) }, () => {
      const fromMs = random.int(startMs, endMs);
      const toMs = fromMs + random.int(shortest, longest);
      return { fromMs, toMs: Math.min(toMs, endMs) };
    });
  const how = ['refused', 'timeout', 'partial', 'nan', 'empty'] as const;
  return {
    breaches: random.chance(0.7) ? stretches(4, 5_000, 90_000) : [],
    unscraped: stretches(3, 5_000, 45_000),
    unreachable: stretches(3, 1_000, 120_000).map((one) => ({ ...one, how: random.pick(how) })),
    apiDown: stretches(2, 500, 40_000),
    stableDown: random.chance(0.2) ? stretches(1, 5_000, 40_000) : [],
    canaryDown: random.chance(0.3) ? stretches(2, 5_000, 60_000) : [],
  };
}
