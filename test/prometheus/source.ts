/** A metric source with limits small enough for tests, on the real clock. */

import { silentLogger } from '#ports/logger.ts';
import type { MetricEndpoint } from '#ports/metric-source.ts';
import {
  createMetricSource,
  type MetricSourceOptions,
  type PrometheusSource,
} from '#prometheus/client.ts';
import { systemClock } from '#runtime/clock.ts';

export interface TestSource extends PrometheusSource {
  [Symbol.asyncDispose](): Promise<void>;
}

export function testSource(options: Partial<MetricSourceOptions> = {}): TestSource {
  const source = createMetricSource({
    clock: systemClock,
    logger: silentLogger,
    timeoutMs: 5_000,
    concurrencyMax: 4,
    responseBytesMax: 100_000,
    keepMs: 5_000,
    listsKeptMs: 5_000,
    ...options,
  });
  return { ...source, [Symbol.asyncDispose]: () => source.close() };
}

export function endpointOf(url: string, rest: Partial<MetricEndpoint> = {}): MetricEndpoint {
  return { url, headers: {}, tls: {}, ...rest };
}

/** For asks whose end the test does not choose. */
export const forever: AbortSignal = new AbortController().signal;

/** Waits, for a short while at most, until a thing has come true. */
export async function eventually(what: string, isTrue: () => boolean): Promise<void> {
  const giveUpAt = systemClock.monotonic() + 5_000;
  while (!isTrue()) {
    if (systemClock.monotonic() > giveUpAt) throw new Error(`not within 5 s: ${what}`);
    await systemClock.sleep(5);
  }
}
