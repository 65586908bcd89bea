/** What the network can do to a question: refuse, hang, drip, cut, flood; and how many go out at once. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { InstantAnswer, QueryFault } from '#ports/metric-source.ts';
import type { QueryReport } from '#prometheus/client.ts';
import { systemClock } from '#runtime/clock.ts';
import {
  apiError,
  type Behaviour,
  sample,
  startFakePrometheus,
  vector,
} from './fake-prometheus.ts';
import { endpointOf, eventually, forever, testSource } from './source.ts';

const one = vector([sample('1')]);

describe('a broken exchange', () => {
  const rows: readonly (readonly [string, Behaviour, QueryFault, RegExp])[] = [
    ['a server that never answers', { type: 'hang' }, 'timeout', /did not answer within 0\.3 s$/],
    [
      'a server that stops after the headers',
      { type: 'hangInBody' },
      'timeout',
      /did not answer within 0\.3 s$/,
    ],
    [
      'a server that drips',
      { type: 'drip', text: '{"status":"success"}', everyMs: 100 },
      'timeout',
      /did not answer within 0\.3 s$/,
    ],
    [
      'a server that cuts every connection',
      { type: 'reset' },
      'unreachable',
      /closed the connection without an answer \(.*(ECONNRESET|other side closed)/,
    ],
    [
      'a server that cuts in mid-answer',
      { type: 'cut', text: '{"status":"success","data":{}}' },
      'unreachable',
      /cannot be reached \(.+\)$/,
    ],
    [
      'a server that never ends',
      { type: 'flood' },
      'tooLarge',
      /more than 50000 bytes; let the query return fewer series/,
    ],
    [
      'a server that announces too much',
      { type: 'answer', headers: { 'content-length': '50001' }, text: ' '.repeat(50_001) },
      'tooLarge',
      /more than 50000 bytes/,
    ],
  ];
  for (const [name, behaviour, fault, message] of rows) {
    test(name, async () => {
      await using server = await startFakePrometheus({ respond: () => behaviour });
      await using source = testSource({ timeoutMs: 300, responseBytesMax: 50_000 });
      const begunAt = systemClock.monotonic();
      const answer = await source.instant(endpointOf(server.url), 'up', 1, forever);
      const tookMs = systemClock.monotonic() - begunAt;
      assert.ok(answer.type === 'error', JSON.stringify(answer));
      assert.equal(answer.fault, fault, answer.message);
      assert.match(answer.message, message);
      assert.ok(tookMs < 4_000, `took ${tookMs} ms`);
      await eventually('the server sees the end of it', () => server.open.now === 0);
    });
  }

  test('nobody listens on the port', async () => {
    const server = await startFakePrometheus();
    await server.close();
    await using source = testSource();
    const answer = await source.instant(endpointOf(server.url), 'up', 1, forever);
    assert.ok(answer.type === 'error' && answer.fault === 'unreachable');
    assert.match(answer.message, /cannot be reached \(connect ECONNREFUSED 127\.0\.0\.1:\d+\)$/);
  });

  test('a name that does not exist', async () => {
    await using source = testSource();
    const answer = await source.instant(
      endpointOf('http://nowhere.invalid:9090'),
      'up',
      1,
      forever,
    );
    assert.ok(answer.type === 'error' && answer.fault === 'unreachable', JSON.stringify(answer));
    assert.match(answer.message, /http:\/\/nowhere\.invalid:9090 cannot be reached \(getaddrinfo/);
  });

  test('a header that cannot be sent', async () => {
    await using server = await startFakePrometheus();
    await using source = testSource();
    const endpoint = endpointOf(server.url, { headers: { 'x-token': 'secret\nvalue' } });
    const answer = await source.instant(endpoint, 'up', 1, forever);
    assert.ok(answer.type === 'error' && answer.fault === 'unreachable', JSON.stringify(answer));
    assert.match(answer.message, /invalid x-token header/);
  });
});

describe('keep-alive', () => {
  test('questions one after the other share one or two connections', async () => {
    // Two, because undici lets a connection rest for a turn of the event loop before it is used again.
    await using server = await startFakePrometheus();
    await using source = testSource();
    for (const atMs of [1, 2, 3, 4, 5, 6]) {
      await source.instant(endpointOf(server.url), 'up', atMs, forever);
    }
    assert.ok(server.requests.every(({ connection }) => connection <= 2));
  });

  test('a kept connection that breaks before any byte is tried once more', async () => {
    await using server = await startFakePrometheus({
      respond: (_request, index) => (index === 1 ? { type: 'reset' } : one),
    });
    await using source = testSource();
    for (const atMs of [1, 2]) {
      const answer = await source.instant(endpointOf(server.url), 'up', atMs, forever);
      assert.equal(answer.type, 'samples', JSON.stringify(answer));
    }
    assert.equal(server.requests.length, 3);
  });

  test('and only once', async () => {
    await using server = await startFakePrometheus({ respond: () => ({ type: 'reset' }) });
    await using source = testSource();
    const answer = await source.instant(endpointOf(server.url), 'up', 1, forever);
    assert.equal(answer.type, 'error');
    assert.equal(server.requests.length, 2);
  });

  test('an error of the server is not tried again', async () => {
    await using server = await startFakePrometheus({
      respond: () => apiError(500, 'internal', 'no'),
    });
    await using source = testSource();
    await source.instant(endpointOf(server.url), 'up', 1, forever);
    assert.equal(server.requests.length, 1);
  });

  test('a server that was restarted between two questions answers the second', async () => {
    const first = await startFakePrometheus();
    await using source = testSource();
    const ask = (atMs: number): Promise<InstantAnswer> =>
      source.instant(endpointOf(first.url), 'up', atMs, forever);
    assert.equal((await ask(1)).type, 'samples');
    await first.close();
    const gone = await ask(2);
    assert.ok(gone.type === 'error' && gone.fault === 'unreachable', JSON.stringify(gone));
    await using _second = await startFakePrometheus({ port: Number(new URL(first.url).port) });
    assert.equal((await ask(3)).type, 'samples');
  });
});

describe('the lane', () => {
  const asks = async (howMany: number, concurrencyMax: number) => {
    const gate = Promise.withResolvers<void>();
    await using server = await startFakePrometheus({
      respond: () => ({ type: 'wait', until: gate.promise, next: one }),
    });
    await using source = testSource({ concurrencyMax });
    const answers = Array.from({ length: howMany }, (_, index) =>
      source.instant(endpointOf(server.url), `up + ${index}`, 1, forever),
    );
    await eventually(
      'the lane is full',
      () => server.open.now === Math.min(howMany, concurrencyMax),
    );
    const waiting = source.waiting();
    gate.resolve();
    const types = (await Promise.all(answers)).map(({ type }) => type);
    return {
      most: server.open.most,
      waiting,
      types,
      queries: server.requests.map(({ form }) => form['query']),
    };
  };

  test('no more than concurrencyMax are under way at once, and all get their answer in order', async () => {
    const { most, waiting, types, queries } = await asks(20, 3);
    assert.equal(most, 3);
    assert.equal(waiting, 17);
    assert.deepEqual(
      types,
      Array.from({ length: 20 }, () => 'samples'),
    );
    // The first three go out over three connections, whose order is the network's.
    assert.deepEqual(
      queries
        .slice(3)
        .map((query) => Number(query?.slice(5)))
        .every((index, at) => Math.abs(index - at - 3) < 3),
      true,
    );
  });

  test('an urgent question goes ahead of all that wait', async () => {
    const gate = Promise.withResolvers<void>();
    await using server = await startFakePrometheus({
      respond: (_request, index) =>
        index === 0 ? { type: 'wait', until: gate.promise, next: one } : one,
    });
    await using source = testSource({ concurrencyMax: 1 });
    const endpoint = endpointOf(server.url);
    const answers: Promise<unknown>[] = [1, 2, 3].map((index) =>
      source.instant(endpoint, `up + ${index}`, 1, forever),
    );
    const window = { startMs: 1_000, endMs: 2_000, stepMs: 1_000 };
    answers.push(source.range(endpoint, 'patient', window, forever));
    answers.push(source.range(endpoint, 'urgent', { ...window, urgent: true }, forever));
    await eventually('the first is under way', () => server.open.now === 1);
    gate.resolve();
    await Promise.all(answers);
    assert.deepEqual(
      server.requests.map(({ form }) => form['query']),
      ['up + 1', 'urgent', 'up + 2', 'up + 3', 'patient'],
    );
  });

  test('waiting counts against the deadline, and the message says that it was never asked', async () => {
    await using server = await startFakePrometheus({ respond: () => ({ type: 'hang' }) });
    await using source = testSource({ concurrencyMax: 1, timeoutMs: 200 });
    const [first, second] = await Promise.all(
      ['a', 'b'].map((query) => source.instant(endpointOf(server.url), query, 1, forever)),
    );
    assert.ok(first?.type === 'error' && second?.type === 'error');
    assert.match(first.message, /did not answer within 0\.2 s/);
    assert.match(
      second.message,
      /could not be asked within 0\.2 s: too many queries waited before this one/,
    );
  });

  test('a server that hangs does not delay another', async () => {
    await using hanging = await startFakePrometheus({ respond: () => ({ type: 'hang' }) });
    await using healthy = await startFakePrometheus();
    await using source = testSource({ concurrencyMax: 1 });
    const stop = new AbortController();
    const stuck = source.instant(endpointOf(hanging.url), 'up', 1, stop.signal);
    const answer = await source.instant(endpointOf(healthy.url), 'up', 1, forever);
    assert.equal(answer.type, 'samples');
    stop.abort();
    assert.equal((await stuck).type, 'error');
  });
});

describe('an asker', () => {
  test('who leaves gets an answer at once, and the request is given up', async () => {
    await using server = await startFakePrometheus({ respond: () => ({ type: 'hang' }) });
    await using source = testSource({ timeoutMs: 60_000 });
    const stop = new AbortController();
    const asked = source.instant(endpointOf(server.url), 'up', 1, stop.signal);
    await eventually('it is under way', () => server.open.now === 1);
    stop.abort();
    const answer = await asked;
    assert.ok(answer.type === 'error' && answer.fault === 'timeout');
    assert.match(answer.message, /had not answered when the asker's own time was over/);
    await eventually('the request is given up', () => server.open.now === 0);
  });

  test('who has left before asking sends nothing', async () => {
    await using server = await startFakePrometheus();
    await using source = testSource();
    const answer = await source.instant(endpointOf(server.url), 'up', 1, AbortSignal.abort());
    assert.equal(answer.type, 'error');
    assert.equal(server.requests.length, 0);
  });

  test('who leaves while waiting in the lane is never sent', async () => {
    const gate = Promise.withResolvers<void>();
    await using server = await startFakePrometheus({
      respond: () => ({ type: 'wait', until: gate.promise, next: one }),
    });
    await using source = testSource({ concurrencyMax: 1 });
    const stop = new AbortController();
    const first = source.instant(endpointOf(server.url), 'a', 1, forever);
    const second = source.instant(endpointOf(server.url), 'b', 1, stop.signal);
    stop.abort();
    assert.equal((await second).type, 'error');
    gate.resolve();
    assert.equal((await first).type, 'samples');
    assert.deepEqual(
      server.requests.map(({ form }) => form['query']),
      ['a'],
    );
    assert.equal(source.waiting(), 0);
  });
});

describe('a closed source', () => {
  test('gives an answer to what is under way, and to what is asked after', async () => {
    await using server = await startFakePrometheus({ respond: () => ({ type: 'hang' }) });
    const source = testSource({ timeoutMs: 60_000 });
    const asked = source.instant(endpointOf(server.url), 'up', 1, forever);
    await eventually('it is under way', () => server.open.now === 1);
    await source.close();
    const answers = [await asked, await source.instant(endpointOf(server.url), 'up', 2, forever)];
    for (const answer of answers) assert.equal(answer.type, 'error', JSON.stringify(answer));
    assert.equal(server.requests.length, 1);
  });
});

describe('reports', () => {
  test('one for every question that was carried out', async () => {
    const reports: QueryReport[] = [];
    let shared = 0;
    const observe = {
      answered: (report: QueryReport) => void reports.push(report),
      shared: () => void (shared += 1),
    };
    await using server = await startFakePrometheus({
      respond: ({ form }) => (form['query'] === 'bad' ? apiError(400, 'bad_data', 'no') : one),
    });
    await using source = testSource({ observe });
    const endpoint = endpointOf(server.url);
    await Promise.all([1, 2].map(() => source.instant(endpoint, 'up', 1, forever)));
    await source.instant(endpoint, 'bad', 1, forever);
    await source.range(endpoint, 'up', { startMs: 0, endMs: 1, stepMs: 1 }, forever);
    assert.deepEqual(
      reports.map(({ kind, outcome }) => `${kind} ${outcome}`),
      ['instant ok', 'instant badQuery', 'range badQuery'],
    );
    assert.equal(shared, 1);
    const [ok] = reports;
    assert.ok(ok && ok.bytes > 50 && ok.durationMs > 0 && ok.waitedMs <= ok.durationMs);
  });
});
