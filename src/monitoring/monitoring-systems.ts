/** Brings the adapters of monitoring systems together: what one rollout relies on, from its resolved endpoint. */
import type { Clock } from '#ports/clock.ts';
import type {
  AlertRouter,
  DashboardServer,
  MetricBackend,
  MonitoringSystems,
  Told,
} from '#ports/monitoring-systems.ts';
import type { ServerEndpoint } from '#ports/server-endpoint.ts';
import type { PrometheusSource } from '#prometheus/client.ts';
import type { EndpointResult } from '#prometheus/endpoint.ts';
import { type AddressRules, urlProblem } from '#web/address-rules.ts';
import { guardedLookup } from '#web/web.ts';
import { createReaders } from './readers.ts';

export interface MonitoringOptions {
  readonly source: Pick<PrometheusSource, 'backendOf'>;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly responseBytesMax: number;
  /** For Alertmanagers that are only named by Prometheus: where they may be. */
  readonly addressRules: AddressRules;
  /** With credentials as they are now; undefined: none is configured. */
  readonly alertmanager: () => ServerEndpoint | undefined;
  readonly grafana: () => ServerEndpoint | undefined;
}

export interface Monitoring {
  /** Of a rollout whose Prometheus is this one. One that is unresolved fails every question with its sentence. */
  systemsOf(prometheus: EndpointResult): MonitoringSystems;
  close(): Promise<void>;
}

export function createMonitoringSystems(options: MonitoringOptions): Monitoring {
  const { source, addressRules, alertmanager, grafana } = options;
  const ours = createReaders(options);
  const named = createReaders({ ...options, lookup: guardedLookup(addressRules) });
  /** Whoever writes a rollout may choose its Prometheus, and so what that one names: it is asked without credentials. */
  const alertRouterAt = (url: string): AlertRouter | undefined => {
    if (urlProblem(url, addressRules) !== undefined) return undefined;
    return named.alertRouter({ url, headers: {}, tls: {} });
  };
  const alertRouters = (): readonly AlertRouter[] => {
    const endpoint = alertmanager();
    return endpoint === undefined ? [] : [ours.alertRouter(endpoint)];
  };
  const dashboards = (): DashboardServer | undefined => {
    const endpoint = grafana();
    return endpoint === undefined ? undefined : ours.dashboards(endpoint);
  };

  return {
    systemsOf: (prometheus) => ({
      metrics:
        prometheus.type === 'ok'
          ? source.backendOf(prometheus.endpoint)
          : unresolved(prometheus.message),
      alertRouters: alertRouters(),
      alertRouterAt,
      dashboards: dashboards(),
    }),
    close: async () => {
      await Promise.all([ours.close(), named.close()]);
    },
  };
}

function unresolved(message: string): MetricBackend {
  const failed = (): Promise<Told<never>> => Promise.resolve({ type: 'failed', message });
  return {
    url: '',
    instant: () => Promise.resolve({ type: 'error', fault: 'refused', message }),
    targets: failed,
    rules: failed,
    alertmanagers: failed,
    labelValues: failed,
  };
}
