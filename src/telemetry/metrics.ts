/** All figures about this process: hooks for whoever has something to tell, and the text that Prometheus scrapes. */
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Clock } from '#ports/clock.ts';
import type { Resource } from '#ports/cluster.ts';
import type { NoticeObserver } from '#ports/notifier.ts';
import type { WorkQueueMetrics } from '#runtime/work-queue.ts';
import {
  createRequestMetrics,
  createWatchMetrics,
  type RequestObserver,
  type WatchObserver,
} from './cluster-metrics.ts';
import { createEventLoopMetrics } from './event-loop.ts';
import { createEvidenceMetrics, type EvidenceObserver } from './evidence-metrics.ts';
import { Instruments } from './instruments.ts';
import type { LookObserver } from './look.ts';
import { CONTROLLER, createLookMetrics } from './look-metrics.ts';
import { createNoticeMetrics } from './notice-metrics.ts';
import { createQueryMetrics, type QueryObserver } from './query-metrics.ts';
import { createQueueMetrics } from './queue-metrics.ts';
import { RolloutSeries } from './rollout-series.ts';

export interface Telemetry {
  readonly reconciles: LookObserver;
  readonly queries: QueryObserver;
  readonly evidence: EvidenceObserver;
  /** For the channels that are configured. */
  readonly notices: (channels: readonly string[]) => NoticeObserver;
  readonly requests: RequestObserver;
  readonly queue: WorkQueueMetrics;
  /** How many rollouts have something to write and stand in line for it. */
  readonly writesWaiting: (count: number) => void;
  /** To be called once for each stream. */
  readonly watchOf: (resource: Resource) => WatchObserver;
  readonly leading: (isLeading: boolean) => void;
  readonly contentType: string;
  /** `/metrics`, in chunks; between two chunks other work gets its turn. */
  exposition(): AsyncIterable<string>;
}

export interface TelemetryOptions {
  readonly version: string;
  readonly clock: Clock;
  /** Label `name` of `leader_election_master_status`. */
  readonly leaseName?: string;
}

const LEASE_NAME = 'genesis-rollout';

/** About 2,500 series: two or three milliseconds of work. */
const CHUNK_LENGTH = 262_144;
/** prom-client's gauges with names of counters, which `promtool check metrics` refuses, and what event-loop.ts does better. */
const LEFT_OUT = /^nodejs_(active_(handles|requests|resources)_total|eventloop_lag_.*)$/;
const NEVER_MS = 2 ** 31 - 1;

export function createTelemetry(options: TelemetryOptions): Telemetry {
  const { version, clock } = options;
  const registry = new Registry();
  const instruments = new Instruments(registry);
  const series = new RolloutSeries();
  collectProcessMetrics(registry);
  createEventLoopMetrics(instruments);
  const node = process.versions.node;
  instruments.gauge('genesis_build_info').set({ version, node }, 1);
  const lease = { name: options.leaseName ?? LEASE_NAME };
  const leading = instruments.gauge('leader_election_master_status');
  leading.set(lease, 0);
  const writesWaiting = instruments.gauge('genesis_writes_waiting');
  writesWaiting.set(0);

  return {
    reconciles: createLookMetrics(instruments, series),
    queries: createQueryMetrics(instruments),
    evidence: createEvidenceMetrics(instruments),
    notices: createNoticeMetrics(instruments),
    requests: createRequestMetrics(instruments),
    queue: createQueueMetrics(instruments, clock, CONTROLLER),
    writesWaiting: (count) => writesWaiting.set(count),
    watchOf: createWatchMetrics(instruments),
    leading: (isLeading) => leading.set(lease, isLeading ? 1 : 0),
    contentType: registry.contentType,
    exposition: async function* () {
      yield await registry.metrics();
      for (const chunk of series.text(clock.now(), CHUNK_LENGTH)) {
        yield chunk;
        await clock.sleep(0);
      }
    },
  };
}

/** CPU, memory, files and garbage collection, from prom-client. */
function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NEVER_MS });
  for (const { name } of registry.getMetricsAsArray()) {
    if (LEFT_OUT.test(name)) registry.removeSingleMetric(name);
  }
}
