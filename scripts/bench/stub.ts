/**
 * The metric source of the benchmark: an HTTP server that answers Prometheus queries from a table of faults. It runs
 * as a process of its own, so that its work is not counted as the controller's.
 *
 * GET /stats counts what was asked; POST /faults `{"<rollout>": sinceMs}` makes rollouts fail from then on.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { pathToFileURL } from 'node:url';

export interface StubStats {
  readonly instants: number;
  readonly ranges: number;
}

/** What a failing and a healthy rollout measure; the benchmark's trigger is `> 0.5`. */
const FAILING = 1;
const HEALTHY = 0;

interface State {
  instants: number;
  ranges: number;
  readonly names: Set<string>;
  readonly faults: Map<string, number>;
}

async function main(): Promise<void> {
  // However the benchmark ends, its end of the pipe closes.
  process.stdin.resume().once('end', () => process.exit());
  const state: State = { instants: 0, ranges: 0, names: new Set(), faults: new Map() };
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => answer(state, request.url ?? '', body, response));
  });
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}

function answer(state: State, url: string, body: string, response: ServerResponse): void {
  const send = (value: unknown) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(value));
  };
  if (url === '/stats') return send({ instants: state.instants, ranges: state.ranges });
  if (url === '/names') {
    for (const name of JSON.parse(body) as string[]) state.names.add(name);
    return send({});
  }
  if (url === '/faults') {
    for (const [name, sinceMs] of Object.entries(JSON.parse(body) as Record<string, number>)) {
      state.faults.set(name, sinceMs);
    }
    return send({});
  }
  if (!/^\/api\/v1\/query(_range)?(\?|$)/.test(url)) {
    response.statusCode = 404;
    return send({ status: 'error', errorType: 'not_found', error: 'no such API' });
  }
  const form = new URLSearchParams(body);
  return url.startsWith('/api/v1/query_range')
    ? send(range(state, form))
    : send(instant(state, form));
}

/** What a check of the metric chain asks for to see that Prometheus answers at all. */
const ANY_ANSWER = 'vector(1)';
/** The only metric there is: no alert fires, nothing else is scraped. */
const METRIC = 'errors';

/** The rollouts a query is about: the one it names, or all; none where it asks for something else. */
function namesOf(state: State, query: string): readonly string[] {
  if (!query.includes(METRIC)) return [];
  const named = /rollout="([^"]+)"/.exec(query)?.[1];
  return named === undefined ? [...state.names] : [named];
}

function valueAt(state: State, name: string, atMs: number): string {
  const sinceMs = state.faults.get(name);
  return String(sinceMs !== undefined && atMs >= sinceMs ? FAILING : HEALTHY);
}

function instant(state: State, form: URLSearchParams): unknown {
  state.instants += 1;
  const time = Number(form.get('time'));
  const query = form.get('query') ?? '';
  const vector = (result: unknown) => ({
    status: 'success',
    data: { resultType: 'vector', result },
  });
  if (query === ANY_ANSWER) return vector([{ metric: {}, value: [time, '1'] }]);
  return vector(
    namesOf(state, query).map((rollout) => ({
      metric: { rollout },
      value: [time, valueAt(state, rollout, time * 1000)],
    })),
  );
}

function range(state: State, form: URLSearchParams): unknown {
  state.ranges += 1;
  const [start, end, step] = ['start', 'end', 'step'].map((name) => Number(form.get(name)));
  const result = namesOf(state, form.get('query') ?? '').map((rollout) => {
    const values: [number, string][] = [];
    for (let time = start ?? 0; time <= (end ?? 0); time += step ?? 1) {
      values.push([time, valueAt(state, rollout, time * 1000)]);
    }
    return { metric: { rollout }, values };
  });
  return { status: 'success', data: { resultType: 'matrix', result } };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
