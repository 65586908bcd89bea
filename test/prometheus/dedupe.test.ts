/** Which questions are the same to the client: equal endpoint by value, equal text, equal time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '#runtime/clock.ts';
import { apiError, startFakePrometheus, vector } from './fake-prometheus.ts';
import { endpointOf, forever, testSource } from './source.ts';

test('a thousand askers of one question send one request, and equal endpoints are the same', async () => {
  await using server = await startFakePrometheus();
  await using source = testSource();
  const answers = await Promise.all(
    Array.from({ length: 1_000 }, () =>
      source.instant(endpointOf(server.url), 'up', 1_000, forever),
    ),
  );
  assert.ok(answers.every(({ type }) => type === 'samples'));
  assert.equal(server.requests.length, 1);
});

test('another text, time, header, path, kind, step or TLS identity is another question', async () => {
  await using server = await startFakePrometheus();
  await using source = testSource({ concurrencyMax: 1 });
  const window = { startMs: 0, endMs: 1_000, stepMs: 1_000 };
  const plain = endpointOf(server.url);
  await Promise.all([
    source.instant(plain, 'up', 1_000, forever),
    source.instant(plain, 'down', 1_000, forever),
    source.instant(plain, 'up', 2_000, forever),
    source.instant(
      endpointOf(server.url, { headers: { 'x-scope-orgid': 'a' } }),
      'up',
      1_000,
      forever,
    ),
    source.instant(endpointOf(`${server.url}/p`), 'up', 1_000, forever),
    source.instant(endpointOf(server.url, { tls: { serverName: 'x' } }), 'up', 1_000, forever),
    source.range(plain, 'up', window, forever),
    source.range(plain, 'up', { ...window, stepMs: 500 }, forever),
  ]);
  assert.equal(server.requests.length, 8);
});

test('a range that is asked urgently and patiently at once is sent once', async () => {
  await using server = await startFakePrometheus();
  await using source = testSource();
  const window = { startMs: 0, endMs: 1_000, stepMs: 1_000 };
  const endpoint = endpointOf(server.url);
  await Promise.all([
    source.range(endpoint, 'up', window, forever),
    source.range(endpoint, 'up', { ...window, urgent: true }, forever),
  ]);
  assert.equal(server.requests.length, 1);
});

test('a failure is shared by those who ask together', async () => {
  await using server = await startFakePrometheus({
    respond: () => apiError(500, 'internal', 'no'),
  });
  await using source = testSource();
  const endpoint = endpointOf(server.url);
  const answers = await Promise.all(
    [1, 2, 3].map(() => source.instant(endpoint, 'up', 1, forever)),
  );
  assert.ok(answers.every(({ type }) => type === 'error'));
  assert.equal(server.requests.length, 1);
});

test('an answer is kept for keepMs, a failure for a second only', async () => {
  let laterMs = 0;
  const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + laterMs };
  await using server = await startFakePrometheus({
    respond: ({ form }) => (form['query'] === 'bad' ? apiError(500, 'internal', 'no') : vector([])),
  });
  await using source = testSource({ clock, keepMs: 60_000 });
  for (const afterMs of [0, 500, 1_100, 59_000, 61_000]) {
    laterMs = afterMs;
    for (const query of ['bad', 'good']) {
      await source.instant(endpointOf(server.url), query, 1, forever);
    }
  }
  const sent = server.requests.map(({ form }) => form['query']);
  assert.deepEqual(sent, ['bad', 'good', 'bad', 'bad', 'bad', 'good']);
});
