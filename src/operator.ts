/** The wiring: adapters are built and plugged into the controller here, and closed in order. Nothing is decided. */
import { substitute } from '#api/placeholders.ts';
import { Controller } from '#controller/controller.ts';
import type { ReconcileObserver } from '#controller/observer.ts';
import type { Reconciler } from '#controller/reconcile.ts';
import { RolloutIndex } from '#controller/rollout-index.ts';
import { Specs } from '#controller/specs.ts';
import type { QueryFacts } from '#core/resolve.ts';
import { createCluster, createElection, type KubeCluster } from '#kube/cluster-client.ts';
import type { KubeSource } from '#kube/credentials.ts';
import { watchEndpoints } from '#kube/endpoints.ts';
import { Events } from '#kube/events.ts';
import type { RequestMetrics } from '#kube/exchange.ts';
import { createAlwaysLeader, type Election } from '#kube/leadership.ts';
import type { ReflectorMetrics } from '#kube/reflector.ts';
import { secretReader } from '#kube/secrets.ts';
import type { Clock } from '#ports/clock.ts';
import type { Resource } from '#ports/cluster.ts';
import type { Logger } from '#ports/logger.ts';
import type { MetricEndpoint } from '#ports/metric-source.ts';
import { createMetricSource, type QueryObserver } from '#prometheus/client.ts';
import { checkPromql } from '#prometheus/promql.ts';
import { createRouters } from '#routers/index.ts';
import { RightOfWay } from '#runtime/right-of-way.ts';
import { closeInOrder } from '#runtime/shutdown.ts';
import { WorkQueue, type WorkQueueMetrics } from '#runtime/work-queue.ts';
import { createAskMetrics } from './ask-metrics.ts';
import { crdProblem } from './crd-version.ts';
import { createWatching } from './watching.ts';

export interface OperatorOptions {
  readonly version: string;
  readonly source: KubeSource;
  /** Undefined: all. */
  readonly namespaces: readonly string[] | undefined;
  readonly concurrency: number;
  /** The operator's own Prometheus, with credentials as they are now; undefined when it has none. */
  readonly prometheus: () => MetricEndpoint | undefined;
  readonly query: {
    readonly timeoutMs: number;
    readonly concurrencyMax: number;
    readonly responseBytesMax: number;
  };
  readonly lease: LeaseSettings | undefined;
  readonly client: { readonly requestsPerSecond: number; readonly burst: number };
  readonly clock: Clock;
  readonly logger: Logger;
  readonly telemetry: OperatorTelemetry;
}

export interface LeaseSettings {
  readonly namespace: string;
  readonly name: string;
  readonly identity: string;
  readonly leaseDurationMs: number;
  readonly renewDeadlineMs: number;
  readonly retryMs: number;
}

/** Where the figures go. */
export interface OperatorTelemetry {
  readonly queue: WorkQueueMetrics;
  readonly requests: RequestMetrics;
  readonly watchOf: (resource: Resource) => ReflectorMetrics;
  readonly queries: QueryObserver;
  readonly reconciles: ReconcileObserver;
  readonly leading: (isLeading: boolean) => void;
}

export interface Operator {
  /** Resolves once caches are synced; workers start when this process leads. */
  readonly synced: Promise<void>;
  /** Caches are synced and nothing is being shut down. */
  isReady(): boolean;
  /** ms since the quietest watch has heard from the API server. */
  silentForMs(): number;
  /** Aborted when leadership is lost: the process must end. */
  readonly lost: AbortSignal;
  /** Lets looks under way finish, then gives the lease back. */
  stop(): Promise<void>;
}

/** Answers of a tick serve every look within it; the shortest usual interval is a little longer. */
const ANSWERS_KEPT_MS = 10_000;
const SECRET_READ_MAX_MS = 5_000;
const CLOSING_MAX_MS = 10_000;

export async function startOperator(options: OperatorOptions): Promise<Operator> {
  const { clock, logger, telemetry, source, version, namespaces } = options;
  const election = elect(options);
  const cluster = createCluster({
    ...{ source, version, clock, logger },
    leadership: election,
    ...options.client,
    metrics: { requests: telemetry.requests, watchOf: telemetry.watchOf },
  });
  const events = new Events({
    ...{ cluster, clock, logger },
    reportingController: 'genesis-rollout',
    reportingInstance: options.lease?.identity ?? 'genesis-rollout',
  });
  const metrics = createMetricSource({
    ...{ clock, logger, ...options.query },
    keepMs: ANSWERS_KEPT_MS,
    observe: telemetry.queries,
  });
  const queue = new WorkQueue({ clock, metrics: telemetry.queue });
  const index = new RolloutIndex();
  const specs = new Specs(inspectQuery, await crdProblem(cluster, clock));
  const stopping = new AbortController();
  const watching = createWatching(cluster, namespaces);
  const endpoints = watchEndpoints({
    cluster,
    ...(namespaces === undefined ? {} : { namespaces }),
    onChange: (namespace, name) => controller.used('Service', { namespace, name }),
  });
  const ask = createAskMetrics({
    ...{ source: metrics, clock, operatorDefault: options.prometheus },
    readSecret: (namespace) =>
      secretReader(cluster, namespace, AbortSignal.timeout(SECRET_READ_MAX_MS)),
  });
  const shell: Reconciler = {
    ...{ clock, cluster, endpoints, index, specs, ask, events, logger },
    routers: createRouters(cluster, logger),
    rightOfWay: new RightOfWay(clock),
    routesWatched: (run, signal) => watching.flagsOf(run, signal),
    observer: telemetry.reconciles,
  };
  const controller = new Controller({ shell, queue, concurrency: options.concurrency });
  watching.start(controller);
  const synced = whenSynced(cluster, clock, stopping.signal).then(() => {
    election.start();
    void election.acquired.then(() => {
      if (stopping.signal.aborted) return;
      logger.info({}, 'leading: rollouts are looked after by this process');
      controller.start(AbortSignal.any([stopping.signal, election.lost]));
    });
  });
  return {
    synced,
    isReady: () => cluster.isSynced && !stopping.signal.aborted,
    silentForMs: () => cluster.silentForMs(),
    lost: election.lost,
    async stop() {
      const limitMs = CLOSING_MAX_MS;
      await closeInOrder(
        [
          { name: 'workers', limitMs, close: () => controller.drain() },
          { name: 'events', limitMs: 2_000, close: (signal) => events.close(signal) },
          { name: 'lease', limitMs: 3_000, close: () => election.release() },
          {
            name: 'connections',
            limitMs: 3_000,
            close: async () => {
              stopping.abort(new Error('the operator is being stopped'));
              await Promise.all([cluster.close(), metrics.close()]);
            },
          },
        ],
        { clock, logger },
      );
    },
  };
}

function elect(options: OperatorOptions): Election {
  const { lease, source, version, clock, logger, telemetry } = options;
  if (lease === undefined) {
    telemetry.leading(true);
    return createAlwaysLeader();
  }
  const onChange = (isLeading: boolean) => telemetry.leading(isLeading);
  return createElection({ ...lease, source, version, clock, logger, onChange });
}

const STAND_INS = {
  namespace: 'n',
  rollout: 'r',
  revision: 'v',
  weight: '0',
  'arm.service': 's',
  'stable.service': 's',
  'canary.service': 's',
  window: '1m',
} as const;

/** Placeholders stand for names and numbers, so one word of each is enough to parse the query. */
function inspectQuery(query: string): QueryFacts {
  const checked = checkPromql(substitute(query, STAND_INS));
  return checked.type === 'ok' ? { type: 'ok', longestRangeMs: checked.longestRangeMs } : checked;
}

const SYNC_POLL_MS = 25;

async function whenSynced(cluster: KubeCluster, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!cluster.isSynced) await clock.sleep(SYNC_POLL_MS, signal);
}
