/** What one process has seen of URLs: a probe has no other history. */
import type { Answer, ProbeQuestion } from '#core/answer.ts';

export class SeenProbes {
  /** By URL, then by time: 1 is up, 0 is down. */
  readonly #seen = new Map<string, Map<number, number>>();

  /** @param isUp asks now; undefined: this process could not ask */
  answer(question: ProbeQuestion, isUp: (url: string) => boolean | undefined): Answer {
    const seen = this.#seen.get(question.url) ?? new Map<number, number>();
    this.#seen.set(question.url, seen);
    if (question.type === 'probe') {
      const { atMs } = question;
      const now = seen.has(atMs) ? undefined : isUp(question.url);
      if (now !== undefined) seen.set(atMs, Number(now));
      const value = seen.get(atMs);
      const samples = value === undefined ? [] : [{ labels: {}, value, atMs }];
      return { type: 'samples', samples, skewMs: undefined };
    }
    const points = [];
    for (let atMs = question.startMs; atMs <= question.endMs; atMs += question.stepMs) {
      const value = seen.get(atMs);
      if (value !== undefined) points.push({ atMs, value });
    }
    const series = points.length === 0 ? [] : [{ labels: {}, points }];
    return { type: 'series', series, skewMs: undefined };
  }

  forget(): void {
    this.#seen.clear();
  }
}
