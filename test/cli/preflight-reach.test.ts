/** The way to a URL from where a person sits: straight, through the API server, or none. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, test } from 'node:test';
import { networkOf } from '#cli/preflight/network.ts';
import { createReach, type Reach } from '#cli/preflight/reach.ts';
import { type InCluster, proxyPath } from '#kube/in-cluster.ts';
import { ClusterError, type KubeObject } from '#ports/cluster.ts';
import { systemClock } from '#runtime/clock.ts';
import { listenLocally } from '#test/local-server.ts';

interface World {
  /** Hosts that are known here. */
  readonly known?: readonly string[];
  /** Hosts at which somebody answers. */
  readonly answering?: readonly string[];
  readonly pods?: readonly KubeObject[] | ClusterError;
}

function reachIn({
  known = [],
  answering = known,
  pods = [],
}: World): Reach & { opened: string[] } {
  const opened: string[] = [];
  const forward = async (target: InCluster) => {
    opened.push(proxyPath(target));
    const url = `http://127.0.0.1:${40_000 + opened.length}/secret`;
    return { url, refusal: () => undefined, close: async () => undefined };
  };
  const reach = createReach({
    network: {
      resolves: async (host) => known.includes(host),
      connects: async (host) => answering.includes(host),
    },
    client: async () => ({
      forward,
      list: async () => {
        if (pods instanceof ClusterError) throw pods;
        return pods;
      },
    }),
    signal: new AbortController().signal,
  });
  return { ...reach, opened };
}

const inCluster = 'http://prometheus.monitoring.svc:9090';
const pod: KubeObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'am-0', namespace: 'monitoring' },
};

describe('this machine', () => {
  const network = networkOf(systemClock);
  const forever = new AbortController().signal;

  test('reaches a port at which somebody listens, and no other', async () => {
    const listener = await listenLocally(createServer());
    assert.equal(await network.connects('127.0.0.1', listener.port, forever), true);
    listener.stop();
    assert.equal(await network.connects('127.0.0.1', 9, forever), false);
  });

  test('knows addresses as they are', async () => {
    assert.equal(await network.resolves('127.0.0.1', forever), true);
    assert.equal(await network.resolves('[::1]', forever), true);
  });

  test('is not asked any more by somebody who has left', async () => {
    const left = AbortSignal.abort(new Error('left'));
    await assert.rejects(network.connects('127.0.0.1', 9, left), /left/);
  });
});

describe('the way to what a person names', () => {
  const rows: readonly [name: string, url: string, world: World, path: string | undefined][] = [
    ['an address is asked straight', 'http://127.0.0.1:9090', {}, undefined],
    ['a public name is asked straight', 'https://prometheus.example.com', {}, undefined],
    [
      'a Service that answers here is asked straight',
      inCluster,
      { known: ['prometheus.monitoring.svc'] },
      undefined,
    ],
    [
      'a Service that is not known here is asked through the API server',
      inCluster,
      {},
      'monitoring/services/prometheus:9090',
    ],
    [
      'a Service whose name leads nowhere here too',
      inCluster,
      { known: ['prometheus.monitoring.svc'], answering: [] },
      'monitoring/services/prometheus:9090',
    ],
    [
      'a name of two parts that nobody knows may be a Service',
      'https://grafana.monitoring',
      {},
      'monitoring/services/https:grafana:443',
    ],
    [
      'a name of two parts that is known is asked straight, whether or not it answers',
      'https://example.com',
      { known: ['example.com'], answering: [] },
      undefined,
    ],
  ];
  for (const [name, url, world, path] of rows) {
    test(name, async () => {
      const reach = reachIn(world);
      const way = await reach.toNamed(url);
      const expected = path === undefined ? [] : [`/api/v1/namespaces/${path}/proxy`];
      assert.deepEqual(reach.opened, expected);
      assert.equal(way.type, path === undefined ? 'straight' : 'proxied');
      if (path === undefined) assert.equal(way.url, url);
    });
  }

  test('keeps the path of the URL, opens one door for each Service, and knows whose it is', async () => {
    const reach = reachIn({});
    const [first, second] = [
      await reach.toNamed(`${inCluster}/base?tenant=a`),
      await reach.toNamed(inCluster),
    ];
    assert.equal(first.url, 'http://127.0.0.1:40001/secret/base?tenant=a');
    assert.equal(second.url, 'http://127.0.0.1:40001/secret');
    assert.equal(reach.opened.length, 1);
    assert.equal(
      reach.original(`Prometheus at ${first.url} did not answer`),
      `Prometheus at ${inCluster}/base?tenant=a did not answer`,
    );
  });
});

describe('the way to what Prometheus names', () => {
  test('an address that answers is asked straight', async () => {
    const reach = reachIn({ known: ['10.0.0.7'] });
    const way = await reach.toFound('http://10.0.0.7:9093');
    assert.equal(way.type, 'straight');
  });

  test("a pod's address leads to the pod", async () => {
    const reach = reachIn({ pods: [pod] });
    const way = await reach.toFound('http://10.0.0.7:9093/am');
    assert.deepEqual(reach.opened, ['/api/v1/namespaces/monitoring/pods/am-0:9093/proxy']);
    assert.equal(way.type === 'proxied' && way.url, 'http://127.0.0.1:40001/secret/am');
    assert.equal(reach.original('http://127.0.0.1:40001/secret'), 'http://10.0.0.7:9093');
  });

  const none: readonly [name: string, url: string, world: World, says: RegExp][] = [
    ['no pod has', 'http://10.0.0.7:9093', {}, /not the address of one pod; name the/],
    ['several pods share', 'http://10.0.0.7:9093', { pods: [pod, pod] }, /not the address of one/],
    [
      'one may not ask for',
      'http://10.0.0.7:9093',
      { pods: new ClusterError('forbidden', 'pods is forbidden') },
      /whose address it is cannot be asked: pods is forbidden/,
    ],
  ];
  for (const [name, url, world, says] of none) {
    test(`an address that ${name} leads nowhere, with a reason`, async () => {
      const way = await reachIn(world).toFound(url);
      assert.equal(way.type, 'none');
      assert.match(way.type === 'none' ? way.message : '', says);
    });
  }

  test('a name that nobody knows leads nowhere', async () => {
    const way = await reachIn({}).toFound('http://alertmanager:9093');
    assert.match(way.type === 'none' ? way.message : '', /cannot be reached from here; name the/);
  });
});
