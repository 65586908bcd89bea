import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { afterEach, describe, test } from 'node:test';
import { silentLogger } from '#ports/logger.ts';
import { healthRoutes, metricsRoutes, type Routes } from './routes.ts';
import { type Endpoint, ListenError, type Servers, startServers } from './server.ts';

const local = { type: 'listen', host: '127.0.0.1', port: 0 } as const;
const opened: Servers[] = [];

afterEach(async () => {
  for (const servers of opened.splice(0)) await servers.close(AbortSignal.timeout(1_000));
});

async function start(...endpoints: Endpoint[]): Promise<Servers> {
  const servers = await startServers(endpoints, silentLogger);
  opened.push(servers);
  return servers;
}

function serve(routes: Routes): Promise<Servers> {
  return start({ name: 'health', address: local, routes });
}

async function get(servers: Servers, path: string, init: RequestInit = {}, name = 'health') {
  const response = await fetch(`${servers.url(name)}${path}`, init);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

async function* chunks(...texts: string[]): AsyncGenerator<string> {
  yield* texts;
}

describe('probes', () => {
  const good = { name: 'caches', problem: () => undefined };
  const bad = { name: 'event-loop', problem: () => 'ran late' };

  test('answer 200 and name every check', async () => {
    const { status, text, headers } = await get(await serve(healthRoutes([good], [])), '/healthz');
    assert.equal(status, 200);
    assert.equal(text, '[+] caches\nok\n');
    assert.equal(headers.get('content-type'), 'text/plain; charset=utf-8');
  });

  test('answer 503 with what is wrong', async () => {
    const servers = await serve(healthRoutes([], [good, bad]));
    const { status, text } = await get(servers, '/readyz');
    assert.equal(status, 503);
    assert.equal(text, '[+] caches\n[-] event-loop: ran late\nfailed\n');
    assert.equal((await get(servers, '/healthz')).status, 200);
  });

  test('look anew each time', async () => {
    let problem: string | undefined = 'not yet';
    const servers = await serve(healthRoutes([], [{ name: 'caches', problem: () => problem }]));
    assert.equal((await get(servers, '/readyz')).status, 503);
    problem = undefined;
    assert.equal((await get(servers, '/readyz?verbose')).status, 200);
  });
});

describe('/metrics', () => {
  test('streams the text with its content type', async () => {
    const contentType = 'text/plain; version=0.0.4; charset=utf-8';
    const routes = metricsRoutes({ contentType, exposition: () => chunks('a 1\n', 'b 2\n') });
    const { status, text, headers } = await get(await serve(routes), '/metrics');
    assert.equal(status, 200);
    assert.equal(text, 'a 1\nb 2\n');
    assert.equal(headers.get('content-type'), contentType);
  });

  test('that breaks off in the middle is seen as broken, and the next is answered', async () => {
    let isBroken = true;
    async function* exposition(): AsyncGenerator<string> {
      yield 'a 1\n';
      if (isBroken) throw new Error('lost');
    }
    const servers = await serve(metricsRoutes({ contentType: 'text/plain', exposition }));
    await assert.rejects(get(servers, '/metrics'));
    isBroken = false;
    assert.equal((await get(servers, '/metrics')).text, 'a 1\n');
  });
});

describe('a request', () => {
  test('for anything else is told what there is', async () => {
    const servers = await serve(healthRoutes([], []));
    for (const path of ['/', '/metrics', '/healthz/', '/__proto__', '/constructor']) {
      const { status, text } = await get(servers, path);
      assert.equal(status, 404, path);
      assert.equal(text, 'nothing here; there is /healthz, /readyz\n');
    }
  });

  test('that would change something is refused', async () => {
    const { status, text } = await get(await serve(healthRoutes([], [])), '/healthz', {
      method: 'POST',
    });
    assert.equal(status, 405);
    assert.equal(text, 'POST is not allowed; GET is\n');
  });

  test('by HEAD gets the head alone', async () => {
    const routes = {
      ...healthRoutes([], []),
      ...metricsRoutes({ contentType: 'text/plain', exposition: () => chunks('a 1\n') }),
    };
    const servers = await serve(routes);
    for (const path of ['/healthz', '/metrics']) {
      const { status, text } = await get(servers, path, { method: 'HEAD' });
      assert.equal(status, 200);
      assert.equal(text, '');
    }
  });
});

describe('addresses', () => {
  const routesOf = (path: string): Routes => ({
    [path]: () => ({ type: 'text', status: 200, text: `${path}\n` }),
  });

  test('that are the same share a server', async () => {
    const servers = await start(
      { name: 'metrics', address: local, routes: routesOf('/metrics') },
      { name: 'health', address: local, routes: routesOf('/healthz') },
    );
    assert.equal(servers.url('metrics'), servers.url('health'));
    assert.equal((await get(servers, '/metrics')).status, 200);
    assert.equal((await get(servers, '/healthz')).status, 200);
  });

  test('that differ have a server each', async () => {
    const servers = await start(
      { name: 'metrics', address: local, routes: routesOf('/metrics') },
      { name: 'health', address: { ...local, host: 'localhost' }, routes: routesOf('/healthz') },
    );
    assert.notEqual(servers.url('metrics'), servers.url('health'));
    assert.equal((await get(servers, '/healthz', {}, 'metrics')).status, 404);
  });

  test('that are off have none', async () => {
    const servers = await start({ name: 'metrics', address: { type: 'off' }, routes: {} });
    assert.equal(servers.url('metrics'), undefined);
  });

  test('may be IPv6', async () => {
    const servers = await start({
      name: 'health',
      address: { ...local, host: '::1' },
      routes: routesOf('/healthz'),
    });
    assert.match(servers.url('health') ?? '', /^http:\/\/\[::1\]:\d+$/);
    assert.equal((await get(servers, '/healthz')).status, 200);
  });

  test('in use are refused with a sentence, and what was opened before is closed', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    assert.ok(typeof address === 'object' && address !== null);
    const { port } = address;
    const found: string[] = [];
    const logger = {
      ...silentLogger,
      info: (fields: object) => found.push(String(Reflect.get(fields, 'url'))),
    };
    const endpoints = [
      { name: 'metrics', address: local, routes: {} },
      { name: 'health', address: { ...local, port }, routes: {} },
    ];
    await assert.rejects(startServers(endpoints, logger), (error: unknown) => {
      assert.ok(error instanceof ListenError);
      assert.equal(
        error.message,
        `--health-address 127.0.0.1:${port}: another process listens there already; choose another port, or 0 for a free one`,
      );
      return true;
    });
    other.close();
    await assert.rejects(fetch(`${found[0]}/`));
  });

  test('of another machine are refused with a sentence', async () => {
    const address = { ...local, host: '192.0.2.1' };
    await assert.rejects(
      startServers([{ name: 'metrics', address, routes: {} }], silentLogger),
      new ListenError('--metrics-address 192.0.2.1:0: this machine has no such address'),
    );
  });
});

describe('closing', () => {
  const slow = (until: Promise<void>): Routes =>
    metricsRoutes({
      contentType: 'text/plain',
      exposition: async function* () {
        yield 'begun\n';
        await until;
        yield 'ended\n';
      },
    });

  test('lets a request under way end, and takes no new one', async () => {
    const gate = Promise.withResolvers<void>();
    const servers = await serve(slow(gate.promise));
    const response = await fetch(`${servers.url('health')}/metrics`);
    const closed = servers.close(AbortSignal.timeout(5_000));
    await assert.rejects(fetch(`${servers.url('health')}/metrics`));
    gate.resolve();
    assert.equal(await response.text(), 'begun\nended\n');
    await closed;
  });

  test('ends what does not end by itself when the time is up', async () => {
    const servers = await serve(slow(new Promise(() => undefined)));
    const response = await fetch(`${servers.url('health')}/metrics`);
    const body = response.text().then(
      () => 'whole',
      () => 'cut off',
    );
    await assert.rejects(servers.close(AbortSignal.timeout(50)));
    assert.equal(await body, 'cut off');
  });

  test('does not wait for idle connections', async () => {
    const servers = await serve(healthRoutes([], []));
    const { port } = new URL(servers.url('health') ?? '');
    const socket = connect(Number(port), '127.0.0.1');
    socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'data');
    const ended = once(socket, 'close');
    await servers.close(AbortSignal.timeout(5_000));
    await ended;
  });
});
