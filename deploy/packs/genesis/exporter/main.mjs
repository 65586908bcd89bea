/**
 * The sample exporter of the pack: runs both benchmarks every few seconds and serves what they measured.
 *
 *   PORT=9464 INTERVAL_MS=5000 node main.mjs
 *
 *   GET  /metrics   the text format of Prometheus
 *   GET  /health    200 while both benchmarks have had a round in the last minute
 *   GET  /work      does one task and one deduplication, and is counted as a request
 *   POST /run       the health suite: 36 tests, totals as JSON
 */
import { createServer } from 'node:http';
import { Worker } from 'node:worker_threads';
import { contentType, Metrics } from './exposition.mjs';
import { runSuite } from './health-suite.mjs';
import { createLangmem } from './langmem.mjs';
import { createMeasures } from './measure.mjs';
import { createOsworld } from './osworld.mjs';

const port = Number(process.env.PORT ?? 9464);
const host = process.env.HOST;
const intervalMs = Number(process.env.INTERVAL_MS ?? 5_000);
const STALE_MS = Math.max(60_000, 3 * intervalMs);

const metrics = new Metrics();
const requests = metrics.counter('genesis_requests_total', 'Requests, by outcome.', [
  { outcome: 'ok' },
  { outcome: 'error' },
]);
const durations = metrics.histogram(
  'genesis_request_duration_seconds',
  'Time of a request.',
  [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5],
);
const measures = createMeasures(metrics);
const newest = { osworld: 0, langmem: 0 };

const workers = Object.entries(measures).map(([benchmark, measure]) => {
  const url = new URL('./worker.mjs', import.meta.url);
  const workerData = { benchmark, langmem: { ttlMs: 12 * intervalMs } };
  const worker = new Worker(url, { workerData, resourceLimits: { maxYoungGenerationSizeMb: 4 } });
  worker.on('message', (figures) => {
    measure(figures);
    newest[benchmark] = performance.now();
  });
  worker.on('error', (error) => {
    process.stderr.write(`${benchmark}: ${error.stack}\n`);
    process.exitCode = 1;
    stop();
  });
  worker.postMessage('round');
  return worker;
});
const timer = setInterval(() => {
  for (const worker of workers) worker.postMessage('round');
}, intervalMs);

/** Of the requests, apart from the benchmarks that are measured. */
const served = { osworld: createOsworld(7), langmem: createLangmem({ seed: 8 }) };

const routes = {
  'GET /metrics': (_request, response) => {
    response.writeHead(200, { 'content-type': contentType });
    response.end(metrics.text());
  },
  'GET /health': (_request, response) => {
    const now = performance.now();
    const stale = Object.entries(newest).filter(([, at]) => at === 0 || now - at > STALE_MS);
    response.writeHead(stale.length === 0 ? 200 : 503, { 'content-type': 'text/plain' });
    response.end(
      stale.length === 0 ? 'ok\n' : `no round of ${stale.map(([name]) => name).join(', ')}\n`,
    );
  },
  'GET /work': (_request, response) => {
    const [task] = served.osworld.round(1);
    const { duplicates } = served.langmem.round(1);
    json(response, { passed: task.passed, steps: task.steps, duplicates });
  },
  'POST /run': (_request, response) => json(response, runSuite()),
};

const server = createServer((request, response) => {
  const startedAt = performance.now();
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const route = routes[`${request.method} ${pathname}`];
  if (route === undefined) {
    response.writeHead(404).end();
    return;
  }
  try {
    route(request, response);
  } catch (error) {
    process.stderr.write(`${error.stack}\n`);
    if (!response.headersSent) response.writeHead(500);
    response.end();
  }
  if (pathname !== '/work') return;
  response.on('close', () => {
    requests.add(1, { outcome: response.statusCode < 500 ? 'ok' : 'error' });
    durations.observe((performance.now() - startedAt) / 1000);
  });
});

server.listen(port, host, () => {
  process.stdout.write(`listening on port ${server.address().port}\n`);
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop);

function json(response, value) {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(value)}\n`);
}

function stop() {
  clearInterval(timer);
  for (const worker of workers) void worker.terminate();
  server.close();
  server.closeAllConnections();
}
