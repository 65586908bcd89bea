/** Brings the adapters of monitoring systems together: what one rollout relies on, from its resolved endpoint. */
import type { Clock } from '#ports/clock.ts';
import type { MetricBackend, MonitoringSystems, Told } from '#ports/monitoring-systems.ts';
import type { ServerEndpoint } from '#ports/server-endpoint.ts';
import type { PrometheusSource } from '#prometheus/client.ts';
import type { EndpointResult } from '#prometheus/endpoint.ts';
import type { AddressRules } from '#web/address-rules.ts';

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

export function createMonitoringSystems({ source }: MonitoringOptions): Monitoring {
  return {
    systemsOf: (prometheus) => ({
      metrics:
        prometheus.type === 'ok'
          ? source.backendOf(prometheus.endpoint)
          : unresolved(prometheus.message),
      alertRouters: [],
      alertRouterAt: () => undefined,
      dashboards: undefined,
    }),
    close: () => Promise.resolve(),
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
