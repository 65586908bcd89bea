/** Telemetry for tests of its metrics: on a clock of its own, and scraped as Prometheus would. */
import type { SeenTrigger } from '#telemetry/look.ts';
import { createTelemetry } from '#telemetry/metrics.ts';
import { VirtualClock } from '#test/kube/virtual-clock.ts';

export const key = { namespace: 'shop', name: 'checkout' };
export const idle = { now: 0, status: {} };

/** A scrape gives way to other work between two chunks; time that stands still would never go on. */
class ScrapeClock extends VirtualClock {
  pauses = 0;
  override sleep(): Promise<void> {
    this.pauses += 1;
    return Promise.resolve();
  }
}

export function setUp() {
  const clock = new ScrapeClock();
  const telemetry = createTelemetry({ version: '1.2.3', clock });
  const scrape = async (): Promise<string> => {
    let text = '';
    for await (const chunk of telemetry.exposition()) text += chunk;
    return text;
  };
  const linesOf = async (name: string): Promise<string[]> =>
    (await scrape())
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return { clock, telemetry, scrape, linesOf };
}

export function seenTrigger(
  status: SeenTrigger['status'],
  reading?: SeenTrigger['reading'],
): SeenTrigger {
  const { name, severity } = status;
  return { trigger: { name, severity, condition: { threshold: 0.005 } }, status, reading };
}
