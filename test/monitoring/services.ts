/** Adapters of monitoring systems over real connections, with limits small enough for tests. */
import { systemClock } from '#runtime/clock.ts';
import { createConnections } from '#transport/connections.ts';
import { createService, type Service } from '#transport/service.ts';

export interface TestServices {
  of(name: string, url: string, headers?: Readonly<Record<string, string>>): Service;
  [Symbol.asyncDispose](): Promise<void>;
}

export function testServices(
  limits: { readonly timeoutMs?: number; readonly responseBytesMax?: number } = {},
): TestServices {
  const { timeoutMs = 30_000, responseBytesMax = 100_000 } = limits;
  const connections = createConnections({
    timeoutMs,
    concurrencyMax: 4,
    waitingMax: 100,
    serversMax: 4,
  });
  const options = { clock: systemClock, connections, timeoutMs, responseBytesMax };
  return {
    of: (name, url, headers = {}) => createService(options, name, { url, headers, tls: {} }),
    [Symbol.asyncDispose]: () => connections.close(),
  };
}
