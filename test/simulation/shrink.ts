/** Makes a failing world smaller: leaves out one part after the other for as long as it still breaks an invariant. */
import { simulate } from './simulation.ts';
import { drawWorld, partsOf } from './world.ts';

export interface Shrunk {
  readonly seed: number;
  /** What the smallest world still has. */
  readonly parts: readonly string[];
  readonly without: ReadonlySet<string>;
  /** What is broken in it, and its log. */
  readonly message: string;
}

/** @returns undefined when the world of this seed breaks nothing */
export async function shrink(seed: number): Promise<Shrunk | undefined> {
  let without = new Set<string>();
  let message = await failureOf(seed, without);
  if (message === undefined) return undefined;
  // What is left out may make other parts needless, so it goes on until nothing more can be left out.
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const part of partsOf(drawWorld(seed, without))) {
      const fewer = new Set([...without, part]);
      const failure = await failureOf(seed, fewer);
      if (failure === undefined) continue;
      without = fewer;
      message = failure;
      isSmaller = true;
    }
  }
  return { seed, parts: partsOf(drawWorld(seed, without)), without, message };
}

async function failureOf(seed: number, without: ReadonlySet<string>): Promise<string | undefined> {
  try {
    await simulate(seed, without);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
