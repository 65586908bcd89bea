/**
 * Blocks: the stretches of time in which evidence is gathered. They begin at the instant at which the weight of the
 * step was read back, and then every hour; both are in the status or follow from it, so whoever comes later counts
 * the same requests. A change of weight begins anew, because it changes what share of the bad ones is canary's due.
 */
import { assert } from '#core/assert.ts';

export interface Block {
  /** Exclusive; ms since the epoch. */
  readonly startMs: number;
  /** Up to the instant that was asked about, above 0. */
  readonly lengthMs: number;
}

/** The block that an instant belongs to; its own end still does. Undefined up to and at the beginning. */
export function blockAt(sinceMs: number, atMs: number, blockMs: number): Block | undefined {
  assert(blockMs > 0, 'a block has a length');
  if (atMs <= sinceMs) return undefined;
  const whole = Math.ceil((atMs - sinceMs) / blockMs) - 1;
  const startMs = sinceMs + whole * blockMs;
  return { startMs, lengthMs: atMs - startMs };
}

/** The whole block before a block; undefined for the first. */
export function blockBefore(block: Block, sinceMs: number, blockMs: number): Block | undefined {
  if (block.startMs - blockMs < sinceMs) return undefined;
  return { startMs: block.startMs - blockMs, lengthMs: blockMs };
}

/**
 * Blocks of a run that goes as planned: every step's bake in whole blocks. The chance of an error is split evenly
 * over them. A run that is delayed has more, and the same chance again for each further length of the plan.
 *
 * @param stepsAtMs when each step is due, ascending, from the start of the run
 * @param endMs when nobody watches any more, from the start of the run
 */
export function plannedBlocks(
  stepsAtMs: readonly number[],
  endMs: number,
  blockMs: number,
): number {
  const starts = [0, ...stepsAtMs.filter((atMs) => atMs > 0)];
  const blocks = starts.map((startMs, index) =>
    Math.ceil(Math.max(0, (starts[index + 1] ?? endMs) - startMs) / blockMs),
  );
  return Math.max(
    1,
    blocks.reduce((all, one) => all + one, 0),
  );
}

/** The same time, longer by so much at both ends. */
export function widened({ startMs, lengthMs }: Block, byMs: number): Block {
  return { startMs: startMs - byMs, lengthMs: lengthMs + 2 * byMs };
}
