/** The sample service over real connections: it counts what it answers, and fails when told so. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';

import { startLoad } from './load.ts';
import { shareBetween } from './observation.ts';
import { createSampleService } from './service.ts';

const { traffic, admin } = createSampleService({
  version: 'v2',
  namespace: 'shop',
  service: 'checkout-green',
});
const urls = { traffic: '', admin: '' };

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

before(async () => {
  urls.traffic = await listen(traffic);
  urls.admin = await listen(admin);
});

after(() => {
  for (const server of [traffic, admin]) {
    server.closeAllConnections();
    server.close();
  }
});

async function setFault(body: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`${urls.admin}/fault`, { method: 'POST', body });
  return { status: response.status, text: await response.text() };
}

async function count(code: string): Promise<number | undefined> {
  const text = await (await fetch(`${urls.admin}/metrics`)).text();
  const line = text
    .split('\n')
    .find((one) => one.startsWith('http_requests_total{') && one.includes(`code="${code}"`));
  if (line === undefined) return undefined;
  assert.match(line, /namespace="shop"/);
  assert.match(line, /service="checkout-green"/);
  return Number(line.split(' ').at(-1));
}

describe('the sample service', () => {
  test('has a series of good answers before the first, and none of failures', async () => {
    assert.equal(await count('200'), 0);
    assert.equal(await count('500'), undefined);
  });

  test('answers with its version, and counts', async () => {
    const response = await fetch(urls.traffic);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('x-checkout-version'), 'v2');
    assert.deepEqual(await response.json(), { version: 'v2', ok: true });
    assert.equal(await count('200'), 1);
  });

  test('fails as told, and mends as told', async () => {
    assert.deepEqual(await setFault('{"errorRate":1}'), { status: 200, text: '{"errorRate":1}\n' });
    assert.equal((await fetch(urls.traffic)).status, 500);
    assert.equal(await count('500'), 1);
    await setFault('{"errorRate":0}');
    assert.equal((await fetch(urls.traffic)).status, 200);
  });

  for (const body of ['', '{}', '{"errorRate":"0.2"}', '{"errorRate":2}', '[1]']) {
    test(`refuses the fault ${body} with a sentence`, async () => {
      const { status, text } = await setFault(body);
      assert.equal(status, 400);
      assert.match(text, /must be .*\{"errorRate": 0\.2\}/);
    });
  }

  test('the load generator counts the same as the service', async () => {
    const servedBefore = (await count('200')) ?? 0;
    const load = startLoad({
      url: urls.traffic,
      hostname: 'checkout.example',
      requestsPerSecond: 100,
    });
    while (load.responses.length < 50) await once(traffic, 'request');
    await load.stop();
    const share = shareBetween(load.responses, 'v2', 0, Infinity);
    assert.deepEqual([share.percent, share.failed], [100, 0]);
    assert.equal((await count('200')) ?? 0, servedBefore + share.requests);
  });

  test('a request without an answer counts as failed', async () => {
    const mute = createServer().on('connection', (socket) => socket.destroy());
    const load = startLoad({
      url: await listen(mute),
      hostname: 'checkout.example',
      requestsPerSecond: 100,
    });
    await once(mute, 'connection');
    await load.stop();
    mute.close();
    const share = shareBetween(load.responses, 'v2', 0, Infinity);
    assert.ok(share.requests > 0);
    assert.deepEqual([share.failed, share.percent], [share.requests, undefined]);
  });
});
