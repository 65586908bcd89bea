/** Two arms under load for some hours: counters that Prometheus scrapes, with the chance of a bad request as it is told. */
import type { Block } from '#core/judge/blocks.ts';
import type { ArmCounts } from '#core/judge/e-value.ts';
import { poisson } from '#test/fakes/noise.ts';
import { ScrapedCounter } from '#test/fakes/scraped-counter.ts';
import type { Random } from '#test/simulation/random.ts';

/** Scrapes and evaluations: the default of `analysis.interval`. */
export const TICK_MS = 15_000;

/** Both arms have served since long before the rollout. */
const BEFORE_MS = 20 * TICK_MS;

export interface Load {
  /** Requests a second. */
  readonly perSecond: number;
  /** Share of bad ones. */
  readonly bad: number;
}

export type LoadAt = (atMs: number) => Load;

export class Arm {
  readonly #bad: ScrapedCounter;
  readonly #total: ScrapedCounter;
  readonly #random: Random;

  /** Scraped from before the beginning on, somewhere between two ticks. */
  constructor(random: Random) {
    const scrapes = { everyMs: TICK_MS, firstMs: Math.floor(random.next() * TICK_MS) - BEFORE_MS };
    this.#bad = new ScrapedCounter(scrapes);
    this.#total = new ScrapedCounter(scrapes);
    this.#random = random;
  }

  /** Serves until then. */
  serveUntil(atMs: number, load: LoadAt): void {
    while (this.#total.nextScrapeMs <= atMs) {
      const { perSecond, bad } = load(this.#total.nextScrapeMs);
      const mean = (perSecond * TICK_MS) / 1000;
      const failed = poisson(this.#random, mean * bad);
      this.#bad.add(failed);
      this.#total.add(failed + poisson(this.#random, mean * (1 - bad)));
    }
  }

  /** What the judge's queries answer. */
  counted({ startMs, lengthMs }: Block): ArmCounts {
    const toMs = startMs + lengthMs;
    const bad = this.#bad.counted(startMs, toMs) ?? 0;
    return { bad, total: this.#total.increase(startMs, toMs) ?? 0 };
  }

  /** What a literal trigger reads: `rate(bad[5m]) / rate(total[5m])`; undefined without traffic. */
  share(atMs: number, rangeMs: number): number | undefined {
    const total = this.#total.increase(atMs - rangeMs, atMs) ?? 0;
    return total > 0 ? (this.#bad.increase(atMs - rangeMs, atMs) ?? 0) / total : undefined;
  }
}
