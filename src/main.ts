/** The controller's entry: read the configuration, start, and end in order. */
import { readFileSync } from 'node:fs';
import { manifestSource } from '#dashboards/source.ts';
import type { Logger } from '#ports/logger.ts';
import type { ServerEndpoint } from '#ports/server-endpoint.ts';
import { systemClock } from '#runtime/clock.ts';
import { preferSmallHeap } from '#runtime/memory.ts';
import { closeInOrder, listenForTermination } from '#runtime/shutdown.ts';
import { checkEventLoop, checkNotEnding, checkReady, checkWatches } from '#server/checks.ts';
import { healthRoutes, metricsRoutes } from '#server/routes.ts';
import { ListenError, startServers } from '#server/server.ts';
import { createLogger } from '#telemetry/log.ts';
import { createTelemetry } from '#telemetry/metrics.ts';
import { EndpointFileError, loadEndpoint } from './config/server-endpoint.ts';
import { type Config, INVALID_EXIT_CODE, readConfig } from './config.ts';
import { type Operator, startOperator } from './operator.ts';

/** Leadership was lost, or something that cannot be mended from inside: a restart is the cure. */
const FAILED_EXIT_CODE = 1;
/** Files with credentials are read anew this often. */
const CREDENTIALS_FRESH_MS = 60_000;
const CLOSING_MAX_MS = 25_000;

preferSmallHeap();

const readText = (path: string): string => readFileSync(path, 'utf8');

const read = readConfig({ argv: process.argv.slice(2), env: process.env, readText });
if (read.type === 'show') {
  process.stdout.write(read.text);
} else if (read.type === 'invalid') {
  for (const problem of read.problems) process.stderr.write(`error: ${problem}\n`);
  process.exitCode = INVALID_EXIT_CODE;
} else {
  process.exitCode = await run(read.config);
  // A connection that will not close must not keep a process alive that has given its lease back.
  process.exit();
}

/** Resolves with the exit code once everything is closed. */
async function run(config: Config): Promise<number> {
  const logger = createLogger({ level: config.logLevel });
  const clock = systemClock;
  const termination = listenForTermination(process, () => process.exit(FAILED_EXIT_CODE));
  const telemetry = createTelemetry({ version: config.version, clock });
  const eventLoop = checkEventLoop(clock);
  let operator: Operator | undefined;
  try {
    const servers = await startServers(
      [
        { name: 'metrics', address: config.metricsAddress, routes: metricsRoutes(telemetry) },
        {
          name: 'health',
          address: config.healthAddress,
          routes: healthRoutes(
            [eventLoop, checkWatches(() => operator?.silentForMs() ?? 0)],
            [checkReady(() => operator?.isReady() ?? false), checkNotEnding(termination.signal)],
          ),
        },
      ],
      logger,
    );
    const asked = {
      prometheus: endpointReader(config, 'prometheus', logger),
      alertmanager: endpointReader(config, 'alertmanager', logger),
      grafana: endpointReader(config, 'grafana', logger),
    };
    operator = await startOperator({
      ...config,
      ...asked,
      readText,
      manifests: manifestSource(config.manifests),
      clock,
      logger,
      telemetry,
    });
    const started = operator;
    const isLost = await ended(termination.signal, started.lost);
    if (isLost) logger.error({}, 'leadership was lost: another process takes over');
    const close = (signal: AbortSignal) => servers.close(signal);
    await closeInOrder(
      [
        { name: 'operator', limitMs: CLOSING_MAX_MS, close: () => started.stop() },
        { name: 'servers', limitMs: 2_000, close },
      ],
      { clock, logger },
    );
    return isLost ? FAILED_EXIT_CODE : 0;
  } catch (error) {
    const isKnown = error instanceof ListenError || error instanceof EndpointFileError;
    logger.error(isKnown ? {} : { err: error }, isKnown ? error.message : 'the start has failed');
    return FAILED_EXIT_CODE;
  } finally {
    eventLoop.stop();
    termination.dispose();
  }
}

/** @returns true when leadership was lost, false when somebody asked the process to end */
function ended(termination: AbortSignal, lost: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    termination.addEventListener('abort', () => resolve(false), { once: true });
    lost.addEventListener('abort', () => resolve(true), { once: true });
    if (termination.aborted) resolve(false);
  });
}

/** A file that cannot be read for a moment, while it is rotated, does not stop the watch: the last good ones serve. */
function endpointReader(
  config: Config,
  name: 'prometheus' | 'alertmanager' | 'grafana',
  logger: Logger,
): () => ServerEndpoint | undefined {
  const settings = config[name];
  if (settings === undefined) return () => undefined;
  const load = () => loadEndpoint(name, settings, readText);
  let known = { endpoint: load(), untilMs: systemClock.monotonic() + CREDENTIALS_FRESH_MS };
  return () => {
    const now = systemClock.monotonic();
    if (known.untilMs > now) return known.endpoint;
    known = { ...known, untilMs: now + CREDENTIALS_FRESH_MS };
    try {
      known = { ...known, endpoint: load() };
    } catch (error) {
      if (!(error instanceof EndpointFileError)) throw error;
      logger.error({}, `${error.message}; the credentials read before stay in use`);
    }
    return known.endpoint;
  };
}
