/**
 * How an API server treats one object, as far as this program leans on it. The same suite runs over the
 * real one and over the fake that simulation and unit tests use, so that the fake cannot drift from it.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  type Cluster,
  ClusterError,
  type ClusterFault,
  type JsonPatchOperation,
  type KubeObject,
  type ObjectKey,
  type Resource,
} from '#ports/cluster.ts';
import { routeResources } from '#routers/index.ts';
import type { ClusterUnderTest } from './traffic-router.contract.ts';

const route = resourceNamed('HTTPRoute');
const configMap = resourceNamed('ConfigMap');

function resourceNamed(kind: string): Resource {
  const resource = routeResources.find((one) => one.kind === kind);
  if (resource === undefined) throw new Error(`there is no ${kind}`);
  return resource;
}

export function clusterContract(name: string, open: () => Promise<ClusterUnderTest>): void {
  describe(`${name} treats an object as an API server does`, () => {
    let shared: ClusterUnderTest;
    let count = 0;
    before(async () => {
      shared = await open();
    });
    after(async () => {
      await shared.close();
    });
    const bench = (): Bench => {
      count += 1;
      return new Bench(shared.cluster, { namespace: shared.namespace, name: `object-${count}` });
    };

    test('gives a new object a uid, a version, and a generation where it has a spec', async () => {
      const it = bench();
      const made = await it.create(route, { spec: { hostnames: ['a.example.com'] } });
      assert.equal(made.metadata.generation, 1);
      assert.ok(
        made.metadata.uid && made.metadata.resourceVersion && made.metadata.creationTimestamp,
      );
      const map = await it.create(configMap, { data: { a: '1' } });
      assert.equal(map.metadata.generation, undefined);
      await rejects('alreadyExists', it.create(configMap, {}));
    });

    test('makes up a name where only its beginning is given', async () => {
      const it = bench();
      const metadata = { namespace: it.key.namespace, generateName: 'some-' };
      const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...metadata, name: '' } };
      const names = [];
      for (let at = 0; at < 2; at += 1) {
        names.push((await it.cluster.create(configMap, object, it.as('a'))).metadata.name);
      }
      assert.match(names[0] ?? '', /^some-.+/);
      assert.notEqual(names[0], names[1]);
    });

    test('answers nothing or notFound where there is no object', async () => {
      const it = bench();
      assert.equal(await it.get(configMap), undefined);
      await rejects('notFound', it.patch(configMap, [{ op: 'add', path: '/data', value: {} }]));
      await rejects('notFound', it.cluster.mergePatch(configMap, it.key, {}, it.as('a')));
      await rejects('notFound', it.cluster.delete(configMap, it.key, it.as('a')));
    });

    test('lists the metadata of what has all of the labels, in one namespace, and nothing else of it', async () => {
      const it = bench();
      const labels = { 'example.com/list': it.key.name, 'example.com/part': 'a' };
      await it.cluster.create(
        configMap,
        {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { ...it.key, labels, annotations: { note: 'kept' } },
          data: { large: 'x'.repeat(1000) },
        },
        it.as('a'),
      );
      const list = (of: Record<string, string>, namespace = it.key.namespace) =>
        it.cluster.listMetadata(configMap, { namespace, labels: of }, it.as('a').signal);
      const [found, ...others] = await list(labels);
      assert.equal(found?.name, it.key.name);
      assert.equal(found?.annotations?.['note'], 'kept');
      assert.ok(found !== undefined && !('data' in found));
      assert.deepEqual(others, []);
      assert.deepEqual(await list({ ...labels, 'example.com/part': 'b' }), []);
      assert.deepEqual(await list(labels, 'default-elsewhere'), []);
    });

    test('keeps the data of an immutable ConfigMap, and only that', async () => {
      const it = bench();
      const made = await it.create(configMap, { data: { a: '1' } });
      const closed = await it.replace(configMap, { ...made, immutable: true });
      await rejects('invalid', it.replace(configMap, { ...closed, data: { a: '2' } }));
      await rejects('invalid', it.replace(configMap, { ...closed, immutable: false }));
      const labels = { 'example.com/closed': 'yes' };
      const labelled = { ...closed, metadata: { ...closed.metadata, labels } };
      const next = await it.replace(configMap, labelled);
      assert.deepEqual(next.metadata.labels, labels);
    });

    test('refuses a replacement that was made of an old state, or of none', async () => {
      const it = bench();
      const old = await it.create(configMap, { data: { a: '1' } });
      const next = await it.replace(configMap, { ...old, data: { a: '2' } });
      assert.notEqual(next.metadata.resourceVersion, old.metadata.resourceVersion);
      await rejects('conflict', it.replace(configMap, { ...old, data: { a: '3' } }));
      const { resourceVersion: _none, ...metadata } = next.metadata;
      await rejects('invalid', it.replace(configMap, { ...next, metadata }));
      assert.deepEqual((await it.live(configMap))['data'], { a: '2' });
    });

    test('counts generations by the spec alone', async () => {
      const it = bench();
      await it.create(route, { spec: { hostnames: ['a.example.com'] } });
      const labelled = await it.merge(route, { metadata: { labels: { a: '1' } } });
      assert.equal(labelled.metadata.generation, 1);
      const status = await it.cluster.mergePatch(route, it.key, it.status(1), {
        ...it.as('gateway'),
        subresource: 'status',
      });
      assert.equal(status.metadata.generation, 1);
      const changed = await it.merge(route, { spec: { hostnames: ['b.example.com'] } });
      assert.equal(changed.metadata.generation, 2);
    });

    test('keeps status and spec apart', async () => {
      const it = bench();
      const made = await it.create(route, {
        spec: { hostnames: ['a.example.com'] },
        ...it.status(1),
      });
      assert.equal(made['status'], undefined);
      const subresource = { ...it.as('gateway'), subresource: 'status' } as const;
      const both = { ...made, spec: { hostnames: ['b.example.com'] }, ...it.status(1) };
      const stated = await it.cluster.replace(route, both, subresource);
      assert.deepEqual([hostnamesOf(stated), parentsOf(stated)], [['a.example.com'], 1]);
      const cleared = await it.replace(route, { ...stated, status: { parents: [] } });
      assert.equal(parentsOf(cleared), 1);
      assert.equal(cleared.metadata.resourceVersion, stated.metadata.resourceVersion);
    });

    test('writes nothing where nothing changes', async () => {
      const it = bench();
      const made = await it.create(configMap, { data: { a: '1' } });
      const { resourceVersion } = made.metadata;
      const writes = [
        await it.merge(configMap, { data: { a: '1' } }),
        await it.patch(configMap, [{ op: 'replace', path: '/data/a', value: '1' }]),
        await it.replace(configMap, made),
      ];
      for (const write of writes) assert.equal(write.metadata.resourceVersion, resourceVersion);
    });

    test('applies a JSON patch as a whole or not at all', async () => {
      const it = bench();
      const spec = { hostnames: ['a.example.com', 'b.example.com'] };
      const made = await it.create(route, { spec });
      const add = { op: 'add', path: '/metadata/labels', value: { a: '1' } } as const;
      const unfit: JsonPatchOperation[] = [
        { op: 'test', path: '/spec/hostnames/0', value: 'b.example.com' },
        { op: 'test', path: '/spec/hostnames/2', value: 'c.example.com' },
        { op: 'test', path: '/spec/hostnames', value: null },
        { op: 'remove', path: '/spec/hostnames/2' },
        { op: 'remove', path: '/spec/parentRefs' },
        { op: 'replace', path: '/spec/parentRefs/0/matches', value: [] },
        { op: 'add', path: '/spec/parentRefs/0', value: {} },
        { op: 'add', path: '/metadata/annotations/a', value: '1' },
        { op: 'replace', path: '/metadata/resourceVersion', value: '1' },
      ];
      for (const operation of unfit) {
        await rejects('conflict', it.patch(route, [add, operation]), JSON.stringify(operation));
      }
      assert.equal((await it.live(route)).metadata.resourceVersion, made.metadata.resourceVersion);
    });

    test('applies every operation of a JSON patch in its place', async () => {
      const it = bench();
      const made = await it.create(route, {
        spec: { hostnames: ['a.example.com', 'b.example.com'] },
      });
      const version = made.metadata.resourceVersion;
      const patched = await it.patch(route, [
        { op: 'replace', path: '/metadata/resourceVersion', value: version },
        { op: 'test', path: '/metadata/annotations', value: null },
        { op: 'add', path: '/metadata/annotations', value: { 'a/b~c': '1' } },
        { op: 'test', path: '/metadata/annotations/a~1b~0c', value: '1' },
        { op: 'add', path: '/metadata/annotations/d', value: '2' },
        { op: 'remove', path: '/metadata/annotations/a~1b~0c' },
        { op: 'remove', path: '/spec/hostnames/0' },
        { op: 'add', path: '/spec/hostnames/0', value: 'c.example.com' },
        { op: 'add', path: '/spec/hostnames/2', value: 'd.example.com' },
        { op: 'replace', path: '/spec/hostnames/1', value: 'e.example.com' },
      ]);
      assert.deepEqual(patched.metadata.annotations, { d: '2' });
      assert.deepEqual(hostnamesOf(patched), ['c.example.com', 'e.example.com', 'd.example.com']);
    });

    test('merges a merge patch, in which null removes', async () => {
      const it = bench();
      await it.create(configMap, { data: { a: '1', b: '2' } });
      const merged = await it.merge(configMap, { data: { b: null, c: '3' } });
      assert.deepEqual(merged['data'], { a: '1', c: '3' });
    });

    test('changes nothing on a dry run, and says what would be', async () => {
      const it = bench();
      const made = await it.create(configMap, { data: { a: '1' } });
      const options = { ...it.as('a'), dryRun: true };
      const dry = await it.cluster.mergePatch(configMap, it.key, { data: { a: '2' } }, options);
      assert.deepEqual(dry['data'], { a: '2' });
      assert.deepEqual(await it.live(configMap), made);
    });

    test('keeps an object until its finalizers are gone', async () => {
      const it = bench();
      await it.create(configMap, {}, { finalizers: ['genesis.dev/traffic'] });
      await it.cluster.delete(configMap, it.key, it.as('a'));
      assert.ok((await it.live(configMap)).metadata.deletionTimestamp);
      await it.patch(configMap, [{ op: 'remove', path: '/metadata/finalizers/0' }]);
      assert.equal(await it.get(configMap), undefined);
    });

    test('notes who owns a field: whoever changed it last', async () => {
      const it = bench();
      await it.create(configMap, { data: { a: '1', b: '1', d: '1' } });
      await it.merge(configMap, { data: { b: '2', c: '2' } }, 'second');
      await it.merge(configMap, { data: { a: null } }, 'third');
      assert.deepEqual(await it.owners(configMap), {
        'first Update': ['data d'],
        'second Update': ['data b', 'data c'],
      });
    });

    test('notes the owner of a list as a whole, and of the status apart', async () => {
      const it = bench();
      const rulesOf = (weight: number) => [{ backendRefs: [{ name: 'a', port: 80, weight }] }];
      await it.create(route, { spec: { hostnames: ['a.example.com'], rules: rulesOf(1) } });
      const path = '/spec/rules/0/backendRefs/0/weight';
      await it.patch(route, [{ op: 'replace', path, value: 2 }], 'second');
      const options = { ...it.as('gateway'), subresource: 'status' } as const;
      await it.cluster.mergePatch(route, it.key, it.status(1), options);
      assert.deepEqual(await it.owners(route), {
        'first Update': ['spec hostnames'],
        'second Update': ['spec rules'],
        'gateway Update status': ['status parents'],
      });
    });

    test('lets entries of managedFields be removed one by one, and all at once', async () => {
      const it = bench();
      await it.create(configMap, { data: { a: '1' } });
      await it.merge(configMap, { data: { b: '2' } }, 'second');
      const path = '/metadata/managedFields';
      const owners = await it.owners(configMap);
      const { managedFields: _none, ...metadata } = (await it.live(configMap)).metadata;
      await it.replace(configMap, { ...(await it.live(configMap)), metadata });
      assert.deepEqual(await it.owners(configMap), owners);
      const index = (await it.live(configMap)).metadata.managedFields?.findIndex(
        (entry) => entry.manager === 'second',
      );
      await it.patch(configMap, [{ op: 'remove', path: `${path}/${index}` }], 'second');
      assert.deepEqual(await it.owners(configMap), { 'first Update': ['data a'] });
      await it.patch(configMap, [{ op: 'remove', path: `${path}/0` }], 'first');
      assert.deepEqual(await it.owners(configMap), {});
      await it.merge(configMap, { data: { b: '3' } }, 'second');
      await it.patch(configMap, [{ op: 'replace', path, value: [{}] }], 'second');
      assert.deepEqual(await it.owners(configMap), {});
    });

    test('takes an empty managedFields of a custom resource for an oversight', async () => {
      const it = bench();
      await it.create(route, { spec: { hostnames: ['a.example.com'] } });
      const owners = await it.owners(route);
      const path = '/metadata/managedFields';
      await it.patch(route, [{ op: 'replace', path, value: [] }]);
      assert.deepEqual(await it.owners(route), owners);
      await it.patch(route, [{ op: 'replace', path, value: [{}] }]);
      assert.deepEqual(await it.owners(route), {});
    });

    test('applies: takes what is free, refuses what another owns, takes it with force', async () => {
      const it = bench();
      await it.apply(configMap, { data: { a: '1', b: '1' } }, 'first');
      await it.apply(configMap, { data: { a: '1', c: '1' } }, 'second');
      await rejects('conflict', it.apply(configMap, { data: { a: '2' } }, 'second'));
      await it.apply(configMap, { data: { a: '2', c: '1' } }, 'second', { force: true });
      assert.deepEqual((await it.live(configMap))['data'], { a: '2', b: '1', c: '1' });
      assert.deepEqual(await it.owners(configMap), {
        'first Apply': ['data b'],
        'second Apply': ['data a', 'data c'],
      });
    });

    test('applies: removes what the manager no longer names, unless another owns it too', async () => {
      const it = bench();
      await it.apply(configMap, { data: { a: '1', b: '1', c: '1' } }, 'first');
      await it.apply(configMap, { data: { b: '1' } }, 'second');
      await it.apply(configMap, { data: { c: '1' } }, 'first');
      assert.deepEqual((await it.live(configMap))['data'], { b: '1', c: '1' });
    });

    test('applies: an update takes a field away from who applied it', async () => {
      const it = bench();
      await it.apply(configMap, { data: { a: '1', b: '1' } }, 'first');
      await it.merge(configMap, { data: { a: '2' } }, 'second');
      assert.deepEqual(await it.owners(configMap), {
        'first Apply': ['data b'],
        'second Update': ['data a'],
      });
      await rejects('conflict', it.apply(configMap, { data: { a: '1', b: '1' } }, 'first'));
    });
  });
}

/** One object and several writers. */
class Bench {
  readonly cluster: Cluster;
  readonly key: ObjectKey;

  constructor(cluster: Cluster, key: ObjectKey) {
    this.cluster = cluster;
    this.key = key;
  }

  as(fieldManager: string): { fieldManager: string; signal: AbortSignal } {
    return { fieldManager, signal: AbortSignal.timeout(20_000) };
  }

  create(resource: Resource, fields: object, metadata: object = {}): Promise<KubeObject> {
    return this.cluster.create(
      resource,
      this.#object(resource, fields, metadata),
      this.as('first'),
    );
  }

  replace(resource: Resource, object: KubeObject): Promise<KubeObject> {
    return this.cluster.replace(resource, object, this.as('first'));
  }

  patch(
    resource: Resource,
    operations: readonly JsonPatchOperation[],
    manager = 'first',
  ): Promise<KubeObject> {
    return this.cluster.jsonPatch(resource, this.key, operations, this.as(manager));
  }

  merge(resource: Resource, patch: object, manager = 'first'): Promise<KubeObject> {
    return this.cluster.mergePatch(resource, this.key, patch, this.as(manager));
  }

  apply(
    resource: Resource,
    fields: object,
    manager: string,
    options: { force?: boolean } = {},
  ): Promise<KubeObject> {
    return this.cluster.apply(resource, this.#object(resource, fields), {
      ...this.as(manager),
      ...options,
    });
  }

  get(resource: Resource): Promise<KubeObject | undefined> {
    return this.cluster.get(resource, this.key, this.as('').signal);
  }

  async live(resource: Resource): Promise<KubeObject> {
    const object = await this.get(resource);
    assert.ok(object);
    return object;
  }

  /** Owned fields by manager, the kind of its writes and subresource. */
  async owners(resource: Resource): Promise<Record<string, string[]>> {
    const entries = (await this.live(resource)).metadata.managedFields ?? [];
    return Object.fromEntries(
      entries.flatMap(({ manager, operation, subresource, fieldsV1 }) => {
        const leaves = leavesOf(fieldsV1).sort();
        const words = [manager, operation, subresource].filter((word) => word !== undefined);
        return leaves.length === 0 ? [] : [[words.join(' '), leaves]];
      }),
    );
  }

  status(generation: number): { status: object } {
    const condition = {
      type: 'Accepted',
      status: 'True',
      reason: 'Accepted',
      message: '',
      lastTransitionTime: '2026-11-22T00:00:00Z',
      observedGeneration: generation,
    };
    const parent = { parentRef: { name: 'public' }, controllerName: 'example.com/gateway' };
    return { status: { parents: [{ ...parent, conditions: [condition] }] } };
  }

  #object(resource: Resource, fields: object, metadata: object = {}): KubeObject {
    const apiVersion =
      resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
    return { apiVersion, kind: resource.kind, metadata: { ...this.key, ...metadata }, ...fields };
  }
}

/** `f:data` → `f:a` as `data a`; the `.` that stands for a map itself, which the fake leaves out, is no leaf. */
function leavesOf(fields: unknown, path: readonly string[] = []): string[] {
  const keys = typeof fields === 'object' && fields !== null ? Object.keys(fields) : [];
  if (keys.length === 0) return path.length === 0 ? [] : [path.join(' ')];
  const named = keys.filter((key) => key !== '.');
  return named.flatMap((key) =>
    leavesOf(Reflect.get(Object(fields), key), [...path, key.replace(/^f:/, '')]),
  );
}

function hostnamesOf(object: KubeObject): unknown {
  return Reflect.get(Object(object['spec']), 'hostnames');
}

function parentsOf(object: KubeObject): number {
  const parents: unknown = Reflect.get(Object(object['status']), 'parents');
  return Array.isArray(parents) ? parents.length : 0;
}

async function rejects(
  fault: ClusterFault,
  request: Promise<unknown>,
  about?: string,
): Promise<void> {
  await assert.rejects(
    request,
    (error) => {
      assert.ok(error instanceof ClusterError, String(error));
      assert.equal(error.fault, fault, `${error.message} ${about ?? ''}`);
      return true;
    },
    about,
  );
}
