/** Bytes go through both doors, both ways, and nothing is left open. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { access, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { type InnerDoors, type OuterDoors, openInnerDoors, openOuterDoors } from './doors.ts';

let inner: InnerDoors;
let outer: OuterDoors;
const server = createServer((request, response) => {
  response.end(`${request.method} ${request.url} ${request.headers.host}`);
});

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  outer = await openOuterDoors();
  const kubeconfigPath = join(outer.folder, 'inside');
  await writeFile(kubeconfigPath, `server: ${url}\ntoken: t\n`);
  inner = await openInnerDoors(outer.folder, {
    kubeconfigPath,
    apiServerUrl: url,
    prometheusUrl: url,
    gatewayUrl: url,
  });
});

after(() => {
  server.closeAllConnections();
  server.close();
});

test('a request from outside is answered by what is inside', async () => {
  const urls = [inner.prometheusUrl, inner.gatewayUrl];
  assert.equal(new Set(urls).size, 2);
  for (const url of urls) {
    const text = await (await fetch(`${url}/ready`, { method: 'POST', body: 'x' })).text();
    assert.equal(text, `POST /ready ${new URL(url).host}`);
  }
});

test('the kubeconfig for outside names the door and keeps everything else', async () => {
  const text = await readFile(inner.kubeconfigPath, 'utf8');
  const [, url] = /^server: (.*)\ntoken: t\n$/.exec(text) ?? [];
  assert.ok(url !== undefined && (await fetch(url)).ok);
});

test('once closed, nothing listens and the folder is gone', async () => {
  const { port } = new URL(inner.gatewayUrl);
  await inner.close();
  await outer.close();
  const socket = connect(Number(port), '127.0.0.1');
  await assert.rejects(once(socket, 'connect'), { code: 'ECONNREFUSED' });
  await assert.rejects(access(outer.folder), { code: 'ENOENT' });
});
