/** Readers of one monitoring system each, over connections that they share. */
import { createAlertRouter } from '#alertmanager/alert-router.ts';
import { createDashboardServer } from '#grafana/dashboard-server.ts';
import type { Clock } from '#ports/clock.ts';
import type { AlertRouter, DashboardServer } from '#ports/monitoring-systems.ts';
import type { ServerEndpoint } from '#ports/server-endpoint.ts';
import { type ConnectionOptions, createConnections } from '#transport/connections.ts';
import { createService } from '#transport/service.ts';

export interface ReaderOptions {
  readonly clock: Clock;
  /** For one request from asking to answer. */
  readonly timeoutMs: number;
  readonly responseBytesMax: number;
  /** Instead of the system's own: may refuse addresses. */
  readonly lookup?: NonNullable<ConnectionOptions['lookup']>;
}

export interface Readers {
  alertRouter(endpoint: ServerEndpoint): AlertRouter;
  dashboards(endpoint: ServerEndpoint): DashboardServer;
  close(): Promise<void>;
}

const LIMITS = { concurrencyMax: 8, waitingMax: 1_000, serversMax: 32 } as const;

export function createReaders(options: ReaderOptions): Readers {
  const connections = createConnections({ ...options, ...LIMITS });
  const service = { ...options, connections };
  return {
    alertRouter: (endpoint) => createAlertRouter(createService(service, 'Alertmanager', endpoint)),
    dashboards: (endpoint) =>
      createDashboardServer(createService(service, 'Grafana', endpoint), options.clock),
    close: () => connections.close(),
  };
}
