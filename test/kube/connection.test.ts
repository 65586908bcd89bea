/** Connections, credentials and deadlines against a server that misbehaves: the defects of client-node that are not ours. */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '#kube/connect.ts';
import { Exchange, type JsonCall } from '#kube/exchange.ts';
import { ClusterError, type ClusterFault } from '#ports/cluster.ts';
import { silentLogger } from '#ports/logger.ts';
import { Limiter } from '#runtime/limiter.ts';
import { FaultServer, isMethod } from './fault-server.ts';
import { refuse, reply, type SeenRequest } from './server-verbs.ts';
import { until } from './until.ts';
import { VirtualClock } from './virtual-clock.ts';

const PATH = '/api/v1/namespaces/shop/configmaps';
const always = (): boolean => true;

describe('requests', () => {
  let server: FaultServer;
  let clock: VirtualClock;
  let connection: Connection;
  let exchange: Exchange;
  let figures: string[];
  const hosts = new Set<string>();

  beforeEach(async () => {
    server = await FaultServer.start();
    clock = new VirtualClock();
    connect();
  });

  afterEach(async () => {
    await connection.close();
    await server.close();
  });

  function connect(limiter?: Limiter): void {
    const { source } = server;
    const userAgent = 'genesis-rollout/1.2.3';
    connection = new Connection({ source, clock, logger: silentLogger, userAgent });
    figures = [];
    exchange = new Exchange({
      connection,
      clock,
      ...(limiter === undefined ? {} : { limiter }),
      metrics: {
        requested: (method, host, status) => {
          hosts.add(host);
          figures.push(`${method} ${status}`);
        },
        limited: (ms) => figures.push(`limited ${ms}`),
      },
    });
  }

  const ask = (call: Partial<JsonCall> = {}): Promise<unknown> =>
    exchange.json({ method: 'GET', path: PATH, signals: [], ...call });

  async function faultOf(promise: Promise<unknown>): Promise<ClusterError> {
    const error = await promise.then(
      () => assert.fail('was answered'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof ClusterError, String(error));
    return error;
  }

  describe('connections', () => {
    it('50 sequential GETs use at most 2', async () => {
      for (let n = 0; n < 50; n += 1) await ask();
      assert.ok(server.connectionsMade <= 2, `${server.connectionsMade} connections`);
    });

    it('200 GETs at once use at most 32', async () => {
      await Promise.all(Array.from({ length: 200 }, () => ask()));
      assert.equal(server.requests.length, 200);
      assert.ok(server.connectionsMade <= 32, `${server.connectionsMade} connections`);
    });

    it('watches do not take those of requests away', async () => {
      const signal = new AbortController();
      const watches = Array.from({ length: 40 }, () =>
        connection.send({
          method: 'GET',
          path: `${PATH}?watch=true&resourceVersion=1`,
          watch: true,
          signal: signal.signal,
        }),
      );
      const open = await Promise.all(watches);
      await ask();
      signal.abort();
      for (const { body } of open) body.on('error', () => undefined).destroy();
      assert.equal(server.watches.length, 40);
    });

    it('stay when only the token changes, and are made anew when the certificate does', async () => {
      await ask();
      await server.writeKubeconfig({ token: 'second' });
      server.fail(always, (request) => refuse(request, 401, 'Unauthorized'));
      await ask();
      const before = server.connectionsMade;
      // undici opens a second one when a request follows in the same moment.
      assert.ok(before <= 2, `${before} connections`);
      const ca = Buffer.from('another').toString('base64');
      await server.writeKubeconfig({ token: 'third' }, { 'certificate-authority-data': ca });
      await clock.advance(10_000);
      server.fail(always, (request) => refuse(request, 401, 'Unauthorized'));
      await ask();
      await until('the old ones are closed', () => server.connectionsOpen === 1);
      assert.equal(server.connectionsMade, before + 1);
      const tokens = server.requests.map(({ headers }) => headers.authorization?.slice(7));
      assert.deepEqual(tokens, ['first', 'first', 'second', 'second', 'third']);
    });

    it('close all at once, also those in use', async () => {
      server.fail(always, () => undefined);
      const hanging = faultOf(ask());
      await until('asked', () => server.requests.length === 1);
      await connection.close();
      assert.equal((await hanging).fault, 'unavailable');
      assert.equal((await faultOf(ask())).fault, 'unavailable');
      await until('closed', () => server.connectionsOpen === 0);
    });

    it('say who we are, in JSON', async () => {
      await ask();
      const { headers } = server.requests[0] ?? assert.fail();
      assert.equal(headers['user-agent'], 'genesis-rollout/1.2.3');
      assert.equal(headers.accept, 'application/json');
      assert.equal(headers.authorization, 'Bearer first');
    });
  });

  describe('credentials', () => {
    it('401: read anew once, and the request is sent again', async () => {
      await ask();
      await server.writeKubeconfig({ token: 'second' });
      server.fail(always, (request) => refuse(request, 401, 'Unauthorized'));
      await ask();
      const tokens = server.requests.map(({ headers }) => headers.authorization);
      assert.deepEqual(tokens, ['Bearer first', 'Bearer first', 'Bearer second']);
    });

    it('401 for ever: a fault, and no storm on whatever issues credentials', async () => {
      const script = join(server.folder, 'plugin.sh');
      const log = join(server.folder, 'plugin.log');
      const status = { token: 'from-plugin' };
      const answer = {
        kind: 'ExecCredential',
        apiVersion: 'client.authentication.k8s.io/v1',
        status,
      };
      await writeFile(script, `#!/bin/sh\necho run >>${log}\necho '${JSON.stringify(answer)}'\n`);
      await chmod(script, 0o755);
      await server.writeKubeconfig({
        exec: { apiVersion: 'client.authentication.k8s.io/v1', command: script },
      });
      server.fail(always, (request) => refuse(request, 401, 'Unauthorized'), 1_000);
      const faults = await Promise.all(Array.from({ length: 20 }, () => faultOf(ask())));
      assert.ok(faults.every(({ fault }) => fault === 'unauthorized'));
      assert.equal(server.requests.at(-1)?.headers.authorization, 'Bearer from-plugin');
      for (let n = 0; n < 5; n += 1) await faultOf(ask());
      assert.equal((await readFile(log, 'utf8')).trim().split('\n').length, 2);
    });

    it('a token file is trimmed, a password becomes a header', async () => {
      await server.writeKubeconfig({ username: 'ada', password: 'love' });
      connect();
      await ask();
      const expected = `Basic ${Buffer.from('ada:love').toString('base64')}`;
      assert.equal(server.requests[0]?.headers.authorization, expected);
    });

    it('a kubeconfig that is gone: the known ones are used on, and a first one is a fault', async () => {
      await ask();
      const whole = await readFile(join(server.folder, 'kubeconfig'), 'utf8');
      await writeFile(join(server.folder, 'kubeconfig'), 'nonsense: [');
      await clock.advance(120_000);
      await ask();
      await ask();
      assert.equal(server.requests.length, 3);
      await connection.close();
      connect();
      assert.equal((await faultOf(ask())).fault, 'unavailable');
      await writeFile(join(server.folder, 'kubeconfig'), whole);
      await ask();
    });

    it('are renewed beside the requests, and used by the next one', async () => {
      await ask();
      await server.writeKubeconfig({ token: 'second' });
      const script = join(server.folder, 'slow.sh');
      const status = { token: 'from-plugin' };
      const answer = {
        kind: 'ExecCredential',
        apiVersion: 'client.authentication.k8s.io/v1',
        status,
      };
      await writeFile(script, `#!/bin/sh\nsleep 0.2\necho '${JSON.stringify(answer)}'\n`);
      await chmod(script, 0o755);
      await server.writeKubeconfig({
        exec: { apiVersion: 'client.authentication.k8s.io/v1', command: script },
      });
      // A 401 makes us run the plugin; a minute later it is run again, and nobody waits for it.
      server.fail(always, (request) => refuse(request, 401, 'Unauthorized'));
      await ask();
      await clock.advance(61_000);
      const startedMs = performance.now();
      await ask();
      assert.ok(performance.now() - startedMs < 150, 'the request waited for the plugin');
      assert.equal(server.requests.at(-1)?.headers.authorization, 'Bearer from-plugin');
    });

    it('an address that is no URL is named', async () => {
      await server.writeKubeconfig({}, { server: 'https://undefined:undefined' });
      const { message } = await faultOf(ask());
      assert.match(
        message,
        /address "https:\/\/undefined:undefined" is no URL; in a pod it is made of/,
      );
    });

    it('a context that does not exist is named', async () => {
      const path = join(server.folder, 'kubeconfig');
      const source = { type: 'file', path, context: 'prod' } as const;
      connection = new Connection({ source, clock, logger: silentLogger, userAgent: 'x' });
      exchange = new Exchange({ connection, clock });
      assert.match(
        (await faultOf(ask())).message,
        /no context "prod" in the kubeconfig; it has: test/,
      );
    });
  });

  describe('deadlines', () => {
    const hung: readonly (readonly [string, (request: SeenRequest) => void])[] = [
      ['headers that never come', () => undefined],
      ['a body that never ends', ({ response }) => void response.writeHead(200).write('{"kind":')],
    ];
    for (const [what, fault] of hung) {
      it(`a hung server is given up after the deadline: ${what}`, async () => {
        server.fail(always, fault);
        const asked = faultOf(ask({ limitMs: 5_000 }));
        await until('asked', () => server.requests.length === 1);
        await sleep(10);
        await clock.advance(5_001);
        const error = await asked;
        assert.equal(error.fault, 'timeout');
        assert.match(error.message, /no answer within 5000 ms/);
        await until('the socket is closed', () => server.connectionsOpen === 0);
        assert.equal(clock.timerCount, 0);
      });
    }

    it('every request has one, also if none is asked for', async () => {
      server.fail(always, () => undefined);
      const asked = faultOf(ask());
      await until('asked', () => server.requests.length === 1);
      await clock.advance(15_001);
      assert.equal((await asked).fault, 'timeout');
    });

    it('the caller can end it at any time', async () => {
      server.fail(always, () => undefined);
      const controller = new AbortController();
      const asked = faultOf(ask({ signals: [controller.signal] }));
      await until('asked', () => server.requests.length === 1);
      controller.abort(new Error('not needed any more'));
      assert.match((await asked).message, /not needed any more/);
      assert.equal((await faultOf(ask({ signals: [controller.signal] }))).fault, 'timeout');
      assert.equal(server.requests.length, 1);
    });

    it('1,000 requests leave no listener and no timer behind', async () => {
      const { signal } = new AbortController();
      for (let round = 0; round < 20; round += 1) {
        await Promise.all(Array.from({ length: 50 }, () => ask({ signals: [signal] })));
      }
      assert.equal(getEventListeners(signal, 'abort').length, 0);
      assert.equal(clock.timerCount, 0);
    });
  });

  describe('failures', () => {
    const table: readonly (readonly [number, string, ClusterFault])[] = [
      [400, 'BadRequest', 'invalid'],
      [401, 'Unauthorized', 'unauthorized'],
      [403, 'Forbidden', 'forbidden'],
      [404, 'NotFound', 'notFound'],
      [405, 'MethodNotAllowed', 'invalid'],
      [408, 'Timeout', 'timeout'],
      [409, 'Conflict', 'conflict'],
      [409, 'AlreadyExists', 'alreadyExists'],
      [410, 'Expired', 'gone'],
      [413, 'RequestEntityTooLarge', 'invalid'],
      [415, 'UnsupportedMediaType', 'invalid'],
      [422, 'Invalid', 'invalid'],
      [429, 'TooManyRequests', 'throttled'],
      [500, 'InternalError', 'unavailable'],
      [503, 'ServiceUnavailable', 'unavailable'],
      [504, 'Timeout', 'timeout'],
    ];
    for (const [code, reason, fault] of table) {
      it(`${code} ${reason} is ${fault}, in the server's words`, async () => {
        server.fail(always, (request) => refuse(request, code, reason), 2);
        const error = await faultOf(ask());
        assert.equal(error.fault, fault);
        assert.equal(error.status, code);
        assert.equal(error.message, `GET ${PATH} answered ${code}: the server says ${reason}`);
        assert.ok(figures.includes(`GET ${code}`), figures.join());
        assert.ok(hosts.has(new URL(server.url).host), [...hosts].join());
      });
    }

    it('a refused connection is unavailable', async () => {
      await server.stopListening();
      const error = await faultOf(ask());
      assert.equal(error.fault, 'unavailable');
      assert.match(error.message, /ECONNREFUSED/);
      assert.deepEqual(figures, ['GET 0']);
      await server.listen();
    });

    const notJson: readonly (readonly [string, string])[] = [
      ["a proxy's page with status 200", '<html>log in</html>'],
      ['half an answer', '{"kind":"Conf'],
    ];
    for (const [what, body] of notJson) {
      it(`${what} is unavailable`, async () => {
        server.fail(always, ({ response }) => void response.writeHead(200).end(body));
        assert.equal((await faultOf(ask())).fault, 'unavailable');
      });
    }

    it("a proxy's page with status 502 is cut to one line", async () => {
      const page = `<html>\n${'bad gateway '.repeat(100)}</html>`;
      server.fail(always, ({ response }) => void response.writeHead(502).end(page));
      const { fault, message } = await faultOf(ask());
      assert.equal(fault, 'unavailable');
      assert.ok(message.length < 400 && !message.includes('\n'), message);
    });

    it('a GET whose kept connection breaks is sent once more', async () => {
      await ask();
      server.fail(always, ({ response }) => void response.socket?.destroy());
      await ask();
      assert.equal(server.requests.length, 3);
    });

    it('a write whose connection breaks is not: it may have arrived', async () => {
      server.fail(isMethod('POST'), ({ response }) => void response.socket?.destroy());
      const error = await faultOf(ask({ method: 'POST', body: {} }));
      assert.equal(error.fault, 'unavailable');
      assert.equal(server.requests.length, 1);
    });
  });

  describe('Retry-After', () => {
    it('is honoured in seconds', async () => {
      const headers = { 'retry-after': '2' };
      server.fail(always, (request) => refuse(request, 429, 'TooManyRequests', { headers }));
      const asked = ask();
      await until('refused', () => figures.length === 1);
      await clock.advance(1_900);
      assert.equal(server.requests.length, 1);
      await clock.advance(101);
      await asked;
      assert.equal(server.requests.length, 2);
    });

    it('is honoured as a date, and in a Status', async () => {
      const headers = { 'retry-after': new Date(clock.now() + 3_000).toUTCString() };
      server.fail(always, (request) => refuse(request, 503, 'ServiceUnavailable', { headers }));
      const details = { retryAfterSeconds: 1 };
      server.fail(always, (request) => refuse(request, 429, 'TooManyRequests', { details }));
      const asked = ask();
      await until('refused', () => figures.length === 1);
      await clock.advance(3_001);
      await until('refused again', () => figures.length === 2);
      await clock.advance(1_001);
      await asked;
    });

    it('is given back to the caller when it is long, or does not help', async () => {
      const long = { 'retry-after': '30' };
      server.fail(always, (request) => refuse(request, 429, 'TooManyRequests', { headers: long }));
      const error = await faultOf(ask());
      assert.equal(error.fault, 'throttled');
      assert.equal(error.retryAfterMs, 30_000);
      const short = { 'retry-after': '1' };
      const again = (request: SeenRequest): void =>
        refuse(request, 429, 'TooManyRequests', { headers: short });
      server.fail(always, again, 10);
      const asked = faultOf(ask());
      for (let answered = 2; answered <= 3; answered += 1) {
        await until('refused', () => figures.length === answered);
        await clock.advance(1_001);
      }
      assert.equal((await asked).fault, 'throttled');
      assert.equal(server.requests.length, 4);
    });
  });

  it('our own limiter spaces them', async () => {
    connect(new Limiter({ clock, perSecond: 10, burst: 2 }));
    const all = Promise.all([ask(), ask(), ask(), ask()]);
    await until('the burst', () => server.requests.length === 2);
    await clock.advance(101);
    await until('the third', () => server.requests.length === 3);
    await clock.advance(101);
    await all;
    assert.deepEqual(
      figures.filter((figure) => figure.startsWith('limited')),
      ['limited 100', 'limited 200'],
    );
  });

  it('an answer may be empty', async () => {
    server.fail(always, ({ response }) => void response.writeHead(200).end());
    assert.equal(await ask(), undefined);
    server.fail(always, (request) => reply(request, { a: 1 }));
    assert.deepEqual(await ask(), { a: 1 });
  });
});
