/** What has been seen of one URL, kept as stretches of equal values: an hour of `up` is one entry. */

interface Stretch {
  readonly fromMs: number;
  toMs: number;
  /** Distance of the points in it; 0 while there is one. */
  stepMs: number;
  readonly value: number;
}

/** As long as the longest hold that is usual, and more. */
const KEPT_MS = 48 * 3_600_000;
/** A probe that flaps at every evaluation has a stretch for each. */
const STRETCHES_MAX = 4_000;

export class Seen {
  /** Ascending. */
  readonly #stretches: Stretch[] = [];

  add(atMs: number, value: number): void {
    if (this.at(atMs) !== undefined) return;
    const last = this.#stretches.at(-1);
    // The clock has stepped back: what was seen after this instant was seen by another clock.
    if (last !== undefined && last.toMs > atMs) this.#forgetFrom(atMs);
    const newest = this.#stretches.at(-1);
    const gapMs = newest === undefined ? 0 : atMs - newest.toMs;
    if (newest?.value === value && (newest.stepMs === 0 || newest.stepMs === gapMs)) {
      newest.toMs = atMs;
      newest.stepMs = gapMs;
    } else this.#stretches.push({ fromMs: atMs, toMs: atMs, stepMs: 0, value });
    while (this.#isTooOld(atMs)) this.#stretches.shift();
  }

  /** Undefined where nobody has looked. */
  at(atMs: number): number | undefined {
    const stretch = this.#stretches.findLast((one) => one.fromMs <= atMs);
    if (stretch === undefined || atMs > stretch.toMs) return undefined;
    const { fromMs, stepMs, value } = stretch;
    return atMs === fromMs || (stepMs > 0 && (atMs - fromMs) % stepMs === 0) ? value : undefined;
  }

  #isTooOld(nowMs: number): boolean {
    const [first] = this.#stretches;
    return (
      this.#stretches.length > STRETCHES_MAX ||
      (first !== undefined && first.toMs < nowMs - KEPT_MS)
    );
  }

  #forgetFrom(atMs: number): void {
    for (let last = this.#stretches.at(-1); last !== undefined; last = this.#stretches.at(-1)) {
      if (last.toMs < atMs) return;
      this.#stretches.pop();
      if (last.fromMs < atMs && last.stepMs > 0) {
        const points = Math.ceil((atMs - last.fromMs) / last.stepMs);
        const toMs = last.fromMs + (points - 1) * last.stepMs;
        this.#stretches.push({ ...last, toMs, stepMs: points > 1 ? last.stepMs : 0 });
        return;
      }
    }
  }
}
