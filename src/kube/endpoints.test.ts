import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '#ports/cluster.ts';
import { ObjectCache } from './cache.ts';
import { compactSlice, watchEndpoints } from './endpoints.ts';
import type { Watch, WatchOptions } from './watches.ts';

type Endpoint = readonly [uid: string, conditions?: object];
let version = 0;

function slice(name: string, service: string, endpoints: readonly Endpoint[]): KubeObject {
  version += 1;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name,
      namespace: 'shop',
      uid: `uid-${name}`,
      resourceVersion: String(version),
      labels: { 'kubernetes.io/service-name': service, other: 'x' },
      annotations: { huge: 'x'.repeat(1_000) },
    },
    addressType: 'IPv4',
    endpoints: endpoints.map(([uid, conditions]) => ({
      addresses: [`10.0.0.${uid}`],
      ...(conditions === undefined ? {} : { conditions }),
      targetRef: { kind: 'Pod', name: `pod-${uid}`, uid },
    })),
    ports: [{ port: 80 }],
  };
}

function setUp() {
  const changed: string[] = [];
  let cache = new ObjectCache({ onChange: () => undefined });
  let transform = (object: KubeObject): KubeObject => object;
  const endpoints = watchEndpoints({
    onChange: (namespace, service) => changed.push(`${namespace}/${service}`),
    cluster: {
      watch: (_, options: WatchOptions = {}) => {
        cache = new ObjectCache({ onChange: (change) => options.onChange?.(change) });
        transform = options.transform ?? transform;
        return {} as Watch;
      },
    },
  });
  const put = (object: KubeObject): void => cache.put(transform(object));
  const ready = (service: string): number => endpoints.ready('shop', service);
  return { changed, put, ready, remove: (object: KubeObject) => cache.delete(object) };
}

describe('ready endpoints', () => {
  const table: readonly (readonly [string, Endpoint, number])[] = [
    ['ready', ['1', { ready: true }], 1],
    ['not ready', ['1', { ready: false }], 0],
    ['unknown, which counts as ready', ['1', {}], 1],
    ['without conditions', ['1'], 1],
    [
      'terminating though still serving',
      ['1', { ready: false, serving: true, terminating: true }],
      0,
    ],
    [
      'terminating of a service that publishes unready ones',
      ['1', { ready: true, terminating: true }],
      0,
    ],
  ];
  for (const [what, endpoint, want] of table) {
    it(`${what}: ${want}`, () => {
      const { put, ready } = setUp();
      put(slice('s', 'web', [endpoint]));
      assert.equal(ready('web'), want);
    });
  }

  it('are those of all slices of a service, each pod once', () => {
    const { put, ready } = setUp();
    put(slice('v4', 'web', [['1'], ['2']]));
    put(slice('v6', 'web', [['2'], ['3'], ['1']]));
    put(slice('other', 'api', [['9']]));
    assert.equal(ready('web'), 3);
    assert.equal(ready('api'), 1);
    assert.equal(ready('none'), 0);
  });

  it('tell when their number changes, and only then', () => {
    const { put, ready, changed, remove } = setUp();
    put(slice('s', 'web', [['1']]));
    put(slice('s', 'web', [['2']]));
    const last = slice('s', 'web', [['2'], ['3', { ready: false }]]);
    put(last);
    assert.deepEqual(changed, ['shop/web']);
    remove(last);
    assert.deepEqual(changed, ['shop/web', 'shop/web']);
    assert.equal(ready('web'), 0);
  });

  it('move with a slice that is given to another service', () => {
    const { put, ready, changed } = setUp();
    put(slice('s', 'web', [['1']]));
    put(slice('s', 'api', [['1']]));
    assert.deepEqual([ready('web'), ready('api')], [0, 1]);
    assert.deepEqual(changed, ['shop/web', 'shop/web', 'shop/api']);
  });

  it('survive slices of any shape', () => {
    const { put, ready } = setUp();
    const odd = { ...slice('s', 'web', []), endpoints: [null, 7, {}, { addresses: 'x' }] };
    put(odd);
    assert.equal(ready('web'), 1);
    put({ ...slice('t', 'web', []), endpoints: null });
    put({ ...slice('u', 'web', []), metadata: { name: 'u', namespace: 'shop' } });
    assert.equal(ready('web'), 1);
  });

  it('are all that is kept of a slice', () => {
    const kept = compactSlice(slice('s', 'web', [['1'], ['2']]));
    assert.ok(JSON.stringify(kept).length < 300, JSON.stringify(kept));
  });
});
