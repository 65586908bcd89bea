/** A counter as Prometheus has it: read at every scrape, and stretched over the range by `increase`. */

export interface Scrapes {
  readonly everyMs: number;
  /** Time of the first scrape. */
  readonly firstMs: number;
}

export class ScrapedCounter {
  readonly #scrapes: Scrapes;
  /** The value at each scrape so far. */
  readonly #values: number[] = [];

  constructor(scrapes: Scrapes) {
    this.#scrapes = scrapes;
  }

  get nextScrapeMs(): number {
    return this.#scrapes.firstMs + this.#values.length * this.#scrapes.everyMs;
  }

  /** The next scrape finds so many more. */
  add(count: number): void {
    this.#values.push((this.#values.at(-1) ?? 0) + count);
  }

  /**
   * `increase` over (fromMs, toMs], after extrapolatedRate in promql/functions.go; undefined with fewer than two
   * samples. The counter never resets.
   */
  increase(fromMs: number, toMs: number): number | undefined {
    const { everyMs, firstMs } = this.#scrapes;
    const first = Math.max(0, Math.floor((fromMs - firstMs) / everyMs) + 1);
    const last = Math.min(this.#values.length - 1, Math.floor((toMs - firstMs) / everyMs));
    const from = this.#values[first];
    const to = this.#values[last];
    if (last <= first || from === undefined || to === undefined) return undefined;
    const sampledMs = (last - first) * everyMs;
    const gap = (ms: number) => (ms >= everyMs * 1.1 ? everyMs / 2 : ms);
    const toZeroMs = to > from ? sampledMs * (from / (to - from)) : Number.POSITIVE_INFINITY;
    const before = Math.min(gap(firstMs + first * everyMs - fromMs), toZeroMs);
    const after = gap(toMs - (firstMs + last * everyMs));
    return ((to - from) * (sampledMs + before + after)) / sampledMs;
  }

  /** What the judge's query answers: `increase` less what it may have made up. */
  counted(fromMs: number, toMs: number): number | undefined {
    const { everyMs, firstMs } = this.#scrapes;
    const first = Math.max(0, Math.floor((fromMs - firstMs) / everyMs) + 1);
    const last = Math.min(this.#values.length - 1, Math.floor((toMs - firstMs) / everyMs));
    const increase = this.increase(fromMs, toMs);
    return increase && increase * (1 - 2.2 / (last - first + 1 + 1.2));
  }
}
