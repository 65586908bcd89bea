/**
 * The proved hold: from readings on the evaluation grid, since when has a condition been true, and when
 * had it been true for its time? Whoever restarts, takes over or is late computes the same two instants.
 */

/** Whether the condition was true at one grid point. */
export interface Truth {
  readonly atMs: number;
  readonly truth: 'true' | 'false' | 'unknown';
}

export interface HoldProof {
  /** First instant of the current stretch, never before `boundMs`. */
  readonly activeAtMs: number;
  /** Time inside the stretch that no reading covers; it was not held. */
  readonly gapMs: number;
  readonly heldMs: number;
  /** The instant at which the hold reached `forMs`; undefined while it has not. */
  readonly firingAtMs: number | undefined;
}

/** A gap longer than this ends a hold, whatever `for` is (engine.md, "Triggers"). */
export const GAP_MAX_MS = 5 * 60_000;

/** A gap longer than 5m or than `for`, whichever is less, resets the hold. */
export function gapLimitMs(forMs: number): number {
  return Math.min(GAP_MAX_MS, forMs);
}

/**
 * Walks the points in order of time. A reading stands for the interval after it, as Prometheus's own
 * alerts have it; each missing evaluation takes its interval out of the time held.
 *
 * @param points ascending; multiples of `intervalMs`, the last may lie off the grid
 * @param boundMs nothing before this instant counts
 * @returns undefined when the condition is not true at its newest known point
 */
export function proveHold(
  points: readonly Truth[],
  limits: { readonly boundMs: number; readonly forMs: number; readonly intervalMs: number },
): HoldProof | undefined {
  const gapMaxMs = gapLimitMs(limits.forMs);
  let stretch: HoldProof | undefined;
  let lastTrueMs = 0;
  for (const point of points) {
    if (point.truth === 'unknown') continue;
    if (point.truth === 'false') {
      stretch = undefined;
      continue;
    }
    const missingMs = stretch ? Math.max(0, point.atMs - lastTrueMs - limits.intervalMs) : 0;
    if (stretch === undefined || missingMs > gapMaxMs) {
      const activeAtMs = Math.max(point.atMs, limits.boundMs);
      stretch = extend({ activeAtMs, gapMs: 0, heldMs: 0, firingAtMs: undefined }, 0, 0, limits);
      lastTrueMs = activeAtMs;
    } else if (point.atMs > lastTrueMs) {
      stretch = extend(stretch, point.atMs - lastTrueMs - missingMs, missingMs, limits);
      lastTrueMs = point.atMs;
    }
  }
  return stretch;
}

function extend(
  stretch: HoldProof,
  heldMs: number,
  gapMs: number,
  limits: { readonly forMs: number },
): HoldProof {
  const total = { held: stretch.heldMs + heldMs, gap: stretch.gapMs + gapMs };
  const endMs = stretch.activeAtMs + total.held + total.gap;
  const reached = total.held >= limits.forMs ? endMs - (total.held - limits.forMs) : undefined;
  return {
    activeAtMs: stretch.activeAtMs,
    gapMs: total.gap,
    heldMs: total.held,
    firingAtMs: stretch.firingAtMs ?? reached,
  };
}
