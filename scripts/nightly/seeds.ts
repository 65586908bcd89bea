/** A worker of the nightly run: simulates the seeds that it is given and tells which broke an invariant. */
import { parentPort, workerData } from 'node:worker_threads';
import { simulate } from '#test/simulation/simulation.ts';

export type SeedMessage =
  | { readonly type: 'done'; readonly seed: number; readonly phase: string | undefined }
  | { readonly type: 'broken'; readonly seed: number; readonly words: string };

for (const seed of workerData as readonly number[]) {
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
