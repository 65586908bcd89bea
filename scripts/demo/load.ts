/** The customers: requests at a steady rate through the gateway, each answer noted down with its times and the version that gave it. */
import { Pool } from 'undici';

import { systemClock } from '#runtime/clock.ts';
import type { Response } from './observation.ts';
import { versionHeader } from './service.ts';

export interface LoadOptions {
  /** The gateway. */
  readonly url: string;
  readonly hostname: string;
  readonly requestsPerSecond: number;
}

export interface Load {
  /** Grows; in the order of the answers. */
  readonly responses: readonly Response[];
  /** Customers stay, but may do so for days: what they get is no longer kept. */
  stopCounting(): void;
  stop(): Promise<void>;
}

const tickMs = 20;
const answerWithinMs = 5_000;
/** A gateway that hangs must not fill the memory; what cannot be sent in time is not sent later either. */
const underWayMax = 500;
const connections = 16;

/** The rate does not wait for answers: customers do not slow down because a service does. */
export function startLoad({ url, hostname, requestsPerSecond }: LoadOptions): Load {
  const pool = new Pool(new URL(url).origin, { connections, headersTimeout: answerWithinMs });
  const path = new URL(url).pathname;
  const responses: Response[] = [];
  let isCounting = true;
  const note = (response: Response) => {
    if (isCounting) responses.push(response);
  };
  const underWay = new Set<Promise<void>>();
  const startedAtMs = systemClock.monotonic();
  let planned = 0;

  const ask = async (): Promise<void> => {
    const sentAtMs = systemClock.now();
    try {
      const { statusCode, headers, body } = await pool.request({
        method: 'GET',
        path,
        headers: { host: hostname },
        signal: AbortSignal.timeout(answerWithinMs),
      });
      await body.dump();
      const version = headers[versionHeader];
      const receivedAtMs = systemClock.now();
      const known = typeof version === 'string' ? version : undefined;
      note({ sentAtMs, receivedAtMs, version: known, status: statusCode });
    } catch {
      note({ sentAtMs, receivedAtMs: systemClock.now(), version: undefined, status: 0 });
    }
  };
  const tick = () => {
    const dueMs = systemClock.monotonic() - startedAtMs;
    const due = Math.floor((dueMs * requestsPerSecond) / 1_000);
    for (; planned < due; planned += 1) {
      if (underWay.size >= underWayMax) continue;
      const asked = ask().finally(() => underWay.delete(asked));
      underWay.add(asked);
    }
  };
  const timer = setInterval(tick, tickMs);
  return {
    responses,
    stopCounting: () => {
      isCounting = false;
    },
    stop: async () => {
      clearInterval(timer);
      await Promise.allSettled(underWay);
      await pool.destroy();
    },
  };
}
