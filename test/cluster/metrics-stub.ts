/** A stub for Prometheus that answers every query with one series, or with none, has no other API, and takes whatever else is posted. */

import { createServer, type IncomingHttpHeaders } from 'node:http';
import { listenLocally } from '#test/local-server.ts';

export interface MetricsStub {
  readonly url: string;
  stop(): void;
}

/** @param valueOf what a query of this request is answered with; undefined is no series */
export async function startMetricsStub(
  valueOf: (headers: IncomingHttpHeaders) => number | undefined,
): Promise<MetricsStub> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      response.setHeader('content-type', 'application/json');
      if (request.url?.startsWith('/api/v1/') !== true) {
        response.end('{}');
        return;
      }
      // A backend may know nothing but queries, and says so.
      if (!/^\/api\/v1\/query(_range)?$/.test(request.url.split('?')[0] ?? '')) {
        response.statusCode = 404;
        response.end(
          JSON.stringify({ status: 'error', errorType: 'not_found', error: 'no such API' }),
        );
        return;
      }
      const data = dataOf(new URLSearchParams(body), valueOf(request.headers));
      response.end(JSON.stringify({ status: 'success', data }));
    });
  });
  return await listenLocally(server);
}

function dataOf(form: URLSearchParams, value: number | undefined): object {
  const [start, end, step] = ['start', 'end', 'step'].map((name) => Number(form.get(name)));
  if (form.has('time')) {
    const result =
      value === undefined ? [] : [{ metric: {}, value: [Number(form.get('time')), String(value)] }];
    return { resultType: 'vector', result };
  }
  if (value === undefined) return { resultType: 'matrix', result: [] };
  const values: [number, string][] = [];
  for (let at = start ?? 0; at <= (end ?? 0); at += step ?? 1) values.push([at, String(value)]);
  return { resultType: 'matrix', result: [{ metric: {}, values }] };
}
