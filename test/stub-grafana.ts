/**
 * A stand-in for Grafana, which is not at hand where these tests run: it speaks as much of its HTTP API as is asked of it here
 * (health, data sources, dashboards, library panels, queries) and carries each query to the Prometheus that it is given, with
 * Grafana's own variables filled in, its frames, and its answer 400 when one query fails. It shows nothing, and it is no proof
 * that a real Grafana answers the same.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { z } from 'zod';
import { listenLocally } from './local-server.ts';

export interface StubGrafana {
  readonly url: string;
  /** By uid; what is changed here is answered from then on. */
  readonly dashboards: Map<string, object>;
  readonly libraryPanels: Map<string, object>;
  /** `GET /api/health` and so on, in order. */
  readonly requests: readonly string[];
  stop(): void;
}

export interface StubGrafanaOptions {
  /** What its only data source, `prometheus`, asks. */
  readonly prometheusUrl: string;
  readonly dashboards?: Readonly<Record<string, object>>;
  /** Without it every request is answered 401. */
  readonly token?: string;
  /** The scrape interval that its data source is told of. */
  readonly scrapeIntervalMs?: number;
}

const query = z.looseObject({
  refId: z.string(),
  datasource: z.object({ uid: z.string().optional(), type: z.string().optional() }).optional(),
  expr: z.string().default(''),
  instant: z.boolean().default(false),
  intervalMs: z.number().default(1_000),
  maxDataPoints: z.number().default(100),
  hide: z.boolean().default(false),
});

const queries = z.object({
  queries: z.array(query),
  from: z.coerce.number(),
  to: z.coerce.number(),
});

type Query = z.output<typeof query>;

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export const stubDatasource = {
  uid: 'prometheus-uid',
  name: 'Prometheus',
  type: 'prometheus',
  isDefault: true,
};

export async function startStubGrafana(options: StubGrafanaOptions): Promise<StubGrafana> {
  const dashboards = new Map(Object.entries(options.dashboards ?? {}));
  const libraryPanels = new Map<string, object>();
  const requests: string[] = [];
  const answer = async (request: IncomingMessage): Promise<Answer> => {
    const { pathname, search } = new URL(request.url ?? '/', 'http://grafana');
    requests.push(`${request.method} ${pathname}`);
    if (pathname === '/api/health') {
      return { status: 200, body: { database: 'ok', version: '12.3.0', commit: 'none' } };
    }
    const isKnown =
      options.token === undefined || request.headers.authorization === `Bearer ${options.token}`;
    if (!isKnown) return { status: 401, body: { message: 'Invalid API key' } };
    if (pathname === '/api/datasources') return { status: 200, body: [stubDatasource] };
    const resource = `/api/datasources/uid/${stubDatasource.uid}/resources`;
    if (pathname.startsWith(`${resource}/`)) {
      const response = await fetch(
        `${options.prometheusUrl}${pathname.slice(resource.length)}${search}`,
      );
      return { status: response.status, body: await response.json() };
    }
    if (pathname === '/api/ds/query' && request.method === 'POST') {
      return await askAll(queries.parse(JSON.parse(await bodyOf(request))), options);
    }
    const [, uid] = /^\/api\/dashboards\/uid\/([^/]+)$/.exec(pathname) ?? [];
    if (uid !== undefined)
      return named(dashboards, uid, 'Dashboard', (dashboard) => ({ dashboard, meta: {} }));
    const [, element] = /^\/api\/library-elements\/([^/]+)$/.exec(pathname) ?? [];
    if (element !== undefined) {
      return named(libraryPanels, element, 'library element', (model) => ({ result: { model } }));
    }
    return { status: 404, body: { message: 'Not found' } };
  };
  const respond = (response: ServerResponse, { status, body }: Answer): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const server = createServer((request, response) => {
    answer(request).then(
      (told) => respond(response, told),
      (error: unknown) => respond(response, { status: 500, body: { message: String(error) } }),
    );
  });
  const { url, stop } = await listenLocally(server);
  return { url, dashboards, libraryPanels, requests, stop };
}

function named(
  all: ReadonlyMap<string, object>,
  uid: string,
  what: string,
  wrap: (found: object) => object,
): Answer {
  const found = all.get(decodeURIComponent(uid));
  if (found !== undefined) return { status: 200, body: wrap(found) };
  return { status: 404, body: { message: `${what} not found` } };
}

interface Window {
  readonly from: number;
  readonly to: number;
}

async function askAll(
  { queries: all, ...window }: z.output<typeof queries>,
  options: StubGrafanaOptions,
): Promise<Answer> {
  const foreign = all.find((one) => one.datasource?.uid !== stubDatasource.uid);
  if (foreign !== undefined) return { status: 404, body: { message: 'data source not found' } };
  const results = await Promise.all(
    all
      .filter(({ hide }) => !hide)
      .map(async (one) => [one.refId, await askOne(one, window, options)] as const),
  );
  const isWell = results.every(([, { error }]) => error === undefined);
  return { status: isWell ? 200 : 400, body: { results: Object.fromEntries(results) } };
}

interface Result {
  readonly status: number;
  readonly error?: string;
  readonly frames: readonly object[];
}

const series = z.object({
  metric: z.record(z.string(), z.string()),
  value: z.tuple([z.number(), z.string()]).optional(),
  values: z.array(z.tuple([z.number(), z.string()])).optional(),
});

const prometheusAnswer = z.union([
  z.object({
    status: z.literal('success'),
    data: z.object({ resultType: z.enum(['vector', 'matrix']), result: z.array(series) }),
  }),
  z.object({
    status: z.literal('success'),
    data: z.object({
      resultType: z.literal('scalar'),
      result: z.tuple([z.number(), z.string()]),
    }),
  }),
  z.object({ status: z.literal('error'), errorType: z.string(), error: z.string() }),
]);

async function askOne(
  one: Query,
  { from, to }: Window,
  options: StubGrafanaOptions,
): Promise<Result> {
  const stepMs = Math.max(one.intervalMs, Math.ceil((to - from) / one.maxDataPoints));
  const expr = fillOwn(one.expr, { rangeMs: to - from, stepMs, ...options });
  const form = one.instant
    ? { query: expr, time: String(to / 1000) }
    : {
        query: expr,
        // Aligned to the step, as Grafana does it.
        start: String((Math.floor(from / stepMs) * stepMs) / 1000),
        end: String((Math.floor(to / stepMs) * stepMs) / 1000),
        step: String(stepMs / 1000),
      };
  const path = one.instant ? 'query' : 'query_range';
  const response = await fetch(`${options.prometheusUrl}/api/v1/${path}`, {
    method: 'POST',
    body: new URLSearchParams(form),
    signal: AbortSignal.timeout(10_000),
  });
  const told = prometheusAnswer.parse(await response.json());
  if (told.status === 'error') {
    return { status: 400, error: `${told.errorType}: ${told.error}`, frames: [] };
  }
  const { data } = told;
  const found = data.resultType === 'scalar' ? [{ metric: {}, value: data.result }] : data.result;
  return { status: 200, frames: found.map((line) => frameOf(line, one, stepMs)) };
}

/** NaN and the infinities are no JSON: they are null, and named beside. */
function frameOf(
  { metric, value, values }: z.output<typeof series>,
  one: Query,
  stepMs: number,
): object {
  const points = values ?? (value === undefined ? [] : [value]);
  const numbers = points.map(([, text]) => Number(text.replace('Inf', 'Infinity')));
  const notFinite = numbers.flatMap((number, index) => (Number.isFinite(number) ? [] : [index]));
  const config = one.instant ? {} : { config: { interval: stepMs } };
  return {
    schema: {
      refId: one.refId,
      fields: [
        { name: 'Time', type: 'time', typeInfo: { frame: 'time.Time' }, ...config },
        { name: 'Value', type: 'number', typeInfo: { frame: 'float64' }, labels: metric },
      ],
    },
    data: {
      values: [
        points.map(([seconds]) => Math.round(seconds * 1000)),
        numbers.map((number) => (Number.isFinite(number) ? number : null)),
      ],
      ...(notFinite.length === 0 ? {} : { entities: [null, { NaN: notFinite }] }),
    },
  };
}

function fillOwn(
  expr: string,
  given: { readonly rangeMs: number; readonly stepMs: number; readonly scrapeIntervalMs?: number },
): string {
  const { rangeMs, stepMs, scrapeIntervalMs = 15_000 } = given;
  const own: Readonly<Record<string, string>> = {
    __interval: `${stepMs}ms`,
    __interval_ms: String(stepMs),
    __range: `${Math.round(rangeMs / 1000)}s`,
    __range_s: String(Math.round(rangeMs / 1000)),
    __range_ms: String(rangeMs),
    __rate_interval: `${Math.max(stepMs + scrapeIntervalMs, 4 * scrapeIntervalMs)}ms`,
  };
  return expr.replaceAll(
    /\$(__\w+)|\$\{(__\w+)\}/g,
    (found, plain?: string, braced?: string) => own[plain ?? braced ?? ''] ?? found,
  );
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}
