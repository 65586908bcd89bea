/** The testbed itself: what it starts works, and nothing of it is left. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { access, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import {
  ApiClient,
  type ControlPlane,
  childrenOf,
  conditionIs,
  countRequests,
  kwokNode,
  type Prometheus,
  podFateLabel,
  readAudit,
  startControlPlane,
  startPrometheus,
} from '#scripts/testbed/index.ts';
import { listenLocally } from '#test/local-server.ts';
import {
  deployment,
  deploymentRef,
  nodeOf,
  object,
  oneOfEachKind,
  podsOf,
  readyEndpoints,
  service,
  statusAs,
  statusOf,
  waitingReason,
  watchPods,
  widgetDefinition,
} from './testbed-objects.ts';
import { living, pollUntil } from './testbed-polling.ts';

const buildsColdWithinMs = 40 * 60_000;
const script = join(import.meta.dirname, '../../scripts/testbed/main.ts');
const run = promisify(execFile);

describe('a control plane', { timeout: buildsColdWithinMs }, () => {
  let plane: ControlPlane;
  before(async () => {
    plane = await startControlPlane({
      kwok: true,
      auditPolicy: 'Metadata',
      users: [{ name: 'eve' }, { name: 'mallory', groups: ['readers'] }],
    });
    await plane.client.apply(object('v1', 'Namespace', 'shop'));
  });
  after(async () => await plane?.stop());

  for (const wanted of oneOfEachKind()) {
    test(`takes a ${wanted.kind} of ${wanted.apiVersion}`, async () => {
      const applied = await plane.client.apply(wanted);
      assert.ok(applied.metadata['uid']);
    });
  }

  test('serves a custom resource as soon as its definition is applied, and refuses what its schema forbids', async () => {
    await plane.client.apply(widgetDefinition);
    const widget = { ...object('testbed.example/v1', 'Widget', 'one', 'shop'), spec: { size: 3 } };
    await plane.client.apply(widget);
    await assert.rejects(
      plane.client.apply({ ...widget, spec: { size: -1 } }),
      /applying Widget shop\/one was answered with 422.*spec\.size.*greater than or equal to 0/,
    );
  });

  test("makes a Deployment's pods Ready and gives its Service ready endpoints", async () => {
    await plane.client.apply(service('ready'));
    await plane.client.apply(deployment('ready', { replicas: 3 }));
    await plane.client.waitFor(
      deploymentRef('ready'),
      (found) => statusOf(found)['readyReplicas'] === 3,
    );
    const endpoints = await pollUntil(
      async () => await readyEndpoints(plane.client, 'ready'),
      (found) => found.length === 3,
    );
    assert.equal(new Set(endpoints.flatMap(({ addresses }) => addresses)).size, 3);
  });

  for (const [fate, reason] of [
    ['crash-loop', 'CrashLoopBackOff'],
    ['image-pull-back-off', 'ImagePullBackOff'],
    ['unready', undefined],
  ] as const) {
    test(`a pod labelled ${fate} is on the node and never Ready`, async () => {
      const name = `fate-${fate}`;
      const history = watchPods(plane.client, name, 2);
      await plane.client.apply(deployment(name, { replicas: 1, labels: { [podFateLabel]: fate } }));
      const seen = await history;
      const last = seen.at(-1);
      assert.equal(nodeOf(last), kwokNode);
      assert.equal(waitingReason(last), reason);
      assert.ok(last !== undefined && conditionIs(last, 'Ready', 'False'));
      assert.ok(!seen.some((pod) => conditionIs(pod, 'Ready', 'True')));
    });
  }

  test('a pod that was Ready crashes once it gets the label', async () => {
    await plane.client.apply(deployment('later', { replicas: 1 }));
    const [pod] = await pollUntil(
      async () => await podsOf(plane.client, 'later'),
      ([found]) => found !== undefined && conditionIs(found, 'Ready', 'True'),
    );
    const reference = {
      apiVersion: 'v1',
      kind: 'Pod',
      namespace: 'shop',
      name: pod?.metadata.name ?? '',
    };
    await plane.client.patch(reference, { metadata: { labels: { [podFateLabel]: 'crash-loop' } } });
    const crashed = await plane.client.waitFor(reference, (found) =>
      conditionIs(found, 'Ready', 'False'),
    );
    assert.equal(waitingReason(crashed), 'CrashLoopBackOff');
  });

  test('users have the rights of their bindings and no others', async () => {
    await plane.client.apply({
      ...object('rbac.authorization.k8s.io/v1', 'ClusterRole', 'reader'),
      rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'] }],
    });
    await plane.client.apply({
      ...object('rbac.authorization.k8s.io/v1', 'RoleBinding', 'readers', 'shop'),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
      subjects: [
        { kind: 'Group', name: 'readers', apiGroup: 'rbac.authorization.k8s.io' },
        { kind: 'ServiceAccount', name: 'robot', namespace: 'shop' },
      ],
    });
    await plane.client.apply(object('v1', 'ServiceAccount', 'robot', 'shop'));
    const robot = await plane.client.serviceAccountToken('shop', 'robot');
    const path = '/api/v1/namespaces/shop/configmaps';
    const statuses = async (method: 'GET' | 'POST', token: string | undefined) =>
      await pollUntil(
        async () => await statusAs(plane, token, method, path),
        // An authorizer sees a new binding a moment later.
        (status) => method === 'POST' || token === plane.tokens['eve'] || status === 200,
      );
    assert.deepEqual(
      {
        eve: await statuses('GET', plane.tokens['eve']),
        mallory: [
          await statuses('GET', plane.tokens['mallory']),
          await statuses('POST', plane.tokens['mallory']),
        ],
        robot: [await statuses('GET', robot), await statuses('POST', robot)],
        stranger: await statusAs(plane, 'no-such-token', 'GET', path),
      },
      { eve: 403, mallory: [200, 403], robot: [200, 403], stranger: 401 },
    );
  });

  test('a kubeconfig of another user acts as that user', async () => {
    const file = await plane.kubeconfigFor('eve');
    const { stdout } = await run(process.execPath, [
      script,
      'exec',
      '--no-prometheus',
      '--kubeconfig',
      file,
      'kubectl',
      'auth',
      'whoami',
      '-o',
      'jsonpath={.status.userInfo.username}',
    ]);
    assert.equal(stdout, 'eve');
    await assert.rejects(
      plane.kubeconfigFor('trent'),
      /there is no user trent; there are admin, .*eve, mallory/,
    );
  });

  test('the audit log counts every request once, by user and verb', async () => {
    const path = plane.auditLogPath ?? '';
    const watched = '/api/v1/namespaces/audited/configmaps';
    const mine = `${watched}/counted`;
    const client = new ApiClient({ ...plane.client.address });
    for (let index = 0; index < 7; index += 1) await client.send('GET', mine);
    // A watch has two lines, one when it starts and one when it ends.
    await client.send('GET', `${watched}?watch=true&timeoutSeconds=1`);
    await client.send('DELETE', mine);
    await client.close();
    const counts = await pollUntil(
      async () =>
        countRequests(await readAudit(path), ({ user, verb, requestURI }) =>
          requestURI.startsWith(watched) ? `${user.username} ${verb}` : undefined,
        ),
      (found) => found.get('admin delete') === 1,
    );
    assert.deepEqual(Object.fromEntries(counts), {
      'admin get': 7,
      'admin watch': 1,
      'admin delete': 1,
    });
    assert.equal((await readAudit(path, new Date(Date.now() + 60_000))).length, 0);
  });

  test('an API server that was away comes back at the same address with the same objects', async () => {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', name: 'shop' };
    const uid = (await plane.client.get(namespace))?.metadata['uid'];
    const { 'kube-apiserver': before, etcd } = plane.pids();
    await plane.stopApiServer({ signal: 'SIGKILL' });
    await assert.rejects(plane.client.get(namespace), /ECONNREFUSED|ECONNRESET|other side closed/);
    await plane.startApiServer();
    assert.equal((await plane.client.get(namespace))?.metadata['uid'], uid);
    assert.notEqual(plane.pids()['kube-apiserver'], before);
    assert.equal(plane.pids()['etcd'], etcd);
  });
});

describe('stopping a control plane', { timeout: buildsColdWithinMs }, () => {
  test('ends all its processes and removes its folder', async () => {
    const plane = await startControlPlane({ kwok: true });
    const pids = Object.values(plane.pids());
    assert.equal(pids.length, 4);
    await plane.stop();
    assert.deepEqual(await living(pids), []);
    await assert.rejects(access(plane.runFolder), { code: 'ENOENT' });
  });

  test('a start that fails says which part, shows its log, and leaves nothing running', async () => {
    const known = await childrenOf(process.pid);
    const error = await startControlPlane({ apiServerFlags: ['--no-such-flag'] }).then(
      () => assert.fail('it started'),
      (failure: Error) => failure,
    );
    assert.match(error.message, /^kube-apiserver ended with 1 before it was ready/);
    assert.match(error.message, /unknown flag: --no-such-flag/);
    const log = /all in (\S+)\)/.exec(error.message)?.[1] ?? '';
    await access(log);
    await rm(dirname(log), { recursive: true });
    assert.deepEqual(
      await living((await childrenOf(process.pid)).filter((pid) => !known.includes(pid))),
      [],
    );
  });
});

describe('Prometheus', { timeout: buildsColdWithinMs }, () => {
  let prometheus: Prometheus;
  const exporter = createServer((_request, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end('# TYPE shop_requests_total counter\nshop_requests_total{code="200"} 42\n');
  });
  before(async () => {
    const { port } = await listenLocally(exporter);
    prometheus = await startPrometheus({
      scrape: [{ job: 'shop', targets: [`127.0.0.1:${port}`], labels: { version: 'stable' } }],
      scrapeInterval: '200ms',
    });
  });
  after(async () => {
    await prometheus?.stop();
    exporter.closeAllConnections();
    exporter.close();
  });

  test('scrapes a local exporter and answers a query about it', async () => {
    await prometheus.untilScraped();
    const [sample] = await prometheus.query('shop_requests_total');
    assert.equal(sample?.value, 42);
    assert.equal(sample?.labels['version'], 'stable');
    assert.equal(sample?.labels['code'], '200');
  });

  test('after an outage it still knows what it had scraped', async () => {
    const scraped = async () =>
      (await prometheus.query('count_over_time(shop_requests_total[1h])'))[0]?.value ?? 0;
    const samplesBefore = await pollUntil(scraped, (count) => count >= 3);
    await prometheus.stopServer();
    await assert.rejects(scraped(), /fetch failed/);
    await prometheus.startServer();
    assert.ok((await scraped()) >= samplesBefore);
  });

  test('says which target it cannot scrape and why', async () => {
    await prometheus.setScrape([{ job: 'gone', targets: ['127.0.0.1:1'] }]);
    await pollUntil(
      async () => await prometheus.query('up{job="gone"}'),
      (samples) => samples.length === 1,
    );
    await assert.rejects(
      prometheus.untilScraped(0),
      /127\.0\.0\.1:1\/metrics is down .*connection refused/,
    );
  });

  test('has promtool beside it', async () => {
    await run(prometheus.promtool, ['check', 'config', prometheus.configFile]);
  });
});
