/** Requests to URLs of users, against a real server: what is an answer, what is none, and what is never asked. */
import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '#runtime/clock.ts';
import { createWeb, type Web } from './web.ts';

let server: Server;
let base = '';
let connections = 0;
let hits = 0;
const web = createWeb(systemClock, { allowLoopback: true });

const answers: Readonly<Record<string, RequestListener>> = {
  '/ok': (_, response) => response.end('fine'),
  '/redirect': (_, response) => response.writeHead(302, { location: '/ok' }).end(),
  '/long': (_, response) => response.end('x'.repeat(1000)),
  '/silent': () => undefined,
  '/broken': (request) => request.socket.destroy(),
};

before(async () => {
  server = createServer((request, response) => {
    hits += 1;
    answers[request.url ?? '']?.(request, response);
  });
  server.on('connection', () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

after(async () => {
  await web.close();
  server.closeAllConnections();
  server.close();
});

const ask = (path: string, by: Web = web, signal = new AbortController().signal) =>
  by.ask({ method: 'GET', url: `${base}${path}`, limitMs: 500, bytesMax: 100 }, signal);

describe('a request', () => {
  test('brings status and text', async () => {
    const answer = await ask('/ok');
    assert.deepEqual(answer, {
      type: 'answer',
      status: 200,
      contentType: '',
      text: 'fine',
      isCut: false,
    });
  });

  test('goes on a connection of its own each time', async () => {
    const had = connections;
    await ask('/ok');
    await ask('/ok');
    assert.equal(connections, had + 2);
  });

  test('is not redirected', async () => {
    const had = hits;
    const answer = await ask('/redirect');
    assert.equal(answer.type === 'answer' && answer.status, 302);
    assert.equal(hits, had + 1);
  });

  test('reads no more than it is told', async () => {
    const answer = await ask('/long');
    assert.ok(answer.type === 'answer' && answer.isCut);
    assert.ok(answer.text.length <= 100);
  });

  test('without an answer in time is a timeout', async () => {
    assert.equal((await ask('/silent')).type, 'timeout');
  });

  test('whose connection breaks is unreachable', async () => {
    assert.equal((await ask('/broken')).type, 'unreachable');
  });

  test('to nobody is unreachable', async () => {
    const free = createServer();
    await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    const url = `http://127.0.0.1:${port}/`;
    const { signal } = new AbortController();
    const answer = await web.ask({ method: 'GET', url, limitMs: 500, bytesMax: 1 }, signal);
    assert.equal(answer.type, 'unreachable');
    assert.match(answer.message, /ECONNREFUSED/);
  });

  test('that is called off says nothing of the other side', async () => {
    const controller = new AbortController();
    const answer = ask('/silent', web, controller.signal);
    controller.abort();
    assert.equal((await answer).type, 'notAsked');
  });

  test('to the loopback is never sent unless it is allowed, by number or by name', async () => {
    const strict = createWeb(systemClock, { allowLoopback: false });
    const had = connections;
    const { signal } = new AbortController();
    for (const url of [base, base.replace('127.0.0.1', 'localhost')]) {
      const answer = await strict.ask({ method: 'GET', url, limitMs: 500, bytesMax: 1 }, signal);
      assert.equal(answer.type, 'notAsked');
    }
    assert.equal(connections, had);
    await strict.close();
  });
});
