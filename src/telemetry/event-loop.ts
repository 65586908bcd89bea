/**
 * How late the event loop runs, under prom-client's names. prom-client's own measurement wakes the process a
 * hundred times a second (5 millicores, a tenth of what a thousand rollouts may cost) and counts its own
 * sampling interval as lag; this one does neither.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Instruments } from './instruments.ts';

const RESOLUTION_MS = 100;
const NANOS = 1e9;

export function createEventLoopMetrics(instruments: Instruments): void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  /** What has been measured is the time from one sample to the next. */
  const late = (nanos: number): number => Math.max(0, nanos / NANOS - RESOLUTION_MS / 1000);
  // Made first, because a scrape reads the metrics in the order in which they were made.
  instruments.gauge('nodejs_eventloop_lag_max_seconds', (max) => {
    const hasSamples = delay.count > 0;
    mean.set(hasSamples ? late(delay.mean) : 0);
    p50.set(late(delay.percentile(50)));
    p90.set(late(delay.percentile(90)));
    p99.set(late(delay.percentile(99)));
    max.set(late(delay.max));
    delay.reset();
  });
  const mean = instruments.gauge('nodejs_eventloop_lag_mean_seconds');
  const p50 = instruments.gauge('nodejs_eventloop_lag_p50_seconds');
  const p90 = instruments.gauge('nodejs_eventloop_lag_p90_seconds');
  const p99 = instruments.gauge('nodejs_eventloop_lag_p99_seconds');
}
