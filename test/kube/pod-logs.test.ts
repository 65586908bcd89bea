/** Logs of containers on a real socket: their end in bounded memory, and every way in which they can fail to come. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createCluster, type KubeCluster } from '#kube/cluster-client.ts';
import { ClusterError } from '#ports/cluster.ts';
import { silentLogger } from '#ports/logger.ts';
import { FaultServer } from './fault-server.ts';
import { refuse, type SeenRequest } from './server-verbs.ts';
import { until } from './until.ts';
import { VirtualClock } from './virtual-clock.ts';

const pod = { namespace: 'shop', name: 'smoke-x' };
const isLog = ({ path }: SeenRequest) => path === '/api/v1/namespaces/shop/pods/smoke-x/log';

describe('the log of a container', () => {
  let server: FaultServer;
  let clock: VirtualClock;
  let cluster: KubeCluster;
  const { signal } = new AbortController();
  const read = (bytesMax = 100) => cluster.podLog(pod, 'suite', { bytesMax, signal });

  beforeEach(async () => {
    server = await FaultServer.start();
    clock = new VirtualClock();
    const leadership = { mayWrite: () => false, lost: new AbortController().signal };
    const { source } = server;
    cluster = createCluster({ source, version: '1', leadership, clock, logger: silentLogger });
  });
  afterEach(async () => {
    await cluster.close();
    await server.close();
  });

  const fail = async (asked: Promise<unknown>): Promise<ClusterError> => {
    const error: unknown = await asked.then(
      () => assert.fail('was answered'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof ClusterError, String(error));
    return error;
  };

  for (const [what, body, text, hasStart] of [
    ['is text and not JSON', '<testsuite/>\nbye\n', '<testsuite/>\nbye\n', true],
    ['may be empty', '', '', true],
    ['of just the size is whole', 'x'.repeat(100), 'x'.repeat(100), true],
    ['that is longer brings its end', `a${'b'.repeat(99)}c`, `${'b'.repeat(99)}c`, false],
  ] as const) {
    it(what, async () => {
      server.fail(isLog, ({ response }) => void response.end(body));
      assert.deepEqual(await read(), { text, hasStart, hasEnd: true });
      const [request] = server.requests;
      assert.equal(request?.query.get('container'), 'suite');
      assert.ok(Number(request.query.get('limitBytes')) > 0);
    });
  }

  it('that is much longer, in many pieces, brings its end', async () => {
    server.fail(isLog, async ({ response }) => {
      for (let piece = 0; piece < 200; piece += 1) {
        const line = `${String(piece).padStart(7, '0')}\n`;
        if (!response.write(line.repeat(1_000))) {
          await new Promise((resolve) => response.once('drain', resolve));
        }
      }
      response.end('the end\n');
    });
    const { text, hasStart, hasEnd } = await read(10_000);
    const lines = `${'0000198\n'.repeat(249)}${'0000199\n'.repeat(1_000)}`;
    assert.equal(text, `${lines}the end\n`);
    assert.deepEqual([hasStart, hasEnd], [false, true]);
  });

  it('that is longer than the server may send has no end', async () => {
    server.fail(isLog, async ({ response, query }) => {
      const piece = Buffer.alloc(2 ** 20, 'x');
      for (let left = Number(query.get('limitBytes')); left > 0; left -= piece.length) {
        if (!response.write(piece)) {
          await new Promise((resolve) => response.once('drain', resolve));
        }
      }
      response.end();
    });
    const { text, hasEnd } = await read();
    assert.deepEqual([text, hasEnd], ['x'.repeat(100), false]);
  });

  it('may be refused: 403 is a right that is missing', async () => {
    server.fail(isLog, (request) => refuse(request, 403, 'Forbidden'));
    const { fault, message } = await fail(read());
    assert.equal(fault, 'forbidden');
    assert.match(message, /^GET \/api\/v1\/namespaces\/shop\/pods\/smoke-x\/log answered 403: /);
  });

  it('may be gone, or of a container that has not begun', async () => {
    server.fail(isLog, (request) => refuse(request, 404, 'NotFound'));
    assert.equal((await fail(read())).fault, 'notFound');
    server.fail(isLog, (request) => refuse(request, 400, 'BadRequest'));
    assert.equal((await fail(read())).fault, 'invalid');
  });

  it('that breaks off is no log', async () => {
    const breakOff = ({ response }: SeenRequest) => {
      response.write('<testsuite>');
      setTimeout(() => response.destroy(), 20);
    };
    server.fail(isLog, breakOff, 5);
    assert.equal((await fail(read())).fault, 'unavailable');
  });

  it('that never ends is given up', async () => {
    server.fail(isLog, ({ response }) => void response.write('<testsuite>'));
    const asked = fail(read());
    await until('asked', () => server.requests.length === 1);
    await clock.advance(60_000);
    assert.equal((await asked).fault, 'timeout');
  });

  it('is given up with whoever asked for it', async () => {
    server.fail(isLog, ({ response }) => void response.write('<testsuite>'));
    const controller = new AbortController();
    const asked = fail(cluster.podLog(pod, 'suite', { bytesMax: 9, signal: controller.signal }));
    await until('asked', () => server.requests.length === 1);
    controller.abort(new Error('called off'));
    assert.match((await asked).message, /called off/);
  });
});
