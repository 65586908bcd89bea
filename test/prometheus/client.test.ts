/** The metric source against a fake server: what is sent, what comes back, and every fault in between. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { InstantAnswer, QueryFault } from '#ports/metric-source.ts';
import {
  apiError,
  type Behaviour,
  json,
  matrix,
  sample,
  startFakePrometheus,
  success,
  vector,
} from './fake-prometheus.ts';
import { endpointOf, forever, testSource } from './source.ts';

const AT_MS = 1_700_000_000_250;

async function answerTo(
  behaviour: Behaviour,
  options: Parameters<typeof testSource>[0] = {},
): Promise<InstantAnswer> {
  await using server = await startFakePrometheus({ respond: () => behaviour });
  await using source = testSource(options);
  return await source.instant(endpointOf(server.url), 'up', AT_MS, forever);
}

describe('an instant answer', () => {
  const rows: readonly (readonly [string, Behaviour, readonly object[]])[] = [
    ['an empty vector is no samples', vector([]), []],
    [
      'one sample has its own time and labels',
      vector([sample('0.25', { job: 'a' }, 1700000000.123)]),
      [{ labels: { job: 'a' }, value: 0.25, atMs: 1_700_000_000_123 }],
    ],
    [
      'NaN is passed on',
      vector([sample('NaN')]),
      [{ labels: {}, value: Number.NaN, atMs: 1_000_000 }],
    ],
    [
      'infinities are passed on',
      vector([sample('+Inf'), sample('-Inf', { a: 'b' })]),
      [
        { labels: {}, value: Infinity, atMs: 1_000_000 },
        { labels: { a: 'b' }, value: -Infinity, atMs: 1_000_000 },
      ],
    ],
    [
      'exponents are read',
      vector([sample('1.5e-07')]),
      [{ labels: {}, value: 1.5e-7, atMs: 1_000_000 }],
    ],
    [
      'a scalar is one sample without labels',
      success({ resultType: 'scalar', result: [1000, '42'] }),
      [{ labels: {}, value: 42, atMs: 1_000_000 }],
    ],
    [
      'PromQL warnings are no missing data',
      vector([sample('1')], {
        warnings: [
          'PromQL warning: bucket label "le" is missing or has a malformed value of "" (1:25)',
        ],
      }),
      [{ labels: {}, value: 1, atMs: 1_000_000 }],
    ],
    [
      'PromQL infos are no missing data',
      vector([sample('1')], {
        infos: ['PromQL info: metric might not be a counter'],
        warnings: ['PromQL info: metric might not be a counter, name does not end in _total'],
      }),
      [{ labels: {}, value: 1, atMs: 1_000_000 }],
    ],
    [
      'isPartial false is a whole answer',
      vector([sample('1')], { isPartial: false }),
      [{ labels: {}, value: 1, atMs: 1_000_000 }],
    ],
  ];
  for (const [name, behaviour, samples] of rows) {
    test(name, async () => {
      const answer = await answerTo(behaviour);
      assert.deepEqual(answer.type === 'samples' ? answer.samples : answer, samples);
    });
  }
});

describe('a failed answer', () => {
  const html = (status: number, headers: Record<string, string> = {}): Behaviour => ({
    type: 'answer',
    status,
    headers: { 'content-type': 'text/html; charset=utf-8', ...headers },
    text: '<html><h1>Bad Gateway</h1></html>',
  });
  const rows: readonly (readonly [string, Behaviour, QueryFault, RegExp])[] = [
    [
      'bad_data is a bad query',
      apiError(
        400,
        'bad_data',
        'invalid parameter "query": 1:5: parse error: unclosed left parenthesis',
      ),
      'badQuery',
      /answered 400 bad_data: invalid parameter "query": 1:5: parse error/,
    ],
    [
      'execution is a bad query',
      apiError(
        422,
        'execution',
        'found duplicate series for the match group {} on the right hand-side',
      ),
      'badQuery',
      /answered 422 execution: found duplicate series/,
    ],
    [
      'too many samples are too large',
      apiError(
        422,
        'execution',
        'query processing would load too many samples into memory in query execution',
      ),
      'tooLarge',
      /too many samples/,
    ],
    [
      'too many points are too large',
      apiError(
        400,
        'bad_data',
        'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
      ),
      'tooLarge',
      /11,000 points/,
    ],
    [
      "Mimir's limits are too large",
      apiError(
        422,
        'execution',
        'the query exceeded the maximum number of chunks fetched per query (limit: 2000000) (err-mimir-max-chunks-per-query)',
      ),
      'tooLarge',
      /err-mimir-max-chunks/,
    ],
    [
      "Prometheus' cost limit is too large",
      apiError(422, 'cost_limit', 'query cost 5 over the limit'),
      'tooLarge',
      /cost_limit/,
    ],
    [
      'a store behind Thanos that is down is partial',
      apiError(
        422,
        'execution',
        'expanding series: proxy Series(): Addr: 10.0.0.1:10901: rpc error: code = Unavailable',
      ),
      'partial',
      /expanding series/,
    ],
    [
      'the server ran out of time',
      apiError(503, 'timeout', 'query timed out in expression evaluation'),
      'timeout',
      /answered 503 timeout: query timed out/,
    ],
    [
      'the server is shutting down',
      apiError(499, 'canceled', 'query was canceled in query execution'),
      'unreachable',
      /canceled/,
    ],
    [
      'the server is starting',
      apiError(500, 'unavailable', 'TSDB not ready'),
      'unreachable',
      /TSDB not ready/,
    ],
    [
      'an internal error',
      apiError(500, 'internal', 'read /data: input/output error'),
      'unreachable',
      /input\/output error/,
    ],
    [
      "an error type of somebody else's goes by its status",
      apiError(
        429,
        'too_many_requests',
        'the request has been rejected because the tenant exceeded the limit',
      ),
      'refused',
      /too_many_requests/,
    ],
    [
      "VictoriaMetrics' numeric error type goes by its status",
      json({ status: 'error', errorType: '422', error: 'cannot parse query' }, 422),
      'badQuery',
      /cannot parse query/,
    ],
    [
      'data beside an error is not believed',
      json({
        status: 'error',
        errorType: 'execution',
        error: 'broken',
        data: { resultType: 'vector', result: [sample('1')] },
      }),
      'badQuery',
      /broken/,
    ],
    [
      'an error under status 200 is an error',
      json({ status: 'error', errorType: 'timeout', error: 'late' }),
      'timeout',
      /late/,
    ],
    [
      'success under status 500 is an error',
      json({ status: 'success', data: { resultType: 'vector', result: [] } }, 500),
      'unreachable',
      /answered 500/,
    ],
    [
      'Thanos answered in part',
      vector([sample('1')], {
        warnings: [
          'receive series from Addr: 10.0.0.1:10901 LabelSets: {}: rpc error: code = DeadlineExceeded',
        ],
      }),
      'partial',
      /in part: receive series from Addr/,
    ],
    [
      'one true warning among annotations is partial',
      vector([], { warnings: ['PromQL warning: x', 'No StoreAPIs matched for this query'] }),
      'partial',
      /in part: No StoreAPIs matched/,
    ],
    [
      'an annotation that was left out may have been a true warning',
      vector([], { warnings: ['PromQL warning: x', '3 more warning annotations omitted'] }),
      'partial',
      /3 more warning annotations/,
    ],
    ['a warning that is no text is partial', vector([], { warnings: [{}] }), 'partial', /in part/],
    [
      'VictoriaMetrics answered in part',
      vector([sample('1')], { isPartial: true }),
      'partial',
      /in part: some of its storage/,
    ],
    [
      'a native histogram is no number',
      vector([{ metric: {}, histogram: [1000, { count: '1', sum: '1', buckets: [] }] }]),
      'badQuery',
      /native histogram, which is no number; use histogram_quantile/,
    ],
    [
      'a matrix is no instant value',
      matrix([]),
      'badQuery',
      /a range of values; wrap it in a function/,
    ],
    [
      'a string is no value',
      success({ resultType: 'string', result: [1000, 'a'] }),
      'badQuery',
      /a string/,
    ],
    [
      'an unknown result type',
      success({ resultType: 'tensor', result: [] }),
      'badQuery',
      /"tensor"/,
    ],
    [
      'a value that is a number in JSON',
      vector([{ metric: {}, value: [1000, 1] }]),
      'refused',
      /JSON that is not Prometheus'/,
    ],
    [
      'a value that is no number',
      vector([sample('one')]),
      'refused',
      /JSON that is not Prometheus'/,
    ],
    ['an empty value', vector([sample(' ')]), 'refused', /JSON that is not Prometheus'/],
    [
      'a label that is no text',
      vector([{ metric: { a: 1 }, value: [1, '1'] }]),
      'refused',
      /JSON that is not Prometheus'/,
    ],
    [
      'a result that is no list',
      success({ resultType: 'vector', result: {} }),
      'refused',
      /JSON that is not Prometheus'/,
    ],
    ['no data', json({ status: 'success' }), 'refused', /JSON that is not Prometheus'/],
    ["somebody else's JSON", json({ hello: 'world' }), 'refused', /JSON that is not Prometheus'/],
    [
      'half of the JSON',
      {
        type: 'answer',
        headers: { 'content-type': 'application/json' },
        text: '{"status":"success","data":{"resu',
      },
      'unreachable',
      /broke off: 33 bytes of JSON/,
    ],
    ['an empty body', { type: 'answer', text: '' }, 'refused', /not in Prometheus' JSON/],
    [
      'a log-in page',
      html(200),
      'refused',
      /answered 200, but not in Prometheus' JSON \(text\/html\); is this a Prometheus, or a log-in page/,
    ],
    ["a proxy's 502", html(502), 'unreachable', /answered 502 \(text\/html\)/],
    [
      "a proxy's 503",
      {
        type: 'answer',
        status: 503,
        headers: { 'content-type': 'text/plain' },
        text: 'upstream connect error\n or disconnect',
      },
      'unreachable',
      /answered 503: upstream connect error or disconnect/,
    ],
    ["a proxy's 504", html(504), 'timeout', /answered 504/],
    [
      'a wrong path prefix',
      {
        type: 'answer',
        status: 404,
        headers: { 'content-type': 'text/plain' },
        text: '404 page not found\n',
      },
      'refused',
      /answered 404: 404 page not found; the url must be the part before \/api\/v1\/query/,
    ],
    [
      'wrong credentials',
      html(401),
      'refused',
      /answered 401 \(text\/html\); check basicAuth, bearerToken or headers/,
    ],
    ['missing rights', html(403), 'refused', /may not query/],
    ['too many requests', { type: 'answer', status: 429, text: '' }, 'refused', /answered 429/],
    ['a form that is too large', html(413), 'tooLarge', /answered 413/],
    [
      'a redirect is not followed',
      html(302, { location: 'https://user:pw@login.example/auth?state=abcdef' }),
      'refused',
      /answered 302 with a redirect to https:\/\/login\.example\/auth; redirects are not followed/,
    ],
    [
      'control characters are not passed on',
      apiError(400, 'bad_data', 'a\u001b[31m\nb\u0000c'),
      'badQuery',
      /: a \[31m b c$/,
    ],
  ];
  for (const [name, behaviour, fault, message] of rows) {
    test(name, async () => {
      const answer = await answerTo(behaviour);
      assert.equal(answer.type, 'error', JSON.stringify(answer));
      assert.equal(answer.fault, fault, answer.message);
      assert.match(answer.message, /^Prometheus at http:\/\/127\.0\.0\.1:\d+ \w/);
      assert.match(answer.message, message);
    });
  }

  test('long words of the server are cut', async () => {
    const answer = await answerTo(apiError(400, 'bad_data', 'x'.repeat(5_000)));
    assert.ok(answer.type === 'error' && answer.message.length < 400);
  });
});

describe('a range answer', () => {
  const window = { startMs: 10_000, endMs: 70_500, stepMs: 15_000 };
  const rows: readonly (readonly [string, Behaviour, unknown])[] = [
    ['no series', matrix([]), []],
    [
      'points keep their gaps',
      matrix([
        {
          metric: { a: 'b' },
          values: [
            [10, '1'],
            [40, 'NaN'],
            [55.5, '+Inf'],
          ],
        },
      ]),
      [
        {
          labels: { a: 'b' },
          points: [
            { atMs: 10_000, value: 1 },
            { atMs: 40_000, value: Number.NaN },
            { atMs: 55_500, value: Infinity },
          ],
        },
      ],
    ],
    [
      'a series of native histograms is a bad query',
      matrix([{ metric: {}, values: [], histograms: [[10, {}]] }]),
      'badQuery',
    ],
    ['a vector is a bad query', vector([]), 'badQuery'],
    ['a point that is none', matrix([{ metric: {}, values: [[10]] }]), 'refused'],
    ['a series without values', matrix([{ metric: {} }]), 'refused'],
    ['a partial answer', matrix([], { isPartial: true }), 'partial'],
  ];
  for (const [name, behaviour, want] of rows) {
    test(name, async () => {
      await using server = await startFakePrometheus({ respond: () => behaviour });
      await using source = testSource();
      const answer = await source.range(endpointOf(server.url), 'up', window, forever);
      assert.deepEqual(answer.type === 'series' ? answer.series : answer.fault, want);
    });
  }
});

describe('what is sent', () => {
  test('an instant query is a POST form with an explicit time and a time limit below ours', async () => {
    await using server = await startFakePrometheus();
    await using source = testSource({ timeoutMs: 4_000 });
    await source.instant(endpointOf(server.url), 'sum(rate(a{b="ü&+"}[5m]))', AT_MS, forever);
    const [request] = server.requests;
    assert.ok(request);
    assert.equal(`${request.method} ${request.path}${request.search}`, 'POST /api/v1/query');
    assert.equal(request.headers['content-type'], 'application/x-www-form-urlencoded');
    assert.equal(request.headers['accept-encoding'], 'identity');
    const { timeout, ...form } = request.form;
    assert.deepEqual(form, {
      query: 'sum(rate(a{b="ü&+"}[5m]))',
      time: '1700000000.250',
      partial_response: 'false',
      dedup: 'true',
      max_source_resolution: '0s',
    });
    assert.ok(Number(timeout) > 3 && Number(timeout) <= 3.6, `timeout=${timeout}`);
  });

  test('a range query has start, end and step', async () => {
    await using server = await startFakePrometheus({ respond: () => matrix([]) });
    await using source = testSource();
    await source.range(
      endpointOf(server.url),
      'up',
      { startMs: 1_500, endMs: 61_500, stepMs: 15_000 },
      forever,
    );
    const [request] = server.requests;
    assert.equal(request?.path, '/api/v1/query_range');
    const { query, start, end, step, time } = request.form;
    assert.deepEqual(
      { query, start, end, step, time },
      { query: 'up', start: '1.500', end: '61.500', step: '15.000', time: undefined },
    );
  });

  const urls: readonly (readonly [string, string])[] = [
    ['', '/api/v1/query'],
    ['/', '/api/v1/query'],
    ['/prometheus', '/prometheus/api/v1/query'],
    ['/select/0:3/prometheus/', '/select/0:3/prometheus/api/v1/query'],
    ['/p?extra_label=team%3Da&nocache=1', '/p/api/v1/query?extra_label=team%3Da&nocache=1'],
  ];
  for (const [suffix, want] of urls) {
    test(`the url "…${suffix}" is asked at ${want}`, async () => {
      await using server = await startFakePrometheus();
      await using source = testSource();
      const answer = await source.instant(
        endpointOf(`${server.url}${suffix}`),
        'up',
        AT_MS,
        forever,
      );
      assert.equal(answer.type, 'samples', JSON.stringify(answer));
      assert.equal(`${server.requests[0]?.path}${server.requests[0]?.search}`, want);
    });
  }

  test('headers of the endpoint are sent', async () => {
    await using server = await startFakePrometheus();
    await using source = testSource();
    const headers = { 'X-Scope-OrgID': 'a|b', Authorization: 'Bearer token-1' };
    await source.instant(endpointOf(server.url, { headers }), 'up', AT_MS, forever);
    assert.equal(server.requests[0]?.headers['x-scope-orgid'], 'a|b');
    assert.equal(server.requests[0]?.headers['authorization'], 'Bearer token-1');
  });

  test('a server that refuses unknown fields is asked again without them, and then always', async () => {
    const refusal = json(
      {
        error: {
          code: 400,
          message:
            'Invalid JSON payload received. Unknown name "partial_response": Cannot bind query parameter.',
        },
      },
      400,
    );
    await using server = await startFakePrometheus({
      respond: ({ form }) => ('partial_response' in form ? refusal : vector([sample('1')])),
    });
    await using source = testSource();
    for (const atMs of [1_000, 2_000]) {
      const answer = await source.instant(endpointOf(server.url), 'up', atMs, forever);
      assert.equal(answer.type, 'samples', JSON.stringify(answer));
    }
    assert.deepEqual(
      server.requests.map(({ form }) => 'partial_response' in form),
      [true, false, false],
    );
  });

  const badUrls: readonly (readonly [string, RegExp])[] = [
    ['prometheus:9090', /the scheme prometheus; http and https are allowed/],
    ['file:///etc/passwd', /the scheme file; http and https are allowed/],
    ['not a url', /"not a url" is not a URL/],
    [
      'http://user:hunter2@prometheus:9090',
      /the URL of prometheus:9090 contains a user or password; use basicAuth/,
    ],
    ['user:hunter2@prometheus', /not shown/],
    ['http://prometheus:9090/#/graph', /fragment/],
  ];
  for (const [url, message] of badUrls) {
    test(`the url ${url} is refused, and nothing is sent`, async () => {
      await using source = testSource();
      const answer = await source.instant(endpointOf(url), 'up', AT_MS, forever);
      assert.ok(answer.type === 'error' && answer.fault === 'refused');
      assert.match(answer.message, message);
      assert.doesNotMatch(answer.message, /hunter2/);
    });
  }
});

describe('secrets', () => {
  const basic = `Basic ${Buffer.from('genesis:hunter2-secret').toString('base64')}`;
  const endpoints = [
    { headers: { Authorization: basic }, search: '' },
    { headers: { Authorization: 'Bearer abc.def.ghi' }, search: '' },
    { headers: { 'X-Api-Key': 'key-0123456789' }, search: '?token=qwertz1234' },
  ];
  for (const { headers, search } of endpoints) {
    test(`a server that repeats ${Object.keys(headers).join()} does not bring it into our message`, async () => {
      await using server = await startFakePrometheus({
        respond: (request) =>
          apiError(
            400,
            'bad_data',
            `${JSON.stringify(request.headers)} ${request.search} genesis:hunter2-secret`,
          ),
      });
      await using source = testSource();
      const answer = await source.instant(
        endpointOf(`${server.url}/${search}`, { headers }),
        'up',
        AT_MS,
        forever,
      );
      assert.ok(answer.type === 'error');
      assert.match(answer.message, /\*\*\*/);
      for (const secret of [basic.slice(6), 'abc.def.ghi', 'key-0123456789', 'qwertz1234']) {
        assert.ok(!answer.message.includes(secret), answer.message);
      }
      if (headers.Authorization === basic) assert.doesNotMatch(answer.message, /hunter2/);
    });
  }
});
