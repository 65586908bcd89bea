/** Brings the adapters of monitoring systems together: what one rollout relies on, from its resolved endpoint. */
import { createAlertRouter } from '#alertmanager/alert-router.ts';
import type { Clock } from '#ports/clock.ts';
import type {
  AlertRouter,
  MetricBackend,
  MonitoringSystems,
  Told,
} from '#ports/monitoring-systems.ts';
import type { ServerEndpoint } from '#ports/server-endpoint.ts';
import type { PrometheusSource } from '#prometheus/client.ts';
import type { EndpointResult } from '#prometheus/endpoint.ts';
import { createConnections } from '#transport/connections.ts';
import { createService } from '#transport/service.ts';
import { type AddressRules, urlProblem } from '#web/address-rules.ts';
import { guardedLookup } from '#web/web.ts';

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

const LIMITS = { concurrencyMax: 8, waitingMax: 1_000, serversMax: 32 } as const;

export function createMonitoringSystems(options: MonitoringOptions): Monitoring {
  const { source, timeoutMs, addressRules } = options;
  const ours = createConnections({ timeoutMs, ...LIMITS });
  const named = createConnections({ timeoutMs, ...LIMITS, lookup: guardedLookup(addressRules) });
  /** Whoever writes a rollout may choose its Prometheus, and so what that one names: it is asked without credentials. */
  const alertRouterAt = (url: string): AlertRouter | undefined => {
    if (urlProblem(url, addressRules) !== undefined) return undefined;
    const endpoint = { url, headers: {}, tls: {} };
    const service = createService({ ...options, connections: named }, 'Alertmanager', endpoint);
    return createAlertRouter(service);
  };
  const alertRouters = (): readonly AlertRouter[] => {
    const endpoint = options.alertmanager();
    if (endpoint === undefined) return [];
    const service = createService({ ...options, connections: ours }, 'Alertmanager', endpoint);
    return [createAlertRouter(service)];
  };

  return {
    systemsOf: (prometheus) => ({
      metrics:
        prometheus.type === 'ok'
          ? source.backendOf(prometheus.endpoint)
          : unresolved(prometheus.message),
      alertRouters: alertRouters(),
      alertRouterAt,
      dashboards: undefined,
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
