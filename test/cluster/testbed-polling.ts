/** Bounded waiting and liveness, for the tests of the testbed. */
import { setTimeout as sleep } from 'node:timers/promises';

import { isAlive } from '#scripts/testbed/index.ts';

export async function living(pids: readonly number[]): Promise<readonly number[]> {
  const alive = await Promise.all(pids.map(isAlive));
  return pids.filter((_, index) => alive[index]);
}

/** Gives back the last answer, wanted or not, so that an assertion can show it. */
export async function pollUntil<T>(
  ask: () => Promise<T>,
  isWanted: (answer: T) => boolean,
  withinMs = 20_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (isWanted(answer) || performance.now() > deadline) return answer;
    await sleep(50);
  }
}
