/** Figures about the queries that Prometheus is asked. */
import type { QueryFault } from '#ports/metric-source.ts';
import type { Instruments } from './instruments.ts';

/** `list`: what Prometheus says of itself, such as its targets. */
const kinds = ['instant', 'range', 'list'] as const;

export interface QueryReport {
  readonly kind: (typeof kinds)[number];
  readonly outcome: 'ok' | QueryFault;
  readonly waitedMs: number;
  readonly durationMs: number;
  readonly bytes: number;
}

export interface QueryObserver {
  answered(query: QueryReport): void;
  shared(): void;
}

const outcomes: readonly QueryReport['outcome'][] = [
  'ok',
  'unreachable',
  'timeout',
  'refused',
  'badQuery',
  'partial',
  'tooLarge',
];

export function createQueryMetrics(instruments: Instruments): QueryObserver {
  const queries = instruments.counter('genesis_prometheus_queries_total');
  const shared = instruments.counter('genesis_prometheus_queries_shared_total');
  const durations = instruments.histogram('genesis_prometheus_query_duration_seconds');
  const waits = instruments.histogram('genesis_prometheus_query_wait_seconds');
  const bytes = instruments.counter('genesis_prometheus_response_bytes_total');
  for (const kind of kinds) {
    for (const outcome of outcomes) queries.inc({ kind, outcome }, 0);
    durations.zero({ kind });
    waits.zero({ kind });
  }
  return {
    answered: (query) => {
      const { kind, outcome } = query;
      queries.inc({ kind, outcome });
      durations.observe({ kind }, query.durationMs / 1000);
      waits.observe({ kind }, query.waitedMs / 1000);
      bytes.inc(query.bytes);
    },
    shared: () => shared.inc(),
  };
}
