/** Seeded randomness: the same seed makes the same world, whatever the machine. */

export interface Random {
  /** In [0, 1). */
  next(): number;
  /** A whole number from `low` to `high`, both included. */
  int(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly [T, ...T[]]): T;
}

/** mulberry32, public domain, by Tommy Ettinger: 32 bits of state are enough for one world. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const int = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    int,
    chance: (probability) => next() < probability,
    pick: (items) => items[int(0, items.length - 1)] ?? items[0],
  };
}

/** A stream of its own for each concern, so that leaving one out of a world does not change the others. */
export function streamOf(seed: number, concern: string): Random {
  let hash = 0x811c9dc5 ^ seed;
  for (let index = 0; index < concern.length; index += 1) {
    hash = Math.imul(hash ^ concern.charCodeAt(index), 0x01000193) >>> 0;
  }
  return randomOf(hash);
}
