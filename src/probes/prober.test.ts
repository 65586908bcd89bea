/** Probes: the contract over HTTP and over the harness' own, and the memory behind them. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { array, constantFrom, assert as holds, property, record } from 'fast-check';
import { systemClock } from '#runtime/clock.ts';
import { proberContract } from '#test/contracts/prober.contract.ts';
import { SeenProbes } from '#test/seen-probes.ts';
import { createWeb } from '#web/web.ts';
import { createProber } from './prober.ts';
import { Seen } from './seen.ts';

proberContract('over HTTP', async () => {
  let status = 200;
  let hits = 0;
  let mayAsk = true;
  const server = createServer((_, response) => {
    hits += 1;
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const web = createWeb(systemClock, { allowLoopback: true });
  return {
    prober: createProber({
      ask: (question, signal) =>
        mayAsk
          ? web.ask(question, signal)
          : Promise.resolve({ type: 'notAsked', message: 'called off' }),
    }),
    url: `http://127.0.0.1:${port}/health`,
    set: (state) => {
      mayAsk = state !== 'unasked';
      status = state === 'up' ? 200 : 503;
    },
    asked: () => hits,
    close: async () => {
      await web.close();
      await new Promise((resolve) => server.close(resolve));
    },
  };
});

proberContract('of the harness', () => {
  const probes = new SeenProbes();
  let isUp: boolean | undefined;
  let asked = 0;
  return Promise.resolve({
    prober: {
      answer: (_, question) =>
        Promise.resolve(
          probes.answer(question, () => {
            asked += 1;
            return isUp;
          }),
        ),
      forget: () => probes.forget(),
    },
    url: 'http://it',
    set: (state: 'up' | 'down' | 'unasked') => {
      isUp = state === 'unasked' ? undefined : state === 'up';
    },
    asked: () => asked,
    close: () => Promise.resolve(),
  });
});

describe('over HTTP', () => {
  const rows = [
    ['nobody there', { type: 'unreachable', message: 'ECONNREFUSED' }, 0],
    ['no answer in time', { type: 'timeout', message: 'late' }, 0],
    ['a redirect', { type: 'answer', status: 302, contentType: '', text: '', isCut: false }, 0],
    ['another 2xx', { type: 'answer', status: 204, contentType: '', text: '', isCut: false }, 0],
  ] as const;
  for (const [what, answer, is] of rows) {
    test(`${what} is ${is}`, async () => {
      const prober = createProber({ ask: () => Promise.resolve(answer) });
      const rollout = { namespace: 'n', name: 'r' };
      const question = { type: 'probe', url: 'http://u', expectStatus: 200, atMs: 0 } as const;
      const said = await prober.answer(rollout, question, new AbortController().signal);
      assert.equal(said.type === 'samples' && said.samples[0]?.value, is);
    });
  }
});

describe('what was seen', () => {
  test('is kept point by point, however it was pressed together', () => {
    const point = record({
      gap: constantFrom(15, 15, 15, 15, 5, 10, 30, 45),
      value: constantFrom(1, 1, 1, 0),
    });
    holds(
      property(array(point, { maxLength: 80 }), (points) => {
        const seen = new Seen();
        const plain = new Map<number, number>();
        let atMs = 0;
        for (const { gap, value } of points) {
          atMs += gap;
          seen.add(atMs, value);
          plain.set(atMs, value);
        }
        for (let at = 0; at <= atMs + 15; at += 1) assert.equal(seen.at(at), plain.get(at));
      }),
    );
  });

  test('after the clock has stepped back is what is seen from there on', () => {
    const seen = new Seen();
    for (const atMs of [15, 30, 45, 60, 75]) seen.add(atMs, 1);
    seen.add(40, 0);
    assert.deepEqual(
      [15, 30, 40, 45, 60, 75].map((atMs) => seen.at(atMs)),
      [1, 1, 0, undefined, undefined, undefined],
    );
  });

  test('is forgotten after two days', () => {
    const seen = new Seen();
    seen.add(0, 1);
    seen.add(49 * 3_600_000, 0);
    assert.equal(seen.at(0), undefined);
  });
});
