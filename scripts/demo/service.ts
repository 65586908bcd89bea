/**
 * The sample service that the demo rolls out: a checkout that answers in a few milliseconds, counts what it answers with
 * prom-client, and begins to fail when told so. It runs as a process of its own, one for each version:
 *
 *   node service.ts --version v2 --namespace shop --service checkout-green --address 192.0.2.22 --port 8080 --admin-port 9090
 *
 * The port is for customers. The admin port has /metrics for Prometheus, and /fault: POST {"errorRate": 0.2} makes a fifth
 * of all answers a 500, POST {"errorRate": 0} mends it.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { Counter, Histogram, Registry } from 'prom-client';

/** Says who answered, as many a service does behind a gateway. */
export const versionHeader = 'x-checkout-version';
/** What a customer waits for: this long, and up to as much again. */
const workMinMs = 4;
const bucketsSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
/** Longer than the hour after which Envoy closes an idle connection. */
const keepAliveMs = 2 * 3_600_000;
/** A control request is a number in JSON; more than this is a mistake. */
const controlBytesMax = 1_000;

export interface ServiceIdentity {
  readonly version: string;
  readonly namespace: string;
  /** The Kubernetes Service that leads here. */
  readonly service: string;
}

export interface SampleService {
  readonly traffic: Server;
  readonly admin: Server;
}

/** Both servers, not yet listening. */
export function createSampleService(identity: ServiceIdentity): SampleService {
  const registry = new Registry();
  // The application names itself, so that the same queries work with whatever labels a Prometheus gives its targets.
  registry.setDefaultLabels({ namespace: identity.namespace, service: identity.service });
  const requests = new Counter({
    name: 'http_requests_total',
    help: 'Answers to customers, by status code.',
    labelNames: ['code'],
    registers: [registry],
  });
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from a request to its answer.',
    buckets: bucketsSeconds,
    registers: [registry],
  });
  // There from the first scrape on, so that no request is lost to rate(). A series of failures appears with the first failure.
  requests.inc({ code: '200' }, 0);
  let errorRate = 0;

  const serve = async (response: ServerResponse): Promise<void> => {
    const endTimer = durations.startTimer();
    await sleep(workMinMs * (1 + Math.random()));
    const code = Math.random() < errorRate ? 500 : 200;
    response.writeHead(code, {
      'content-type': 'application/json',
      [versionHeader]: identity.version,
    });
    response.end(`${JSON.stringify({ version: identity.version, ok: code === 200 })}\n`);
    requests.inc({ code: String(code) });
    endTimer();
  };
  const control = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.url === '/metrics') {
      response.writeHead(200, { 'content-type': registry.contentType });
      response.end(await registry.metrics());
      return;
    }
    if (request.url !== '/fault') {
      response.writeHead(404).end('there are /metrics and /fault\n');
      return;
    }
    if (request.method === 'POST') {
      const asked = parseErrorRate(await readBody(request));
      if (typeof asked === 'string') {
        response.writeHead(400).end(`${asked}\n`);
        return;
      }
      errorRate = asked;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify({ errorRate })}\n`);
  };
  const traffic = createServer((_request, response) => settle(serve(response), response));
  // Whoever waits longer closes: a service that closes in the moment in which Envoy sends makes a 503.
  traffic.keepAliveTimeout = keepAliveMs;
  return {
    traffic,
    admin: createServer((request, response) => settle(control(request, response), response)),
  };
}

/** The rate, or a sentence that says what is wrong. */
function parseErrorRate(text: string): number | string {
  const known = '{"errorRate": 0.2}';
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return `the body must be JSON such as ${known}, but it is ${JSON.stringify(text)}`;
  }
  const rate: unknown =
    typeof body === 'object' && body !== null ? Reflect.get(body, 'errorRate') : undefined;
  if (typeof rate === 'number' && rate >= 0 && rate <= 1) return rate;
  return `errorRate must be a number from 0 to 1, such as ${known}, but it is ${JSON.stringify(rate)}`;
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of request.setEncoding('utf8')) {
    text += String(part);
    if (text.length > controlBytesMax) return text.slice(0, controlBytesMax);
  }
  return text;
}

function settle(work: Promise<void>, response: ServerResponse): void {
  work.catch((error: unknown) => {
    console.error(error);
    response.destroy();
  });
}

/** The process: listens until it is asked to end. */
export async function runSampleService(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      version: { type: 'string' },
      namespace: { type: 'string' },
      service: { type: 'string' },
      address: { type: 'string', default: '0.0.0.0' },
      port: { type: 'string', default: '8080' },
      'admin-port': { type: 'string', default: '9090' },
    },
  });
  const { version, namespace, service, address, port } = values;
  if (version === undefined || namespace === undefined || service === undefined) {
    throw new Error('the sample service needs --version, --namespace and --service');
  }
  const { traffic, admin } = createSampleService({ version, namespace, service });
  traffic.listen(Number(port), address);
  admin.listen(Number(values['admin-port']), address);
  await Promise.all([once(traffic, 'listening'), once(admin, 'listening')]);
  console.log(`${service} ${version} listens on ${address}:${port}`);
  const stop = () => {
    for (const server of [traffic, admin]) server.close(() => undefined);
    for (const server of [traffic, admin]) server.closeIdleConnections();
    // Envoy keeps its connections open; what is under way has a moment to end.
    setTimeout(() => process.exit(0), 200).unref();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

if (import.meta.main) await runSampleService(process.argv.slice(2));
