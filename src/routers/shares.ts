/** The arithmetic of a weighted split, whatever the weights are written in. */

/** Sums of weights. `others` is what goes to neither of the two. */
export interface Shares {
  readonly stable: number;
  readonly canary: number;
  readonly others: number;
}

export function totalOf({ stable, canary, others }: Shares): number {
  return stable + canary + others;
}

/** Canary's share in whole percent. 0 means none at all and 100 means everything, never nearly so. */
export function percentOf(shares: Shares): number {
  const total = totalOf(shares);
  if (shares.canary === 0) return 0;
  if (shares.canary === total) return 100;
  return Math.min(99, Math.max(1, Math.round((100 * shares.canary) / total)));
}

/** True when the split is exactly so already, in whatever numbers: 1 and 9 are 10 % too. */
export function stands(shares: Shares, weight: number): boolean {
  if (weight === 0) return shares.canary === 0 && shares.stable > 0;
  return shares.canary > 0 && shares.canary * 100 === weight * totalOf(shares);
}
