/** Figures about the API server: requests under client-go's names, watches under ours. */
import type { Resource } from '#ports/cluster.ts';
import type { Instruments } from './instruments.ts';

export interface RequestObserver {
  requested(method: string, host: string, status: number, durationMs: number): void;
  limited(waitedMs: number): void;
}

export interface WatchObserver {
  connected(isConnected: boolean): void;
  filled(objectCount: number): void;
  failed(fault: string): void;
}

/** What client-go counts a request as that brought no answer. */
const NO_ANSWER = '<error>';

export function createRequestMetrics(instruments: Instruments): RequestObserver {
  const requests = instruments.counter('rest_client_requests_total');
  const durations = instruments.histogram('rest_client_request_duration_seconds');
  const waits = instruments.histogram('rest_client_rate_limiter_duration_seconds');
  return {
    requested: (method, host, status, durationMs) => {
      requests.inc({ code: status === 0 ? NO_ANSWER : String(status), method, host });
      durations.observe({ verb: method, host }, durationMs / 1000);
    },
    limited: (waitedMs) => waits.observe(waitedMs / 1000),
  };
}

/** Each call is for one more stream: a resource has one for each namespace watched, or one for all. */
export function createWatchMetrics(instruments: Instruments) {
  const streams = instruments.gauge('genesis_watch_connected');
  const lists = instruments.counter('genesis_watch_lists_total');
  const failures = instruments.counter('genesis_watch_failures_total');

  return ({ group, plural }: Resource): WatchObserver => {
    const resource = group === '' ? plural : `${plural}.${group}`;
    let isOpen = false;
    streams.inc({ resource }, 0);
    lists.inc({ resource }, 0);
    return {
      connected: (isConnected) => {
        if (isConnected === isOpen) return;
        isOpen = isConnected;
        streams.inc({ resource }, isConnected ? 1 : -1);
      },
      filled: () => lists.inc({ resource }),
      failed: (fault) => failures.inc({ resource, fault }),
    };
  };
}
