/** The figures of one work queue, under the names that controller-runtime gave them. */
import type { Clock } from '#ports/clock.ts';
import type { WorkQueueMetrics } from '#runtime/work-queue.ts';
import type { Instruments } from './instruments.ts';

export function createQueueMetrics(
  instruments: Instruments,
  clock: Clock,
  name: string,
): WorkQueueMetrics {
  const labels = { name };
  const busy = new BusySince(clock);
  const depth = instruments.gauge('workqueue_depth');
  const adds = instruments.counter('workqueue_adds_total');
  const waits = instruments.histogram('workqueue_queue_duration_seconds');
  const works = instruments.histogram('workqueue_work_duration_seconds');
  const retries = instruments.counter('workqueue_retries_total');
  instruments.gauge('workqueue_unfinished_work_seconds', (gauge) =>
    gauge.set(labels, busy.sumMs() / 1000),
  );
  instruments.gauge('workqueue_longest_running_processor_seconds', (gauge) =>
    gauge.set(labels, busy.longestMs() / 1000),
  );
  depth.set(labels, 0);
  for (const counter of [adds, retries]) counter.inc(labels, 0);
  for (const histogram of [waits, works]) histogram.zero(labels);

  return {
    depth: (count) => depth.set(labels, count),
    added: () => adds.inc(labels),
    waited: (durationMs) => {
      busy.taken();
      waits.observe(labels, durationMs / 1000);
    },
    worked: (durationMs) => {
      busy.done(durationMs);
      works.observe(labels, durationMs / 1000);
    },
    retried: () => retries.inc(labels),
  };
}

/**
 * Since when each worker has been busy. The queue tells when a key is taken and how long it took, not
 * which one: the start that fits the time best is struck off, which is the right one but for microseconds.
 */
class BusySince {
  readonly #clock: Clock;
  readonly #starts: number[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  taken(): void {
    this.#starts.push(this.#clock.monotonic());
  }

  done(durationMs: number): void {
    const startMs = this.#clock.monotonic() - durationMs;
    let best = -1;
    let leastMs = Number.POSITIVE_INFINITY;
    // In order of time, so the search ends at the first that is farther off than the one before it.
    for (let index = 0; index < this.#starts.length; index += 1) {
      const offMs = Math.abs((this.#starts[index] ?? 0) - startMs);
      if (offMs >= leastMs) break;
      best = index;
      leastMs = offMs;
    }
    if (best >= 0) this.#starts.splice(best, 1);
  }

  sumMs(): number {
    const nowMs = this.#clock.monotonic();
    return this.#starts.reduce((sum, start) => sum + nowMs - start, 0);
  }

  longestMs(): number {
    const nowMs = this.#clock.monotonic();
    return Math.max(0, ...this.#starts.map((start) => nowMs - start));
  }
}
