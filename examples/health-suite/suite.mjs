/**
 * A health suite of 36 tests of one HTTP service, each of which asks the service itself. No dependencies; Node 20 or newer.
 *
 *   SERVICE_URL=http://checkout-canary node suite.mjs
 *
 *   SERVICE_URL      what customers ask
 *   METRICS_URL      where it exports metrics; without it these tests are skipped
 *   WANTED_VERSION   which version must answer; without it this test is skipped
 *   LATENCY_P50_MS, LATENCY_P95_MS, LATENCY_MAX_MS, BURST_MS   limits of times, in milliseconds
 *   REQUEST_MAX_MS   when a request is given up
 *   RESULT_FILE      where totals go as JSON, at most 4,096 bytes; default: the termination message of a pod; empty: nowhere
 *
 * JUnit XML of every test goes to standard output, at the end and in one piece. Exit code: 0 when no test has failed, 1 when one has.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';

const { env } = process;
const serviceUrl = new URL(env.SERVICE_URL ?? 'http://localhost:8080');
assert.equal(
  serviceUrl.protocol,
  'http:',
  `SERVICE_URL must begin with http:, but is ${serviceUrl}`,
);
const limits = {
  p50Ms: Number(env.LATENCY_P50_MS ?? 100),
  p95Ms: Number(env.LATENCY_P95_MS ?? 300),
  maxMs: Number(env.LATENCY_MAX_MS ?? 1_000),
  burstMs: Number(env.BURST_MS ?? 2_000),
};
const REQUEST_MAX_MS = Number(env.REQUEST_MAX_MS ?? 3_000);
const TEST_MAX_MS = 4 * REQUEST_MAX_MS;
const TERMINATION_BYTES_MAX = 4_096;

const agent = new Agent({ keepAlive: true });
let first;
/** The one answer that many tests look at. */
const answer = () => (first ??= ask('/'));
const json = async () => JSON.parse((await answer()).text);
let measured;
/** Times of twenty requests, one after the other, ascending. */
const times = () => (measured ??= measure(20));
let exported;
const metrics = () => (exported ??= scrape());

const tests = {
  // An answer
  answers: () => answer(),
  answers_with_200: async () => assert.equal((await answer()).status, 200),
  answers_with_json: async () => assert.match(await header('content-type'), /^application\/json\b/),
  has_a_body_that_is_json: () => json(),
  has_a_body_that_is_an_object: async () =>
    assert.equal(Object.getPrototypeOf(await json()), Object.prototype),
  has_a_small_body: async () => assert.ok((await answer()).text.length <= 65_536),
  says_that_it_is_ok: async () => assert.equal((await json()).ok, true),
  says_its_version: async () => assert.match((await json()).version, /./),
  says_the_same_version_in_its_header: async () =>
    assert.equal(await header('x-checkout-version'), (await json()).version),
  is_the_wanted_version: async ({ skip }) => {
    if (!env.WANTED_VERSION) skip('WANTED_VERSION is not set');
    assert.equal((await json()).version, env.WANTED_VERSION);
  },
  names_no_error: async () => assert.equal((await json()).error, undefined),
  has_a_clock_that_is_right: async () => {
    const { headers, atMs } = await answer();
    assert.ok(Math.abs(Date.parse(headers.date) - atMs) < 60_000, `it says ${headers.date}`);
  },
  shows_no_stack_trace: async () =>
    assert.doesNotMatch((await answer()).text, /\bat .+:\d+:\d+|Traceback/),
  hides_what_it_is_made_with: async () =>
    assert.equal((await answer()).headers['x-powered-by'], undefined),
  sets_no_cookie: async () => assert.equal((await answer()).headers['set-cookie'], undefined),

  // Other requests than the plain one
  answers_the_same_again: async () => assert.equal((await ask('/')).text, (await answer()).text),
  answers_to_HEAD_without_a_body: async () => {
    const { status, text } = await ask('/', { method: 'HEAD' });
    assert.deepEqual([status, text], [200, '']);
  },
  answers_with_a_query: async () =>
    assert.equal((await ask('/?utm_source=mail&x=%F0%9F%9B%92')).status, 200),
  answers_with_cookies: async () =>
    assert.equal((await ask('/', { headers: { cookie: 'a=b; c=d' } })).status, 200),
  answers_with_a_long_header: async () =>
    assert.equal((await ask('/', { headers: { 'x-trace': 'x'.repeat(4_096) } })).status, 200),
  answers_who_accepts_anything: async () =>
    assert.equal((await ask('/', { headers: { accept: '*/*' } })).status, 200),
  takes_an_unknown_path: async () => noServerError(await ask('/no/such/path')),
  takes_a_long_path: async () => noServerError(await ask(`/${'x'.repeat(2_000)}`)),
  takes_a_path_that_climbs: async () => noServerError(await ask('/../../etc/passwd')),
  takes_an_unexpected_method: async () => noServerError(await ask('/', { method: 'OPTIONS' })),
  takes_an_unexpected_body: async () =>
    noServerError(await ask('/', { method: 'POST', body: '{"not":"expected"}' })),

  // Connections
  keeps_a_connection_open: async () => {
    const own = new Agent({ keepAlive: true, maxSockets: 1 });
    await ask('/', { agent: own });
    const { reused } = await ask('/', { agent: own });
    own.destroy();
    assert.ok(reused, 'the second request needed a connection of its own');
  },
  closes_a_connection_when_asked: async () => {
    const { headers } = await ask('/', { agent: false, headers: { connection: 'close' } });
    assert.equal(headers.connection, 'close');
  },
  survives_what_is_no_http: async () => {
    await sendGarbage();
    assert.equal((await ask('/')).status, 200);
  },

  // Times
  is_quick_as_a_rule: async () => within(at(await times(), 0.5), limits.p50Ms),
  is_quick_nearly_always: async () => within(at(await times(), 0.95), limits.p95Ms),
  is_never_slow: async () => within(at(await times(), 1), limits.maxMs),
  serves_twenty_at_once: async () => {
    const startedAt = performance.now();
    const statuses = await Promise.all(
      Array.from({ length: 20 }, async () => (await ask('/')).status),
    );
    assert.deepEqual(statuses, Array(20).fill(200));
    within(performance.now() - startedAt, limits.burstMs);
  },

  // Metrics
  exports_metrics: async ({ skip }) => {
    if (!env.METRICS_URL) skip('METRICS_URL is not set');
    const { status, headers } = await metrics();
    assert.equal(status, 200);
    // Without a content type Prometheus 3 refuses the scrape.
    assert.match(headers['content-type'] ?? '', /^(text\/plain|application\/openmetrics-text)\b/);
  },
  exports_its_times: async ({ skip }) => {
    if (!env.METRICS_URL) skip('METRICS_URL is not set');
    assert.match((await metrics()).text, /^http_request_duration_seconds_bucket\{/m);
  },
  counts_its_requests: async ({ skip }) => {
    if (!env.METRICS_URL) skip('METRICS_URL is not set');
    const before = requestsIn((await scrape()).text);
    for (let count = 0; count < 5; count += 1) await ask('/');
    const after = requestsIn((await scrape()).text);
    assert.ok(after - before >= 5, `it counted ${after - before} of 5`);
  },
};

class Skipped extends Error {}
const skip = (why) => {
  throw new Skipped(why);
};

const results = [];
for (const [name, test] of Object.entries(tests)) results.push(await run(name, test));
agent.destroy();
const named = (outcome) => results.filter((one) => one.outcome === outcome).map(({ name }) => name);
const failures = named('failed');
const totals = {
  total: results.length,
  passed: named('passed').length,
  failed: failures.length,
  skipped: named('skipped').length,
};
if (env.RESULT_FILE !== '') writeResult(env.RESULT_FILE);
process.exitCode = failures.length === 0 ? 0 : 1;
process.stdout.write(junit());

async function run(name, test) {
  const startedAt = performance.now();
  let timer;
  const tooLong = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${TEST_MAX_MS} ms`)), TEST_MAX_MS);
  });
  let outcome = 'passed';
  let message = '';
  try {
    await Promise.race([test({ skip }), tooLong]);
  } catch (error) {
    outcome = error instanceof Skipped ? 'skipped' : 'failed';
    message = error.message === '' ? String(error.code ?? error) : error.message;
  }
  clearTimeout(timer);
  return { name, outcome, message, seconds: (performance.now() - startedAt) / 1_000 };
}

function ask(
  path,
  { method = 'GET', headers = {}, body, agent: own = agent, base = serviceUrl } = {},
) {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const { hostname, port } = base;
    // Not as a URL, which would tidy the path up.
    const prefix = base.pathname.replace(/\/$/, '');
    const asked = request({ hostname, port, path: prefix + path, method, headers, agent: own });
    asked.setTimeout(REQUEST_MAX_MS, () =>
      asked.destroy(new Error(`no answer within ${REQUEST_MAX_MS} ms`)),
    );
    asked.on('error', reject);
    asked.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => (text += part));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode: status, headers: got } = response;
        const tookMs = performance.now() - startedAt;
        resolve({
          status,
          headers: got,
          text,
          tookMs,
          atMs: Date.now(),
          reused: asked.reusedSocket,
        });
      });
    });
    asked.end(body);
  });
}

async function header(name) {
  return (await answer()).headers[name] ?? '';
}

async function measure(count) {
  const found = [];
  while (found.length < count) found.push((await ask('/')).tookMs);
  return found.sort((a, b) => a - b);
}

/** The nearest rank. */
function at(sorted, quantile) {
  return sorted[Math.max(0, Math.ceil(quantile * sorted.length) - 1)];
}

function within(tookMs, limitMs) {
  assert.ok(tookMs <= limitMs, `it took ${Math.round(tookMs)} ms, and may take ${limitMs} ms`);
}

function noServerError({ status }) {
  assert.ok(status < 500, `it answered ${status}`);
}

/** Whatever it answers, and if it only closes. */
async function sendGarbage() {
  const socket = connect(Number(serviceUrl.port || 80), serviceUrl.hostname);
  socket.setTimeout(2_000, () => socket.destroy());
  socket.on('error', () => undefined).resume();
  socket.end('this is no HTTP\r\n\r\n');
  await once(socket, 'close');
}

async function scrape() {
  const base = new URL(env.METRICS_URL);
  const path = base.pathname === '/' ? '/metrics' : '';
  return await ask(path, { base });
}

function requestsIn(text) {
  const lines = text.match(/^http_requests_total\{.*\} \S+$/gm) ?? [];
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

/** Of many long names as many as there is room for. */
function writeResult(file = '/dev/termination-log') {
  for (let count = failures.length; count >= 0; count -= 1) {
    const text = JSON.stringify({ ...totals, failures: failures.slice(0, count) });
    if (Buffer.byteLength(text) > TERMINATION_BYTES_MAX) continue;
    try {
      // Outside a pod there is none, and none shall be made.
      writeFileSync(file, text, { flag: file === env.RESULT_FILE ? 'w' : 'r+' });
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
    return;
  }
}

function junit() {
  const seconds = results.reduce((sum, one) => sum + one.seconds, 0);
  const counts = `tests="${totals.total}" failures="${totals.failed}" skipped="${totals.skipped}" time="${seconds.toFixed(3)}"`;
  const cases = results.map(({ name, outcome, message, seconds: took }) => {
    const attributes = `classname="service" name="${name}" time="${took.toFixed(3)}"`;
    if (outcome === 'passed') return `    <testcase ${attributes}/>`;
    const element = outcome === 'skipped' ? 'skipped' : 'failure';
    return `    <testcase ${attributes}><${element} message="${escaped(message)}"/></testcase>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites ${counts}>
  <testsuite name="service" ${counts}>
${cases.join('\n')}
  </testsuite>
</testsuites>
`;
}

function escaped(text) {
  return text
    .slice(0, 1_000)
    .replace(/[^\t\n\r\x20-\uD7FF\uE000-\uFFFD]/g, '?')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/\s+/g, ' ');
}
