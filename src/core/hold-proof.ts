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
export function proveHold(points: readonly Truth[], limits: HoldLimits): HoldProof | undefined {
  let last: HoldProof | undefined;
  for (const { stretch } of stretches(points, limits)) last = stretch;
  return last;
}

/** The first stretch that reached `forMs`, as far as that point; undefined when none did. */
export function firstHold(points: readonly Truth[], limits: HoldLimits): HoldProof | undefined {
  for (const { stretch } of stretches(points, limits)) {
    if (stretch?.firingAtMs !== undefined) return stretch;
  }
  return undefined;
}

/** Every stretch that reached `forMs`, as far as that point. */
export function countHolds(points: readonly Truth[], limits: HoldLimits): HoldProof[] {
  const found: HoldProof[] = [];
  for (const { stretch } of stretches(points, limits)) {
    const isNew = found.at(-1)?.activeAtMs !== stretch?.activeAtMs;
    if (stretch?.firingAtMs !== undefined && isNew) found.push(stretch);
  }
  return found;
}

export interface HoldLimits {
  readonly boundMs: number;
  readonly forMs: number;
  readonly intervalMs: number;
}

/** The stretch that every known point ends or continues, in order of time; undefined where one has ended. */
function* stretches(
  points: readonly Truth[],
  limits: HoldLimits,
): Generator<{ readonly stretch: HoldProof | undefined }> {
  const gapMaxMs = gapLimitMs(limits.forMs);
  let stretch: HoldProof | undefined;
  let coveredToMs = 0;
  for (const point of points) {
    // A reading stands for the interval after it: one that ends before the bound says nothing of what counts.
    if (point.truth === 'unknown' || point.atMs + limits.intervalMs <= limits.boundMs) continue;
    if (point.truth === 'false') {
      if (stretch === undefined) continue;
      stretch = undefined;
      yield { stretch };
      continue;
    }
    const atMs = Math.max(point.atMs, limits.boundMs);
    const gapMs = Math.max(0, atMs - coveredToMs);
    stretch =
      stretch === undefined || gapMs > gapMaxMs
        ? extend({ activeAtMs: atMs, gapMs: 0, heldMs: 0, firingAtMs: undefined }, atMs, 0, limits)
        : extend(stretch, atMs, gapMs, limits);
    coveredToMs = point.atMs + limits.intervalMs;
    yield { stretch };
  }
}

/** A stretch goes on to `atMs`: first by what the last reading covers, then by the gap, if there is one. */
function extend(
  stretch: HoldProof,
  atMs: number,
  gapMs: number,
  limits: { readonly forMs: number },
): HoldProof {
  const totalGapMs = stretch.gapMs + gapMs;
  const heldMs = atMs - stretch.activeAtMs - totalGapMs;
  const reachedAtMs = stretch.activeAtMs + stretch.gapMs + limits.forMs;
  return {
    activeAtMs: stretch.activeAtMs,
    gapMs: totalGapMs,
    heldMs,
    firingAtMs: stretch.firingAtMs ?? (heldMs >= limits.forMs ? reachedAtMs : undefined),
  };
}
