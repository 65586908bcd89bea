/** What the operator is built from: where its API server and metrics are, its limits, and where its figures go. */
import type { EvidenceObserver } from '#controller/evidence-log.ts';
import type { ReconcileObserver } from '#controller/observer.ts';
import type { KubeSource } from '#kube/credentials.ts';
import type { RequestMetrics } from '#kube/exchange.ts';
import type { ReflectorMetrics } from '#kube/reflector.ts';
import type { Clock } from '#ports/clock.ts';
import type { Resource } from '#ports/cluster.ts';
import type { Logger } from '#ports/logger.ts';
import type { ManifestSource } from '#ports/manifest-source.ts';
import type { MetricEndpoint } from '#ports/metric-source.ts';
import type { NoticeObserver } from '#ports/notifier.ts';
import type { ServerEndpoint } from '#ports/server-endpoint.ts';
import type { QueryObserver } from '#prometheus/client.ts';
import type { WorkQueueMetrics } from '#runtime/work-queue.ts';
import type { Notifications } from './config/channels.ts';
import type { LeaseConfig } from './config.ts';

export interface OperatorOptions {
  readonly version: string;
  readonly source: KubeSource;
  /** Undefined: all. */
  readonly namespaces: readonly string[] | undefined;
  readonly concurrency: number;
  /** Whether URLs of rollouts may lead to the operator's own loopback. */
  readonly allowLoopbackUrls: boolean;
  /** The operator's own Prometheus, with credentials as they are now; undefined when it has none. */
  readonly prometheus: () => MetricEndpoint | undefined;
  /** Alertmanager and Grafana of the operator's own configuration, likewise. */
  readonly alertmanager?: () => ServerEndpoint | undefined;
  readonly grafana?: () => ServerEndpoint | undefined;
  readonly query: {
    readonly timeoutMs: number;
    readonly concurrencyMax: number;
    readonly responseBytesMax: number;
  };
  readonly lease: LeaseConfig | undefined;
  /** Where snapshots and reports are kept; undefined: in ConfigMaps of the rollouts' own. */
  readonly evidenceDirectory: string | undefined;
  /** What is made for each rollout; undefined: nothing. */
  readonly manifests: ManifestSource | undefined;
  readonly notifications: Notifications;
  /** Where the operator's own Secrets are. */
  readonly ownNamespace: string;
  /** Throws when the file cannot be read. */
  readonly readText: (path: string) => string;
  readonly client: { readonly requestsPerSecond: number; readonly burst: number };
  readonly clock: Clock;
  readonly logger: Logger;
  readonly telemetry: OperatorTelemetry;
}

/** Where the figures go. */
export interface OperatorTelemetry {
  readonly queue: WorkQueueMetrics;
  readonly writesWaiting: (count: number) => void;
  readonly requests: RequestMetrics;
  readonly watchOf: (resource: Resource) => ReflectorMetrics;
  readonly queries: QueryObserver;
  readonly reconciles: ReconcileObserver;
  readonly evidence: EvidenceObserver;
  readonly notices: (channels: readonly string[]) => NoticeObserver;
  readonly leading: (isLeading: boolean) => void;
}
