/** A worker of the nightly run: simulates every n-th seed of a range and tells which broke an invariant. */
import { parentPort, workerData } from 'node:worker_threads';
import { simulate } from '#test/simulation/simulation.ts';

export interface SeedRange {
  readonly first: number;
  readonly count: number;
  /** Only seeds `first + offset + k × step`. */
  readonly offset: number;
  readonly step: number;
}

export type SeedMessage =
  | { readonly type: 'done'; readonly seed: number; readonly phase: string | undefined }
  | { readonly type: 'broken'; readonly seed: number; readonly words: string };

const { first, count, offset, step } = workerData as SeedRange;

for (let index = offset; index < count; index += step) {
  const seed = first + index;
  try {
    const { phase } = await simulate(seed);
    tell({ type: 'done', seed, phase });
  } catch (error) {
    tell({ type: 'broken', seed, words: error instanceof Error ? error.message : String(error) });
  }
}

function tell(message: SeedMessage): void {
  parentPort?.postMessage(message);
}
