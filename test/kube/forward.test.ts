/** The door through the API server's proxy: where it leads, what it lets pass, and what it says when it does not lead there. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, beforeEach, describe, test } from 'node:test';
import { inClusterOf, proxyPath } from '#kube/in-cluster.ts';
import { type KubectlClient, openKubectlClient } from '#kube/kubectl-client.ts';
import { systemClock as clock } from '#runtime/clock.ts';
import { type LocalServer, listenLocally } from '#test/local-server.ts';

const TOKEN = 'the-token-of-the-person';
const prometheus = inClusterOf(new URL('http://prometheus.monitoring.svc:9090'));
assert.ok(prometheus !== undefined);

interface Received {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

let received: Received[] = [];
let answer: { status: number; type?: string; text: string };
let api: LocalServer;
let client: KubectlClient;

before(async () => {
  const server = createServer((request, response) => {
    const { method, url, headers } = request;
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(answer.status, { 'content-type': answer.type ?? 'application/json' });
      response.end(answer.text);
    });
  });
  api = await listenLocally(server);
  const flags = { kubeconfig: '/dev/null', server: api.url, token: TOKEN };
  client = openKubectlClient({ flags, env: {}, clock, version: 'test' });
});
after(async () => {
  await client.close();
  api.stop();
});
beforeEach(() => {
  received = [];
  answer = { status: 200, text: '{"status":"success"}' };
});

const status = (code: number, message: string) =>
  JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code });

describe('an address inside a cluster', () => {
  const rows: readonly [url: string, path: string | undefined][] = [
    ['http://prometheus.monitoring.svc:9090', 'monitoring/services/prometheus:9090'],
    ['http://prometheus.monitoring:9090/x', 'monitoring/services/prometheus:9090'],
    ['http://prometheus.monitoring.svc.cluster.local', 'monitoring/services/prometheus:80'],
    ['https://grafana.monitoring.svc', 'monitoring/services/https:grafana:443'],
    ['http://am-0.am.monitoring.svc:9093', 'monitoring/pods/am-0:9093'],
    ['http://prometheus:9090', undefined],
    ['http://prometheus.example.com', undefined],
    ['http://10.0.0.7:9090', undefined],
    ['http://[fd00::7]:9090', undefined],
  ];
  for (const [url, path] of rows) {
    test(`${url} is ${path ?? 'none'}`, () => {
      const found = inClusterOf(new URL(url));
      const expected = path === undefined ? undefined : `/api/v1/namespaces/${path}/proxy`;
      assert.equal(found && proxyPath(found), expected);
    });
  }
});

describe('a forward', () => {
  test('sends a question on as it is, as the person who asks', async () => {
    const forward = await client.forward(prometheus);
    const response = await fetch(`${forward.url}/api/v1/query?x=1`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-scope-orgid': 'shop' },
      body: 'query=up',
    });
    assert.equal(await response.text(), '{"status":"success"}');
    assert.equal(response.headers.get('content-type'), 'application/json');
    const [one] = received;
    assert.equal(one?.method, 'POST');
    assert.equal(
      one?.url,
      '/api/v1/namespaces/monitoring/services/prometheus:9090/proxy/api/v1/query?x=1',
    );
    assert.equal(one?.body, 'query=up');
    assert.equal(one?.headers['authorization'], `Bearer ${TOKEN}`);
    assert.equal(one?.headers['x-scope-orgid'], 'shop');
    assert.equal(one?.headers['content-type'], 'application/x-www-form-urlencoded');
    assert.equal(forward.refusal(), undefined);
  });

  test('lets nobody who writes a rollout say who asks the API server', async () => {
    const forward = await client.forward(prometheus);
    await fetch(`${forward.url}/`, {
      headers: {
        authorization: 'Bearer of-the-prometheus',
        'impersonate-user': 'admin',
        'x-remote-user': 'admin',
        'x-forwarded-for': '10.0.0.1',
        cookie: 'a=b',
      },
    });
    const headers = received[0]?.headers ?? {};
    assert.equal(headers['authorization'], `Bearer ${TOKEN}`);
    for (const name of ['impersonate-user', 'x-remote-user', 'x-forwarded-for', 'cookie']) {
      assert.equal(headers[name], undefined, name);
    }
  });

  test('is open to nobody who does not know its secret', async () => {
    const forward = await client.forward(prometheus);
    const { origin } = new URL(forward.url);
    for (const path of ['/', '/api/v1/query', `${new URL(forward.url).pathname}x/y`]) {
      assert.equal((await fetch(`${origin}${path}`)).status, 404, path);
    }
    assert.deepEqual(received, []);
  });

  test("says in the API server's own words why it does not lead there", async () => {
    const forward = await client.forward(prometheus);
    answer = { status: 403, text: status(403, 'services "prometheus" is forbidden') };
    const response = await fetch(`${forward.url}/`);
    assert.equal(response.status, 403);
    assert.equal(await response.text(), 'services "prometheus" is forbidden');
    assert.deepEqual(forward.refusal(), {
      status: 403,
      message: 'services "prometheus" is forbidden',
    });
  });

  test("an error of the Service's own passes, and is no refusal", async () => {
    const forward = await client.forward(prometheus);
    answer = { status: 400, text: '{"status":"error","errorType":"bad_data"}' };
    const response = await fetch(`${forward.url}/api/v1/query`);
    assert.equal(response.status, 400);
    assert.deepEqual(await response.json(), { status: 'error', errorType: 'bad_data' });
    assert.equal(forward.refusal(), undefined);
  });

  test('a Service that asks for credentials cannot be given any', async () => {
    const forward = await client.forward(prometheus);
    answer = { status: 401, type: 'text/plain', text: 'Unauthorized' };
    assert.equal((await fetch(`${forward.url}/`)).status, 401);
    assert.match(forward.refusal()?.message ?? '', /credentials.*kubectl port-forward/);
  });

  test('an API server that is gone is a bad gateway with a reason', async () => {
    const flags = { kubeconfig: '/dev/null', server: 'http://127.0.0.1:9', token: TOKEN };
    const lost = openKubectlClient({ flags, env: {}, clock, version: 'test' });
    const forward = await lost.forward(prometheus);
    const response = await fetch(`${forward.url}/`);
    assert.equal(response.status, 502);
    assert.match(forward.refusal()?.message ?? '', /ECONNREFUSED/);
    await lost.close();
  });

  test('is shut with the client', async () => {
    const flags = { kubeconfig: '/dev/null', server: api.url, token: TOKEN };
    const other = openKubectlClient({ flags, env: {}, clock, version: 'test' });
    const { url } = await other.forward(prometheus);
    assert.equal((await fetch(`${url}/`)).status, 200);
    await other.close();
    await assert.rejects(fetch(`${url}/`));
  });
});
