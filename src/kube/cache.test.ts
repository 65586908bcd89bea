import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { KubeObject } from '#ports/cluster.ts';
import { type Change, ObjectCache } from './cache.ts';

interface State {
  readonly uid?: string;
  readonly version?: number | string;
  readonly namespace?: string;
}

function object(
  name: string,
  { uid = `uid-${name}`, version = 1, namespace = 'shop' }: State = {},
) {
  const resourceVersion = String(version);
  const made: KubeObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, uid, resourceVersion },
  };
  return made;
}

function setUp() {
  const changes: string[] = [];
  const word = ({ type, old, new: now }: Change): string => {
    const { name = '', resourceVersion = '' } = (now ?? old)?.metadata ?? {};
    return `${type} ${name}@${resourceVersion}`;
  };
  const cache = new ObjectCache({ onChange: (change) => changes.push(word(change)) });
  return { cache, changes };
}

const a = { namespace: 'shop', name: 'a' };

describe('the cache', () => {
  it('takes newer states and ignores those as old or older', () => {
    const { cache, changes } = setUp();
    for (const version of [5, 5, 3, 9, 7, 10, '10']) cache.put(object('a', { version }));
    assert.deepEqual(changes, ['added a@5', 'modified a@9', 'modified a@10']);
  });

  it('takes any other version when they are no numbers', () => {
    const { cache, changes } = setUp();
    for (const version of ['x', 'x', 'b']) cache.put(object('a', { version }));
    assert.deepEqual(changes, ['added a@x', 'modified a@b']);
  });

  it('sees an object that was made anew under the same name as a deletion and an addition', () => {
    const { cache, changes } = setUp();
    cache.put(object('a', { uid: '1', version: 1 }));
    cache.put(object('a', { uid: '2', version: 5 }));
    assert.deepEqual(changes, ['added a@1', 'deleted a@1', 'added a@5']);
    assert.equal(cache.size, 1);
  });

  it('is not brought back to the predecessor of an object by late news of it', () => {
    const { cache, changes } = setUp();
    cache.put(object('a', { uid: '1', version: 1 }));
    cache.put(object('a', { uid: '2', version: 5 }));
    cache.put(object('a', { uid: '1', version: 9 }));
    cache.delete(object('a', { uid: '1', version: 10 }));
    assert.equal(cache.get(a)?.metadata.uid, '2');
    assert.equal(changes.length, 3);
  });

  it('lets nothing raise the dead', () => {
    const { cache, changes } = setUp();
    cache.put(object('a', { version: 1 }));
    cache.delete(object('a', { version: 2 }));
    cache.put(object('a', { version: 99 }));
    cache.replace([object('a', { version: 1 })], '100');
    cache.delete(object('a', { version: 101 }));
    assert.deepEqual(changes, ['added a@1', 'deleted a@1']);
    assert.equal(cache.size, 0);
  });

  describe('replaced by a list', () => {
    it('tells what came, what changed and what is gone', () => {
      const { cache, changes } = setUp();
      for (const name of ['a', 'b', 'c']) cache.put(object(name));
      changes.length = 0;
      cache.replace([object('a'), object('b', { version: 7 }), object('d', { version: 8 })], '9');
      assert.deepEqual(changes, ['modified b@7', 'added d@8', 'deleted c@1']);
    });

    it('keeps what is newer than the list: our own writes while it was under way', () => {
      const { cache, changes } = setUp();
      cache.put(object('ours', { version: 12 }));
      cache.put(object('changed', { version: 13 }));
      changes.length = 0;
      cache.replace([object('changed', { version: 5 })], '10');
      assert.deepEqual(changes, []);
      assert.equal(cache.size, 2);
    });

    it('of one namespace leaves the others alone', () => {
      const { cache } = setUp();
      cache.put(object('a'));
      cache.put(object('a', { namespace: 'bank', uid: 'other' }));
      cache.replace([], '9', 'bank');
      assert.equal(cache.size, 1);
      assert.notEqual(cache.get(a), undefined);
    });

    it('after a rewound history believes the list, with lower versions too', () => {
      const { cache, changes } = setUp();
      cache.put(object('a', { version: 900 }));
      cache.put(object('b', { version: 901 }));
      cache.put(object('c', { version: 902 }));
      cache.delete(object('c', { version: 903 }));
      changes.length = 0;
      cache.rewind();
      cache.replace([object('a', { version: 3 }), object('c', { version: 4 })], '10');
      assert.deepEqual(changes, ['modified a@3', 'added c@4', 'deleted b@']);
    });
  });

  it('gives all, or those of a namespace, and forgets those without a word', () => {
    const { cache, changes } = setUp();
    cache.put(object('a'));
    cache.put(object('b', { namespace: 'bank' }));
    const names = (namespace?: string): string[] =>
      cache.all(namespace).map(({ metadata }) => metadata.name);
    assert.deepEqual([names(), names('bank'), names('none')], [['a', 'b'], ['b'], []]);
    cache.forget('bank');
    assert.deepEqual(names(), ['a']);
    assert.equal(changes.length, 2);
  });

  it('ends where the server is, however events, lists and answers of writes are mixed up', () => {
    // The truth: a history of states of three names. What arrives: any of them, in any order and as
    // often as you like, with the list of any moment; in the end the newest list.
    const write = fc.record({ name: fc.constantFrom('a', 'b', 'c'), isDeletion: fc.boolean() });
    const arrival = fc.record({ at: fc.nat(60), isList: fc.boolean() });
    fc.assert(
      fc.property(fc.array(write, { maxLength: 30 }), fc.array(arrival), (writes, arrivals) => {
        const { history, lists } = happen(writes);
        const alive = new Map<string, string>();
        const cache = new ObjectCache({ onChange: (change) => follow(alive, change) });
        for (const { at, isList } of arrivals) {
          const list = lists[at % lists.length];
          const event = history[at % Math.max(1, history.length)];
          if (isList && list !== undefined) cache.replace(list.objects, list.version);
          else if (event?.isDeleted === true) cache.delete(event.object);
          else if (event !== undefined) cache.put(event.object);
        }
        const last = lists.at(-1) ?? assert.fail();
        cache.replace(last.objects, last.version);
        const versions = (objects: readonly KubeObject[]): string[] =>
          objects.map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`).sort();
        assert.deepEqual(versions(cache.all()), versions(last.objects));
        // Whoever only heard the changes knows the same.
        assert.deepEqual(
          [...alive].map(([name, at]) => `${name}@${at}`).sort(),
          versions(cache.all()),
        );
        assert.equal(cache.size, last.objects.length);
      }),
      { numRuns: 500 },
    );
  });
});

interface Happened {
  readonly history: readonly { readonly object: KubeObject; readonly isDeleted: boolean }[];
  readonly lists: readonly { readonly objects: readonly KubeObject[]; readonly version: string }[];
}

function happen(
  writes: readonly { readonly name: string; readonly isDeletion: boolean }[],
): Happened {
  const history: { object: KubeObject; isDeleted: boolean }[] = [];
  const current = new Map<string, KubeObject>();
  const lists = [{ objects: [] as KubeObject[], version: '1' }];
  let version = 1;
  for (const { name, isDeletion } of writes) {
    const known = current.get(name);
    if (isDeletion && known === undefined) continue;
    version += 1;
    const uid = known?.metadata.uid ?? `uid-${version}`;
    const next = object(name, { uid, version });
    if (isDeletion) current.delete(name);
    else current.set(name, next);
    history.push({ object: next, isDeleted: isDeletion });
    lists.push({ objects: [...current.values()], version: String(version) });
  }
  return { history, lists };
}

function follow(alive: Map<string, string>, { type, old, new: now }: Change): void {
  const { name = '', resourceVersion = '' } = (now ?? old)?.metadata ?? {};
  if (type === 'added') assert.equal(alive.has(name), false, `${name} added twice`);
  else assert.equal(alive.has(name), true, `${name} ${type}, but was not there`);
  if (type === 'deleted') alive.delete(name);
  else alive.set(name, resourceVersion);
}
