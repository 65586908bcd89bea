/** Counts that fluctuate as real ones do. */
import type { Random } from '#test/simulation/random.ts';

/** Above this mean a normal distribution is close enough, and much quicker to draw from. */
const SMALL_MEAN_MAX = 30;

/** How many events there are where `mean` are expected: Knuth's product for few, a rounded normal for many. */
export function poisson(random: Random, mean: number): number {
  if (mean > SMALL_MEAN_MAX) {
    const radius = Math.sqrt(-2 * Math.log(1 - random.next()));
    const normal = radius * Math.cos(2 * Math.PI * random.next());
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal));
  }
  const floor = Math.exp(-mean);
  let events = -1;
  for (let product = 1; product > floor; product *= random.next()) events += 1;
  return Math.max(0, events);
}
