/** The sample suite of examples/, as a process against servers that are well or ill: what is broken fails, and is named. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { SuiteOutcome } from '#ports/suite-runner.ts';
import { createSampleService } from '#scripts/demo/service.ts';
import { lastJunit } from '#suites/junit-log.ts';
import { readOutcome } from '#suites/suite-report.ts';

const script = join(import.meta.dirname, '../examples/health-suite/suite.mjs');
/** Times are for the machine that runs a service, not for the one that runs tests. */
const patient = {
  LATENCY_P50_MS: '30000',
  LATENCY_P95_MS: '30000',
  LATENCY_MAX_MS: '30000',
  BURST_MS: '30000',
  REQUEST_MAX_MS: '30000',
};
const servers: Server[] = [];
let folder = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'genesis-suite-'));
});
after(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await rm(folder, { recursive: true, force: true });
});

async function listen(server: Server): Promise<string> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Ran {
  readonly code: number | null;
  /** What the operator reads in each of the two. */
  readonly byJson: SuiteOutcome;
  readonly byJunit: SuiteOutcome;
  readonly log: string;
}

async function runSuite(env: Readonly<Record<string, string>>): Promise<Ran> {
  const file = join(folder, 'result.json');
  const child = spawn(process.execPath, [script], {
    env: { ...patient, RESULT_FILE: file, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let log = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (log += text));
  const [code] = (await once(child, 'close')) as [number | null];
  const junit = lastJunit(`starting\n${log}`);
  assert.ok(junit.type === 'document', log);
  const byJson = readOutcome(await readFile(file, 'utf8'), []);
  await rm(file);
  return { code, byJson, byJunit: readOutcome(junit.text, []), log };
}

function countsOf(outcome: SuiteOutcome): readonly number[] {
  assert.ok(outcome.type === 'done', JSON.stringify(outcome));
  const { total, passed, failed, skipped } = outcome;
  return [total, passed, failed, skipped];
}

function failuresOf(outcome: SuiteOutcome): readonly string[] {
  return outcome.type === 'done' ? outcome.failures.toSorted() : [];
}

/** Everything wrong that a service can do while it goes on answering. */
const wrongs = [
  'answers_to_HEAD_without_a_body',
  'answers_with_json',
  'counts_its_requests',
  'exports_metrics',
  'has_a_clock_that_is_right',
  'hides_what_it_is_made_with',
  'keeps_a_connection_open',
  'names_no_error',
  'says_that_it_is_ok',
  'says_the_same_version_in_its_header',
  'sets_no_cookie',
  'takes_an_unexpected_body',
];

/** Ill in every one of these ways, and well otherwise. */
function ill(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  if (request.url === '/metrics') {
    response.write(
      'http_request_duration_seconds_bucket{le="1"} 1\nhttp_requests_total{code="200"} 7\n',
    );
    response.end();
    return;
  }
  if (request.method === 'HEAD' || request.method === 'POST') {
    response.writeHead(500, { connection: 'close' }).end();
    return;
  }
  response.writeHead(200, {
    'content-type': 'text/plain',
    connection: 'close',
    date: 'Sat, 01 Jan 2000 00:00:00 GMT',
    'x-powered-by': 'luck',
    'set-cookie': 'a=b',
    'x-checkout-version': 'v1',
  });
  response.end(JSON.stringify({ version: 'v2', ok: false, error: 'a <little> & more' }));
}

describe('the sample suite', () => {
  test('has 36 tests, which a service that is well passes, and tells it in both ways', async () => {
    const service = { version: 'v2', namespace: 'shop', service: 'checkout' };
    const { traffic, admin } = createSampleService(service);
    const [SERVICE_URL, METRICS_URL] = [await listen(traffic), await listen(admin)];
    const env = { SERVICE_URL, METRICS_URL, WANTED_VERSION: 'v2' };
    const { code, byJson, byJunit, log } = await runSuite(env);
    assert.deepEqual(countsOf(byJson), [36, 36, 0, 0], log);
    assert.deepEqual(byJunit, byJson);
    assert.equal(code, 0);
    const other = await runSuite({ SERVICE_URL, WANTED_VERSION: 'v3' });
    assert.deepEqual(countsOf(other.byJson), [36, 32, 1, 3]);
    assert.deepEqual(countsOf(other.byJunit), [36, 32, 1, 3]);
    assert.deepEqual(failuresOf(other.byJson), ['is_the_wanted_version']);
    assert.equal(other.code, 1);
  });

  test('names each thing that is wrong, and nothing else', async () => {
    const url = await listen(createServer(ill));
    const { code, byJson, byJunit } = await runSuite({ SERVICE_URL: url, METRICS_URL: url });
    assert.deepEqual(failuresOf(byJson), wrongs);
    const classed = wrongs.map((name) => `service.${name}`);
    assert.deepEqual(failuresOf(byJunit), classed);
    assert.deepEqual(countsOf(byJunit), countsOf(byJson));
    assert.equal(code, 1);
  });

  test('fails by its times where the service is slow', async () => {
    const slow = createServer((_, response) => {
      setTimeout(() => response.end('{"version":"v2","ok":true}'), 40);
    });
    const env = { SERVICE_URL: await listen(slow), LATENCY_P50_MS: '20', LATENCY_P95_MS: '20' };
    const { byJson } = await runSuite(env);
    const slowOnes = failuresOf(byJson).filter((name) => name.startsWith('is_quick'));
    assert.deepEqual(slowOnes, ['is_quick_as_a_rule', 'is_quick_nearly_always']);
  });

  test('fails as a whole, at once, where nobody answers', async () => {
    const gone = createServer();
    const SERVICE_URL = await listen(gone);
    gone.close();
    await once(gone, 'close');
    const { code, byJson, byJunit } = await runSuite({ SERVICE_URL });
    assert.deepEqual(countsOf(byJson), [36, 0, 32, 4]);
    assert.deepEqual(countsOf(byJunit), [36, 0, 32, 4]);
    assert.equal(code, 1);
  });
});
