/** The reflector against a server that misbehaves in every way that has been seen in the field. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Change, ObjectCache } from '#kube/cache.ts';
import { Connection } from '#kube/connect.ts';
import { Exchange } from '#kube/exchange.ts';
import { Reflector, type ReflectorOptions } from '#kube/reflector.ts';
import type { KubeObject } from '#ports/cluster.ts';
import { silentLogger } from '#ports/logger.ts';
import { FaultServer, isList, isWatch } from './fault-server.ts';
import { refuse, statusObject } from './server-verbs.ts';
import { initialEventsEnd, startStream } from './server-watch.ts';
import { until } from './until.ts';
import { VirtualClock } from './virtual-clock.ts';

const deployments = {
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  namespaced: true,
};
const ROOT = '/apis/apps/v1/namespaces';
const pathOf = (name: string, namespace = 'shop'): string =>
  `${ROOT}/${namespace}/deployments/${name}`;

function deployment(name: string, replicas = 1, namespace = 'shop'): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: { replicas },
  };
}

describe('a reflector', () => {
  let server: FaultServer;
  let clock: VirtualClock;
  let connection: Connection;
  let reflectors: Reflector[];
  let cache: ObjectCache;
  let changes: string[];
  let connected: boolean[];

  beforeEach(async () => {
    server = await FaultServer.start();
    clock = new VirtualClock();
    connection = new Connection({
      source: server.source,
      clock,
      logger: silentLogger,
      userAgent: 'genesis-rollout/test',
    });
    reflectors = [];
    changes = [];
    connected = [];
    cache = new ObjectCache({ onChange: (change) => changes.push(wordOf(change)) });
  });

  afterEach(async () => {
    await Promise.all(reflectors.map((reflector) => reflector.stop()));
    await connection.close();
    await server.close();
  });

  function reflect(options: Partial<ReflectorOptions> = {}): Reflector {
    const reflector = new Reflector({
      connection,
      exchange: new Exchange({ connection, clock }),
      clock,
      logger: silentLogger,
      resource: deployments,
      transform: (object) => object,
      random: () => 0,
      metrics: {
        connected: (is) => connected.push(is),
        filled: () => undefined,
        failed: () => undefined,
      },
      sink: {
        put: (object) => cache.put(object),
        delete: (last) => cache.delete(last),
        replace: (objects, version) => cache.replace(objects, version),
        rewind: () => cache.rewind(),
      },
      ...options,
    });
    reflectors.push(reflector);
    reflector.start();
    return reflector;
  }

  const replicasOf = (name: string): unknown => {
    const spec = cache.get({ namespace: 'shop', name })?.['spec'] as
      | { replicas: number }
      | undefined;
    return spec?.replicas;
  };

  /** Lets time pass until it is so, however slow the machine is. */
  async function passUntil(what: string, isSo: () => boolean): Promise<void> {
    for (let step = 0; !isSo(); step += 1) {
      assert.ok(step < 2_000, `not within 400 s: ${what}`);
      await clock.advance(200);
      await sleep(2);
    }
  }

  /** In steps, so that answers can come in between. */
  async function passTime(totalMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < totalMs; passedMs += 200) {
      await clock.advance(200);
      await sleep(3);
    }
  }

  /** Starts, and waits until it watches with everything read. */
  async function watching(options: Partial<ReflectorOptions> = {}): Promise<Reflector> {
    const reflector = reflect(options);
    await until('synced', () => reflector.isSynced && reflector.isConnected);
    return reflector;
  }

  describe('fills', () => {
    it('from a watch-list, in one request', async () => {
      server.store.put(pathOf('a'), deployment('a'));
      await watching();
      assert.deepEqual(server.reads(), ['watch-list']);
      assert.deepEqual(changes, ['added a']);
      server.store.put(pathOf('b'), deployment('b'));
      await until('b came', () => changes.includes('added b'));
    });

    it('from pages of 500 where watch-lists are not known, and goes on watching from there', async () => {
      server.canWatchList = false;
      for (let n = 0; n < 1_201; n += 1) server.store.put(pathOf(`d${n}`), deployment(`d${n}`));
      await watching();
      assert.equal(cache.size, 1_201);
      assert.deepEqual(server.reads(), ['watch-list', 'list', 'list', 'list', 'watch']);
      assert.equal(cache.get({ namespace: 'shop', name: 'd7' })?.kind, 'Deployment');
      assert.equal(server.watches[0]?.query.get('resourceVersion'), String(server.store.version));
    });

    it('in one piece when a page has expired', async () => {
      server.canWatchList = false;
      for (let n = 0; n < 600; n += 1) server.store.put(pathOf(`d${n}`), deployment(`d${n}`));
      server.fail(
        (request) => request.query.has('continue'),
        (request) => refuse(request, 410, 'Expired'),
      );
      await watching();
      assert.equal(cache.size, 600);
      assert.equal(server.requests.at(-2)?.query.has('limit'), false);
    });

    it('again when a watch-list is cut before it is complete, without a word of the half', async () => {
      server.store.put(pathOf('a'), deployment('a'));
      server.fail(isWatch, (request) => {
        const watch = startStream(request);
        watch.event('ADDED', { ...deployment('ghost'), metadata: { name: 'ghost', uid: 'g' } });
        setTimeout(() => watch.cut(), 20);
      });
      const reflector = reflect();
      await until('cut', () => reflector.fault !== undefined);
      assert.equal(reflector.isSynced, false);
      await passUntil('synced', () => reflector.isSynced);
      assert.deepEqual(changes, ['added a']);
    });

    it('by list when the initial events of a watch-list never end', async () => {
      server.store.put(pathOf('a'), deployment('a'));
      server.fail(isWatch, (request) => void startStream(request));
      const reflector = reflect();
      await until('asked', () => server.requests.length === 1);
      await passUntil('synced', () => reflector.isSynced);
      assert.deepEqual(server.reads().slice(0, 2), ['watch-list', 'list']);
    });

    it('with objects that are deleted while they are being sent', async () => {
      server.isLive = false;
      const reflector = reflect();
      await until('open', () => server.watches.length === 1);
      const [watch] = server.watches;
      const a = { ...deployment('a'), metadata: { name: 'a', namespace: 'shop', uid: '1' } };
      watch?.event('ADDED', a);
      watch?.event('DELETED', a);
      watch?.bookmark('7', initialEventsEnd);
      await until('synced', () => reflector.isSynced);
      assert.deepEqual(changes, []);
    });
  });

  describe('survives', () => {
    it('a destroyed socket, and goes on from the last version without reading all anew', async () => {
      server.store.put(pathOf('a'), deployment('a'));
      await watching();
      server.openWatches[0]?.cut();
      await until('noticed', () => connected.at(-1) === false);
      server.store.put(pathOf('b'), deployment('b'));
      await passUntil('b came', () => changes.includes('added b'));
      assert.deepEqual(server.reads(), ['watch-list', 'watch']);
      assert.deepEqual(connected, [true, false, true]);
    });

    it('a socket cut in the middle of a line', async () => {
      await watching();
      server.openWatches[0]?.write('{"type":"MODIFIED","object":{"metad');
      await clock.advance(10);
      server.openWatches[0]?.cut();
      await until('noticed', () => connected.at(-1) === false);
      server.store.put(pathOf('b'), deployment('b'));
      await passUntil('b came', () => changes.includes('added b'));
    });

    it('a stream that ends in order in the middle of a line', async () => {
      const reflector = await watching();
      server.openWatches[0]?.write('{"type":"MODIF');
      server.openWatches[0]?.end();
      await until('noticed', () => reflector.fault !== undefined);
      assert.match(reflector.fault?.message ?? '', /in the middle of an event/);
    });

    it('malformed JSON: the event is fetched again, not swallowed', async () => {
      const reflector = await watching();
      server.fail(isWatch, (request) => startStream(request).write('{"type": MODIFIED}\n'));
      server.openWatches[0]?.cut();
      server.store.put(pathOf('b'), deployment('b'));
      await until('first try', () => reflector.fault !== undefined);
      await passUntil('second try', () => reflector.fault?.message.includes('not JSON') === true);
      await passUntil('b came', () => changes.includes('added b'));
    });

    it('an event that can never be read, by reading all anew after the third time', async () => {
      await watching();
      const broken = (request: Parameters<typeof startStream>[0]): void =>
        startStream(request).write('nonsense\n');
      server.fail((request) => request.query.has('resourceVersion'), broken, 3);
      server.openWatches[0]?.cut();
      server.store.put(pathOf('b'), deployment('b'));
      await passUntil('b came', () => changes.includes('added b'));
      assert.equal(server.reads().filter((read) => read === 'watch-list').length, 2);
    });

    it('silence: after 150 s the stream is given up and all is read anew', async () => {
      const reflector = await watching();
      const [silent] = server.openWatches;
      server.isLive = false;
      await clock.advance(149_000);
      assert.equal(silent?.isOpen, true);
      server.isLive = true;
      await clock.advance(1_001);
      await until('given up', () => server.openWatches.every((watch) => watch !== silent));
      await passUntil('again', () => reflector.isConnected);
      assert.deepEqual(server.reads(), ['watch-list', 'watch-list']);
    });

    it('a quiet resource: bookmarks keep the stream, and its version young', async () => {
      const reflector = await watching();
      for (let minute = 1; minute <= 5; minute += 1) {
        server.openWatches[0]?.bookmark(String(1_000 * minute));
        await until('taken', () => reflector.silentForMs() === 0);
        await clock.advance(60_000);
      }
      assert.deepEqual(server.reads(), ['watch-list']);
      server.openWatches[0]?.end();
      await until('again', () => server.watches.length === 2);
      assert.equal(server.watches[1]?.query.get('resourceVersion'), '5000');
    });

    it('410 as a status: reads all anew, and tells what was deleted meanwhile', async () => {
      server.store.put(pathOf('a'), deployment('a'));
      server.store.put(pathOf('b'), deployment('b'));
      await watching();
      const [watch] = server.openWatches;
      server.isLive = false;
      watch?.cut();
      await until('noticed', () => connected.at(-1) === false);
      server.store.delete(pathOf('a'));
      server.store.compact();
      server.isLive = true;
      await passUntil('a is gone', () => changes.includes('deleted a'));
      assert.deepEqual(server.reads(), ['watch-list', 'watch', 'watch-list']);
      assert.deepEqual(changes, ['added a', 'added b', 'deleted a']);
    });

    it('410 as an ERROR event', async () => {
      const reflector = await watching();
      server.openWatches[0]?.event('ERROR', statusObject(410, 'Expired'));
      await until('noticed', () => reflector.fault?.fault === 'gone');
      server.store.put(pathOf('b'), deployment('b'));
      await passUntil('b came', () => changes.includes('added b'));
      assert.deepEqual(server.reads(), ['watch-list', 'watch-list']);
    });

    it('410 to everything, without a tight loop', async () => {
      server.fail(
        () => true,
        (request) => refuse(request, 410, 'Expired'),
        1_000,
      );
      reflect();
      await passTime(10_000);
      const { length } = server.requests;
      assert.ok(length < 8, `${length} requests in 10 s`);
      await passUntil('it goes on asking', () => server.requests.length >= 3);
    });

    it('another ERROR event: watches again from where it was', async () => {
      const reflector = await watching();
      server.openWatches[0]?.event('ERROR', statusObject(500, 'InternalError'));
      await until('noticed', () => reflector.fault?.fault === 'unavailable');
      await passUntil('again', () => reflector.isConnected);
      assert.deepEqual(server.reads(), ['watch-list', 'watch']);
    });

    it('429 with Retry-After, which it keeps to', async () => {
      const reflector = await watching();
      const headers = { 'retry-after': '40' };
      server.fail(isWatch, (request) => refuse(request, 429, 'TooManyRequests', { headers }));
      server.openWatches[0]?.end();
      await passUntil('refused', () => reflector.fault?.fault === 'throttled');
      const { length } = server.requests;
      await clock.advance(38_000);
      assert.equal(server.requests.length, length);
      await passUntil('again', () => reflector.isConnected);
    });

    it('a server that is down for an hour, asking at most every 30 s', async () => {
      server.store.put(pathOf('a'), deployment('a'));
      const reflector = await watching();
      await server.stopListening();
      await until('noticed', () => connected.at(-1) === false);
      for (let minute = 0; minute < 60; minute += 1) await clock.advance(60_000);
      assert.equal(reflector.fault?.fault, 'unavailable');
      assert.equal(replicasOf('a'), 1);
      // Nor is it silence, for which the process would be started anew.
      assert.ok(reflector.silentForMs() <= 60_000, `${reflector.silentForMs()} ms`);
      await server.listen();
      server.store.put(pathOf('a'), deployment('a', 2));
      await passUntil('a changed', () => replicasOf('a') === 2);
    });

    it('headers that never come', async () => {
      const reflector = await watching();
      server.fail(isWatch, () => undefined);
      server.openWatches[0]?.end();
      await passUntil('asked', () => server.requests.length === 2);
      await passUntil('given up', () => reflector.fault?.fault === 'timeout');
      await passUntil('again', () => reflector.isConnected);
    });

    it('a server that ends every watch at once, without a tight loop', async () => {
      await watching();
      server.fail(isWatch, (request) => startStream(request).end(), 1_000);
      server.openWatches[0]?.end();
      await passTime(60_000);
      const { length } = server.requests;
      assert.ok(length < 12, `${length} requests in 60 s`);
      await passUntil('it goes on asking', () => server.requests.length >= 5);
    });

    it('replayed and doubled events, which change nothing', async () => {
      server.isLive = false;
      const reflector = reflect();
      await until('open', () => server.watches.length === 1);
      const [watch] = server.watches;
      const at = (version: string): KubeObject => {
        const metadata = { name: 'a', namespace: 'shop', uid: '1', resourceVersion: version };
        return { ...deployment('a', Number(version)), metadata };
      };
      watch?.bookmark('1', initialEventsEnd);
      for (const version of ['3', '3', '5', '3', '5', '4', '10']) {
        watch?.event('MODIFIED', at(version));
      }
      await until('the last', () => replicasOf('a') === 10);
      assert.deepEqual(changes, ['added a', 'modified a', 'modified a']);
      assert.equal(reflector.isConnected, true);
    });

    it('a rewound history (a restored etcd): all is read anew and believed', async () => {
      server.store.version = 5_000;
      server.store.put(pathOf('a'), deployment('a', 5));
      server.store.put(pathOf('b'), deployment('b'));
      await watching();
      server.store.version = 300;
      server.store.objects.clear();
      server.store.put(pathOf('a'), deployment('a', 3));
      server.openWatches[0]?.bookmark('301');
      await passUntil('a is old again', () => replicasOf('a') === 3);
      assert.equal(cache.get({ namespace: 'shop', name: 'b' }), undefined);
      server.store.put(pathOf('a'), deployment('a', 4));
      await until('a moves on', () => replicasOf('a') === 4);
    });

    it('a resource that the server does not know yet', async () => {
      server.fail(isWatch, (request) => refuse(request, 404, 'NotFound'), 2);
      const reflector = reflect({ isOptional: true });
      await until('settled', () => reflector.isSynced);
      assert.equal(reflector.fault?.fault, 'notFound');
      server.store.put(pathOf('a'), deployment('a'));
      await passUntil('a came', () => changes.includes('added a'));
    });

    it('a resource that must be there but is not: it is not synced', async () => {
      server.fail(isWatch, (request) => refuse(request, 404, 'NotFound'), 1_000);
      const reflector = reflect();
      await until('refused', () => reflector.fault?.fault === 'notFound');
      await clock.advance(60_000);
      assert.equal(reflector.isSynced, false);
    });
  });

  describe('reads', () => {
    it('events split over chunks, inside a character, and many in one chunk', async () => {
      server.isLive = false;
      reflect();
      await until('open', () => server.watches.length === 1);
      const [watch] = server.watches;
      watch?.bookmark('1', initialEventsEnd);
      const line = (name: string, version: number): string => {
        const metadata = { name, namespace: 'shop', uid: name, resourceVersion: String(version) };
        const annotations = { note: 'Größe → 100 % 🚀' };
        const object = { ...deployment(name), metadata: { ...metadata, annotations } };
        return `${JSON.stringify({ type: 'ADDED', object })}\n`;
      };
      const bytes = Buffer.from(line('a', 2) + line('b', 3) + line('c', 4));
      const rocket = bytes.indexOf('🚀') + 2;
      for (const [from, to] of [
        [0, 11],
        [11, rocket],
        [rocket, rocket + 1],
        [rocket + 1, bytes.length],
      ]) {
        watch?.write(bytes.subarray(from, to));
        await sleep(5);
      }
      await until('all', () => cache.size === 3);
      const note = cache.get({ namespace: 'shop', name: 'a' })?.metadata.annotations?.['note'];
      assert.equal(note, 'Größe → 100 % 🚀');
    });

    it('a line of a megabyte', async () => {
      await watching();
      const big = { ...deployment('big'), data: 'x'.repeat(1_000_000) };
      server.store.put(pathOf('big'), big);
      await until('big came', () => changes.includes('added big'));
      assert.deepEqual(cache.get({ namespace: 'shop', name: 'big' })?.['data'], big.data);
    });

    it('5,000 events in one burst', async () => {
      await watching();
      for (let n = 0; n < 5_000; n += 1) server.store.put(pathOf(`d${n}`), deployment(`d${n}`));
      await until('all', () => cache.size === 5_000);
    });

    it('asks for bookmarks and for an end after 5 to 10 minutes', async () => {
      await watching({ random: () => 0.5 });
      const query = server.requests[0]?.query;
      assert.equal(query?.get('allowWatchBookmarks'), 'true');
      assert.equal(query?.get('timeoutSeconds'), '450');
    });

    it('only one namespace, and only what a selector picks', async () => {
      await watching({ namespace: 'shop', selector: { labelSelector: 'app=checkout' } });
      const [request] = server.requests;
      assert.equal(request?.path, '/apis/apps/v1/namespaces/shop/deployments');
      assert.equal(request?.query.get('labelSelector'), 'app=checkout');
    });
  });

  describe('stops', () => {
    const stages: readonly (readonly [string, (request: unknown) => void, () => Promise<void>])[] =
      [
        ['while the headers of a watch are awaited', () => undefined, async () => undefined],
        [
          'in the middle of a watch-list',
          (request) => void startStream(request as Parameters<typeof startStream>[0]),
          async () => undefined,
        ],
        [
          'while it waits before the next try',
          (request) => refuse(request as Parameters<typeof refuse>[0], 500, 'InternalError'),
          async () => await clock.advance(10),
        ],
      ];
    for (const [when, fault, meanwhile] of stages) {
      it(when, async () => {
        server.fail(() => true, fault);
        const reflector = reflect();
        await until('asked', () => server.requests.length === 1);
        await meanwhile();
        await reflector.stop();
        await clock.advance(600_000);
        assert.equal(server.requests.length, 1);
        assert.equal(clock.timerCount, 0);
      });
    }

    it('during a list, without a watch afterwards', async () => {
      server.canWatchList = false;
      server.fail(isList, () => undefined);
      const reflector = reflect();
      await until('listing', () => server.reads().includes('list'));
      await reflector.stop();
      await clock.advance(600_000);
      assert.deepEqual(server.reads(), ['watch-list', 'list']);
      assert.equal(clock.timerCount, 0);
    });

    it('while watching, and closes the connection', async () => {
      const reflector = await watching();
      await reflector.stop();
      await until('closed', () => server.openWatches.length === 0);
      server.store.put(pathOf('late'), deployment('late'));
      assert.deepEqual(changes, []);
      assert.equal(connected.at(-1), false);
      assert.equal(clock.timerCount, 0);
    });

    it('and started twice, it is one watch', async () => {
      const reflector = await watching();
      reflector.start();
      await clock.advance(1_000);
      assert.equal(server.watches.length, 1);
    });
  });
});

function wordOf({ type, old, new: now }: Change): string {
  return `${type} ${(now ?? old)?.metadata.name ?? ''}`;
}
