/**
 * A real Prometheus, a real Alertmanager, and exporters that each break one link of the chain in their own way: one path, one
 * job, one way to be broken, so that no case disturbs another.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { createMonitoringSystems } from '#monitoring/monitoring-systems.ts';
import type { MonitoringSystems } from '#ports/monitoring-systems.ts';
import type { ServerEndpoint } from '#ports/server-endpoint.ts';
import { systemClock } from '#runtime/clock.ts';
import { type Prometheus, startAlertmanager, startPrometheus } from '#scripts/testbed/index.ts';
import { listenLocally } from '#test/local-server.ts';
import { endpointOf, testSource } from '#test/prometheus/source.ts';
import { startStubGrafana, stubDatasource } from '#test/stub-grafana.ts';

/** Long enough that a busy machine misses no scrape. */
const INTERVAL = '4s';
const TEXT = 'text/plain; version=0.0.4';

export interface PreflightWorld {
  readonly prometheus: Prometheus;
  /** From here on every exporter is broken in its way. */
  breakExporters(): void;
  readonly systems: MonitoringSystems;
  /** Alerts go to a receiver that has no integration. */
  readonly toNobody: MonitoringSystems;
  /** Prometheus answers queries there, and has neither targets nor rules to tell of. */
  readonly queriesOnly: MonitoringSystems;
  /** Grafana is none that answers. */
  readonly grafanaDown: MonitoringSystems;
  stop(): Promise<void>;
}

type Answer = (isBroken: boolean, response: ServerResponse) => void;

const text =
  (body: string): Answer =>
  (_, response) => {
    response.writeHead(200, { 'content-type': TEXT }).end(`${body}\n`);
  };

const ago = (ms: number) => Math.floor(Date.now() - ms);

/** By job; the path is the same. */
const exportersWith = (flaky: Answer): Readonly<Record<string, Answer>> => ({
  flaky,
  steady: (_, response) => {
    const count = Math.floor(process.uptime());
    const lines = ['old', 'new'].flatMap((service) => [
      `shop_requests_total{service="${service}",code="200"} ${count * 10}`,
      `shop_queue{service="${service}"} 3`,
      `shop_ratio{service="${service}"} NaN`,
    ]);
    response.writeHead(200, { 'content-type': TEXT }).end(`${lines.join('\n')}\n`);
  },
  closing: (isBroken, response) => {
    if (isBroken) response.socket?.destroy();
    else text('closing_gauge 1')(isBroken, response);
  },
  untyped: (_, response) => {
    response.writeHead(200).end('untyped_gauge 1\n');
  },
  late: (_, response) => text(`late_gauge 1 ${ago(60_000)}`)(false, response),
  fading: (isBroken, response) =>
    text(isBroken ? 'other_gauge 1' : 'fading_gauge 1')(isBroken, response),
});

/** Misses two scrapes, and is well again. */
function flakyExporter(): Answer {
  let missed = 0;
  return (isBroken, response) => {
    if (!isBroken || missed === 2) {
      text('flaky_gauge 1')(isBroken, response);
      return;
    }
    missed += 1;
    response.writeHead(503).end();
  };
}

const rules = {
  groups: [
    {
      name: 'shop',
      interval: INTERVAL,
      rules: [
        { record: 'shop:queue:sum', expr: 'sum by (service) (shop_queue)' },
        { record: 'shop:broken:sum', expr: 'up * on () up' },
        { alert: 'ShopQueue', expr: 'shop_queue > 100', labels: { severity: 'critical' } },
        { alert: 'ShopBroken', expr: 'up * on () up', labels: { severity: 'critical' } },
      ],
    },
  ],
};

const panel = (id: number, title: string, expr: string) => ({
  id,
  title,
  type: 'timeseries',
  datasource: { uid: stubDatasource.uid, type: stubDatasource.type },
  targets: [{ refId: 'A', expr }],
});

/** One for each way in which a panel can be. */
const panels = {
  whole: [panel(1, 'Queue', 'sum(shop_queue)'), panel(2, 'Up', 'up{job="steady"}')],
  gap: [panel(1, 'Queue', 'sum(shop_queue)'), panel(2, 'Sales', 'sum(shop_sales)')],
  wrong: [panel(1, 'Queue', 'sum(shop_queue')],
  canary: [panel(1, 'Canary', 'shop_queue{service="newest"}')],
};

const dashboards = Object.fromEntries(
  Object.entries(panels).map(([uid, shown]) => [uid, { uid, title: `Shop ${uid}`, panels: shown }]),
);

export async function startPreflightWorld(): Promise<PreflightWorld> {
  let isBroken = false;
  const exporters = exportersWith(flakyExporter());
  const exporter = await listenLocally(
    createServer((request, response) => {
      request.resume();
      const answer = exporters[request.url?.slice(1) ?? ''];
      if (answer === undefined) response.writeHead(200).end();
      else answer(isBroken, response);
    }),
  );
  const folder = await mkdtemp(join(tmpdir(), 'preflight-'));
  const ruleFile = join(folder, 'rules.yaml');
  await writeFile(ruleFile, stringify(rules));
  const [alertmanager, silent] = await Promise.all([
    startAlertmanager({ webhookUrl: `${exporter.url}/told` }),
    startAlertmanager(),
  ]);
  const prometheus = await startPrometheus({
    config: {
      global: {
        scrape_interval: INTERVAL,
        scrape_timeout: INTERVAL,
        evaluation_interval: INTERVAL,
      },
      rule_files: [ruleFile],
      alerting: {
        alertmanagers: [{ static_configs: [{ targets: [new URL(alertmanager.url).host] }] }],
      },
      scrape_configs: Object.keys(exporters).map((job) => ({
        job_name: job,
        metrics_path: `/${job}`,
        static_configs: [{ targets: [`127.0.0.1:${exporter.port}`] }],
      })),
    },
  });
  const proxy = await startQueriesOnly(prometheus.url);
  const grafana = await startStubGrafana({ prometheusUrl: prometheus.url, dashboards });
  const source = testSource({ listsKeptMs: 0, keepMs: 0 });
  const opened: { close(): Promise<void> }[] = [];
  const systemsOf = (
    url: string,
    others: { readonly alertmanager?: string; readonly grafana?: string } = {},
  ): MonitoringSystems => {
    const monitoring = createMonitoringSystems({
      source,
      clock: systemClock,
      timeoutMs: 5_000,
      responseBytesMax: 10_000_000,
      addressRules: { allowLoopback: true },
      alertmanager: () => endpointAt(others.alertmanager),
      grafana: () => endpointAt(others.grafana),
    });
    opened.push(monitoring);
    return monitoring.systemsOf({ type: 'ok', endpoint: endpointOf(url) });
  };
  return {
    prometheus,
    breakExporters: () => {
      isBroken = true;
    },
    systems: systemsOf(prometheus.url, { grafana: grafana.url }),
    grafanaDown: systemsOf(prometheus.url, { grafana: `${exporter.url}/nowhere` }),
    toNobody: systemsOf(prometheus.url, { alertmanager: silent.url }),
    queriesOnly: systemsOf(proxy.url),
    stop: async () => {
      await Promise.all(opened.map((one) => one.close()));
      await source.close();
      await Promise.all([prometheus.stop(), alertmanager.stop(), silent.stop()]);
      grafana.stop();
      proxy.stop();
      exporter.stop();
      await rm(folder, { recursive: true });
    },
  };
}

function endpointAt(url: string | undefined): ServerEndpoint | undefined {
  return url === undefined ? undefined : { url, headers: {}, tls: {} };
}

/** As backends do that only store: they answer queries, and 404 to whatever is about Prometheus itself. */
async function startQueriesOnly(url: string) {
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    if (!path.startsWith('/api/v1/query')) {
      response.writeHead(404).end('404 page not found');
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      forward(`${url}${path}`, request, Buffer.concat(chunks)).then(
        ({ status, body }) =>
          response.writeHead(status, { 'content-type': 'application/json' }).end(body),
        () => response.writeHead(502).end(),
      );
    });
  });
  return await listenLocally(server);
}

async function forward(url: string, request: IncomingMessage, body: Buffer) {
  const answered = await fetch(url, {
    method: request.method ?? 'POST',
    headers: { 'content-type': request.headers['content-type'] ?? '' },
    body: request.method === 'GET' ? null : new Uint8Array(body),
    signal: AbortSignal.timeout(10_000),
  });
  return { status: answered.status, body: await answered.text() };
}
