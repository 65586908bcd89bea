/** A real Prometheus that scrapes local processes, with an outage switch that keeps its data. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { stringify } from 'yaml';

import { type BuildOptions, toolPath } from './build.ts';
import { type Part, type StopOptions, startPart, withFreePorts } from './part.ts';
import { createRunFolder, keepOrRemove } from './run-folder.ts';

export interface ScrapeJob {
  readonly job: string;
  /** `host:port`, as Prometheus writes them. */
  readonly targets: readonly string[];
  readonly metricsPath?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface PrometheusOptions extends BuildOptions {
  readonly scrape?: readonly ScrapeJob[];
  /** Prometheus's duration syntax; also the timeout of a scrape. Default `1s`. */
  readonly scrapeInterval?: string;
  /** Files with recording and alerting rules. */
  readonly ruleFiles?: readonly string[];
  /** A whole configuration in place of the fields above, as an object or as YAML. */
  readonly config?: object | string;
  /** Where it listens; default 127.0.0.1. Pods reach a node's own address. */
  readonly address?: string;
  /** Default: a free one. */
  readonly port?: number;
  readonly flags?: readonly string[];
}

export interface Prometheus {
  readonly url: string;
  readonly configFile: string;
  readonly runFolder: string;
  readonly promtool: string;
  readonly pid: () => number;
  /** Replaces what is scraped, without a restart. */
  setScrape(jobs: readonly ScrapeJob[]): Promise<void>;
  /** The vector of an instant query. */
  query(expression: string): Promise<readonly Sample[]>;
  /** Polls until exactly the wanted targets are known and each was scraped well. */
  untilScraped(withinMs?: number): Promise<void>;
  /** An outage; what was scraped is kept. */
  stopServer(options?: StopOptions): Promise<void>;
  startServer(): Promise<void>;
  stop(): Promise<void>;
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const scrapeIntervalDefault = '1s';
const requestWithinMs = 10_000;

export async function startPrometheus(options: PrometheusOptions = {}): Promise<Prometheus> {
  const command = await toolPath('prometheus', options);
  const promtool = await toolPath('promtool', options);
  const folder = await createRunFolder();
  const configFile = join(folder.path, 'prometheus.yaml');
  await writeFile(configFile, configText(options));
  const start = async (port: number) =>
    await startServer({ command, configFile, folder: folder.path, port, options });
  try {
    const first = await (options.port === undefined
      ? withFreePorts(1, async ([port = 0]) => ({ port, part: await start(port) }))
      : start(options.port).then((part) => ({ port: options.port ?? 0, part })));
    const { port } = first;
    let { part } = first;
    const url = `http://${options.address ?? '127.0.0.1'}:${port}`;
    let wanted = targetCount(options);
    return {
      url,
      configFile,
      runFolder: folder.path,
      promtool,
      pid: () => part.pid,
      setScrape: async (jobs) => {
        await writeFile(configFile, configText({ ...options, scrape: jobs }));
        await ask(`${url}/-/reload`, { method: 'POST' });
        wanted = targetCount({ scrape: jobs });
      },
      query: async (expression) => await query(url, expression),
      untilScraped: async (withinMs = 20_000) => await untilScraped(url, wanted, withinMs),
      stopServer: async (stop) => await part.stop(stop),
      startServer: async () => {
        part = await start(port);
      },
      stop: async () => {
        await part.stop({ killAfterMs: 1_000 });
        await folder.remove();
      },
    };
  } catch (error) {
    await keepOrRemove(folder, options.signal);
    throw error;
  }
}

interface ServerOptions {
  readonly command: string;
  readonly configFile: string;
  readonly folder: string;
  readonly port: number;
  readonly options: PrometheusOptions;
}

async function startServer({
  command,
  configFile,
  folder,
  port,
  options,
}: ServerOptions): Promise<Part> {
  const address = `${options.address ?? '127.0.0.1'}:${port}`;
  return await startPart({
    name: 'prometheus',
    command,
    args: [
      `--config.file=${configFile}`,
      `--storage.tsdb.path=${join(folder, 'prometheus-data')}`,
      `--web.listen-address=${address}`,
      '--web.enable-lifecycle',
      '--log.level=warn',
      ...(options.flags ?? []),
    ],
    runFolder: folder,
    isReady: async (signal) => (await fetch(`http://${address}/-/ready`, { signal })).ok,
    hint: `Check ${configFile} with \`promtool check config\`.`,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}

function configText(options: PrometheusOptions): string {
  const { config, scrape = [], scrapeInterval = scrapeIntervalDefault, ruleFiles = [] } = options;
  if (typeof config === 'string') return config;
  return stringify(
    config ?? {
      global: {
        scrape_interval: scrapeInterval,
        scrape_timeout: scrapeInterval,
        evaluation_interval: scrapeInterval,
      },
      rule_files: ruleFiles,
      scrape_configs: scrape.map(({ job, targets, metricsPath = '/metrics', labels = {} }) => ({
        job_name: job,
        metrics_path: metricsPath,
        static_configs: [{ targets, labels }],
      })),
    },
  );
}

async function ask(url: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(requestWithinMs) });
  if (!response.ok)
    throw new Error(`Prometheus answered ${response.status} at ${url}: ${await response.text()}`);
  return response;
}

async function query(url: string, expression: string): Promise<readonly Sample[]> {
  const response = await ask(`${url}/api/v1/query`, {
    method: 'POST',
    body: new URLSearchParams({ query: expression }),
  });
  const { data } = (await response.json()) as {
    data: {
      resultType: string;
      result: { metric: Record<string, string>; value: [number, string] }[];
    };
  };
  if (data.resultType !== 'vector')
    throw new Error(`the query ${expression} gives a ${data.resultType}; a vector is needed here`);
  return data.result.map(({ metric, value: [, value] }) => ({
    labels: metric,
    value: Number(value),
  }));
}

/** Unknown for a configuration of the caller's own. */
function targetCount({ config, scrape = [] }: PrometheusOptions): number | undefined {
  return config === undefined ? scrape.flatMap(({ targets }) => targets).length : undefined;
}

async function untilScraped(
  url: string,
  wanted: number | undefined,
  withinMs: number,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const response = await ask(`${url}/api/v1/targets?state=active`);
    const { data } = (await response.json()) as {
      data: { activeTargets: { scrapeUrl: string; health: string; lastError: string }[] };
    };
    const missing = data.activeTargets.filter(({ health }) => health !== 'up');
    const known = data.activeTargets.length;
    const isComplete = wanted === undefined ? known > 0 : known === wanted;
    if (isComplete && missing.length === 0) return;
    if (performance.now() > deadline) {
      const why = missing
        .map(({ scrapeUrl, health, lastError }) => `${scrapeUrl} is ${health} ${lastError}`)
        .join('; ');
      throw new Error(
        `after ${withinMs} ms not every target was scraped; ${known} of ${wanted ?? 'some'} are known: ${why}`,
      );
    }
    await sleep(100);
  }
}
