/**
 * What every router promises, whatever it writes to and whichever cluster holds it. The same suite runs
 * over the in-memory API server and over a real one.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fieldManager } from '#api/names.ts';
import {
  type Cluster,
  ClusterError,
  type KubeObject,
  type ObjectKey,
  type Resource,
} from '#ports/cluster.ts';
import { silentLogger } from '#ports/logger.ts';
import type {
  RouteReading,
  RouteTarget,
  RouteWrite,
  TrafficRouter,
} from '#ports/traffic-router.ts';
import { createRouters } from '#routers/index.ts';
import { ObservedCluster } from '#test/fakes/observed-cluster.ts';

/** One kind of object under the contract. */
export interface RouterSubject {
  /** How the suite is called. */
  readonly name: string;
  readonly resource: Resource;
  /** As a person or Git would write it, with canary at this share. */
  manifest(key: ObjectKey, weight: number): KubeObject;
  target(key: ObjectKey): RouteTarget;
  /** The object's content with its weights blotted out: what no write of ours may change. */
  withoutWeights(object: KubeObject): unknown;
  /** True while a request that is split can reach canary. */
  reachesCanary(object: KubeObject): boolean;
  /** True where the canary cannot be told from a weight of 0 after isolation, so that it may be raised again. */
  readonly isolationIsWeightZero: boolean;
}

/** A cluster with a namespace of its own. */
export interface ClusterUnderTest {
  readonly cluster: Cluster;
  readonly namespace: string;
  close(): Promise<void>;
}

const gitOps = 'gitops';
const LIMIT_MS = 20_000;

export function trafficRouterContract(
  subject: RouterSubject,
  open: () => Promise<ClusterUnderTest>,
): void {
  describe(`${subject.name} keeps the contract of a traffic router`, () => {
    let shared: ClusterUnderTest;
    let count = 0;
    before(async () => {
      shared = await open();
    });
    after(async () => {
      await shared.close();
    });
    const start = async (weight: number): Promise<Bench> => {
      count += 1;
      const bench = new Bench(subject, shared, `${subject.resource.kind.toLowerCase()}-${count}`);
      await bench.applyByGit(weight);
      await bench.catchUp();
      return bench;
    };

    test('sets 50, 100 and 0 and reads each back', async () => {
      const bench = await start(0);
      for (const weight of [50, 100, 0]) {
        const write = await bench.set(weight);
        assert.deepEqual(shareOf(readingOf(write)), { weight, uniform: true });
        assert.deepEqual(shareOf(bench.read()), { weight, uniform: true });
        await bench.catchUp();
        assert.deepEqual(shareOf(bench.read()), { weight, uniform: true });
      }
    });

    test('writes nothing when the weights already stand so', async () => {
      const bench = await start(0);
      await bench.set(0);
      assert.equal(bench.cluster.writeCount, 0);
      for (const weight of [50, 100, 0]) {
        await bench.set(weight);
        const writeCount: number = bench.cluster.writeCount;
        const version = versionOf(bench.read());
        assert.equal((await bench.set(weight)).type, 'written');
        assert.equal(bench.cluster.writeCount, writeCount);
        assert.equal(versionOf(bench.read()), version);
      }
    });

    test('does not raise on an object that has changed since it was read', async () => {
      const bench = await start(0);
      await bench.touch();
      assert.equal((await bench.set(50)).type, 'conflict');
      assert.equal(await bench.liveWeight(), 0);
      assert.equal((await bench.set(50)).type, 'written', 'the conflict has brought the cache up');
    });

    test('lowers to 0 an object that has changed since it was read', async () => {
      const bench = await start(50);
      await bench.touch();
      assert.equal(weightOf(readingOf(await bench.set(0))), 0);
      assert.equal(await bench.liveWeight(), 0);
      assert.equal(bench.cluster.writeCount, 1, 'at the first try');
    });

    test('lowers to 0 when the weights are changed back between reading and writing', async () => {
      const bench = await start(50);
      let changes = 0;
      bench.cluster.beforeWrite = async () => {
        if (changes < 2) await bench.applyByGit(changes % 2 === 0 ? 80 : 60, { force: true });
        changes += 1;
      };
      assert.equal(weightOf(readingOf(await bench.set(0))), 0);
      assert.equal(await bench.liveWeight(), 0);
    });

    test('leaves everything but the weights as it was', async () => {
      const bench = await start(0);
      const before = JSON.stringify(subject.withoutWeights(await bench.live()));
      for (const weight of [50, 100, 7, 0]) {
        assert.equal(weightOf(readingOf(await bench.set(weight))), weight);
        assert.equal(JSON.stringify(subject.withoutWeights(await bench.live())), before);
      }
      assert.equal(weightOf(readingOf(await bench.release(0))), 0);
      assert.equal(JSON.stringify(subject.withoutWeights(await bench.live())), before);
    });

    test('says that an object is missing, and writes none', async () => {
      const bench = new Bench(subject, shared, 'nobody-made-this');
      assert.equal(bench.read().type, 'missing');
      for (const write of [
        await bench.set(0),
        await bench.set(50),
        await bench.isolate(),
        await bench.release(0),
      ]) {
        assert.equal(write.type, 'refused');
        assert.equal(write.type === 'refused' && write.reason, 'RouteNotFound');
      }
      assert.equal(await bench.find(), undefined);
    });

    test('sees a change by another writer, and who made it', async () => {
      const bench = await start(0);
      await bench.set(50);
      assert.equal(writerOf(bench.read()), fieldManager);
      await bench.applyByGit(10, { force: true });
      await bench.catchUp();
      assert.equal(weightOf(bench.read()), 10);
      assert.equal(writerOf(bench.read()), gitOps);
      await bench.set(50);
      assert.equal(weightOf(bench.read()), 50);
      assert.equal(writerOf(bench.read()), fieldManager);
    });

    // Even the same weights conflict on a route whose manifest leaves anything to the schema's defaults:
    // the server compares the atomic list before it fills them in.
    test('refuses another manager that applies another weight without force while it owns them', async () => {
      const bench = await start(0);
      await bench.set(50);
      await assert.rejects(bench.applyByGit(0), isFault('conflict'));
      assert.equal(await bench.liveWeight(), 50);
    });

    test('lets another manager apply without force once it has released', async () => {
      const bench = await start(0);
      await bench.set(50);
      await bench.set(0);
      await bench.release(0);
      await bench.applyByGit(30);
      assert.equal(await bench.liveWeight(), 30);
    });

    test('gives up every field on release and puts the declared weight back', async () => {
      const bench = await start(20);
      await bench.set(50);
      assert.equal(ownedOf(bench.read()), true);
      const reading = readingOf(await bench.release(20));
      assert.deepEqual([weightOf(reading), ownedOf(reading)], [20, false]);
      const managers = (await bench.live()).metadata.managedFields?.map((entry) => entry.manager);
      assert.ok(managers?.includes(gitOps));
      assert.ok(!managers?.includes(fieldManager));
      const writeCount = bench.cluster.writeCount;
      assert.equal((await bench.release(20)).type, 'written');
      assert.equal(bench.cluster.writeCount, writeCount);
    });

    test('gives up every field of an object of which no other manager has one left', async () => {
      const bench = await start(0);
      await bench.set(50);
      await bench.keepOnlyOurFields();
      const reading = readingOf(await bench.release(0));
      assert.deepEqual([weightOf(reading), ownedOf(reading)], [0, false]);
      assert.deepEqual((await bench.live()).metadata.managedFields ?? [], []);
    });

    test('gives up the fields that it was given in several ways', async () => {
      const bench = await start(0);
      await bench.set(50);
      await bench.applyByGit(0, { force: true, as: fieldManager });
      await bench.catchUp();
      await bench.set(50);
      const ours = (await bench.live()).metadata.managedFields?.filter(
        (entry) => entry.manager === fieldManager,
      );
      assert.deepEqual(ours?.map((entry) => entry.operation).sort(), ['Apply', 'Update']);
      assert.equal(ownedOf(readingOf(await bench.release(0))), false);
      const managers = (await bench.live()).metadata.managedFields?.map((entry) => entry.manager);
      assert.ok(managers?.includes(gitOps));
      assert.ok(!managers?.includes(fieldManager));
    });

    test('does not release an object that has changed since it was read', async () => {
      const bench = await start(0);
      await bench.set(50);
      await bench.touch();
      assert.equal((await bench.release(0)).type, 'conflict');
      assert.equal(await bench.liveWeight(), 50);
    });

    test('marks the run that is rolled back in the same request, until another write moves it', async () => {
      const bench = await start(0);
      await bench.set(50);
      const writeCount = bench.cluster.writeCount;
      const lowered = readingOf(await bench.set(0, 'run-1'));
      assert.deepEqual([weightOf(lowered), markOf(lowered)], [0, 'run-1']);
      assert.equal(bench.cluster.writeCount, writeCount + 1);
      await bench.set(0, 'run-1');
      assert.equal(bench.cluster.writeCount, writeCount + 1);
      assert.equal(markOf(readingOf(await bench.set(50))), undefined);
    });

    test('marks a rollback that finds the weight at 0 already, and takes the mark away on release', async () => {
      const bench = await start(0);
      assert.equal(markOf(readingOf(await bench.set(0, 'run-1'))), 'run-1');
      assert.equal(markOf(readingOf(await bench.release(0))), undefined);
    });

    test('makes canary unreachable by isolation, also at full weight and on a stale read', async () => {
      const bench = await start(0);
      await bench.set(100);
      assert.equal(subject.reachesCanary(await bench.live()), true);
      await bench.touch();
      assert.deepEqual(shareOf(readingOf(await bench.isolate())), { weight: 0, uniform: true });
      assert.equal(subject.reachesCanary(await bench.live()), false);
      const writeCount = bench.cluster.writeCount;
      assert.equal((await bench.isolate()).type, 'written');
      assert.equal((await bench.set(0)).type, 'written');
      assert.equal(bench.cluster.writeCount, writeCount);
      if (!subject.isolationIsWeightZero) {
        const write = await bench.set(50);
        assert.equal(write.type === 'refused' && write.reason, 'Isolated');
      }
    });

    test('brings back with weight 0 what isolation has taken away, so that it can be split again', async () => {
      const bench = await start(10);
      const before = JSON.stringify(subject.withoutWeights(await bench.live()));
      await bench.set(50);
      await bench.isolate();
      const back = readingOf(await bench.rejoin());
      assert.deepEqual(shareOf(back), { weight: 0, uniform: true });
      assert.equal(JSON.stringify(subject.withoutWeights(await bench.live())), before);
      const writeCount = bench.cluster.writeCount;
      await bench.rejoin();
      assert.equal(bench.cluster.writeCount, writeCount);
      assert.equal(weightOf(readingOf(await bench.set(50))), 50);
    });

    test('brings back on release what isolation has taken away', async () => {
      const bench = await start(10);
      const before = JSON.stringify(subject.withoutWeights(await bench.live()));
      await bench.set(50);
      await bench.isolate();
      assert.equal(weightOf(readingOf(await bench.release(10))), 10);
      assert.equal(JSON.stringify(subject.withoutWeights(await bench.live())), before);
      assert.equal(ownedOf(bench.read()), false);
    });

    test('keeps its deadline', async () => {
      const bench = await start(0);
      const passed = AbortSignal.abort();
      await assert.rejects(
        bench.router.setWeight(bench.target, 50, { signal: passed }),
        isFault('timeout'),
      );
      assert.equal(await bench.liveWeight(), 0);
    });
  });
}

/** One object, our router on it, and the others who write it. */
class Bench {
  readonly cluster: ObservedCluster;
  readonly router: TrafficRouter;
  readonly target: RouteTarget;
  readonly #subject: RouterSubject;
  /** As everybody else sees it: behind our cache's back. */
  readonly #direct: Cluster;
  readonly #key: ObjectKey;

  constructor(subject: RouterSubject, { cluster, namespace }: ClusterUnderTest, name: string) {
    this.#subject = subject;
    this.#direct = cluster;
    this.#key = { namespace, name };
    this.cluster = new ObservedCluster(cluster);
    this.target = subject.target(this.#key);
    const router = createRouters(this.cluster, silentLogger)(subject.resource.kind);
    assert.ok(router, `a router serves ${subject.resource.kind}`);
    this.router = router;
  }

  read(): RouteReading {
    return this.router.read(this.target);
  }

  async set(weight: number, rollbackOf?: string): Promise<RouteWrite> {
    const mark = rollbackOf === undefined ? {} : { rollbackOf };
    return await this.router.setWeight(this.target, weight, { signal: limit(), ...mark });
  }

  async isolate(): Promise<RouteWrite> {
    return await this.router.isolate(this.target, limit());
  }

  async rejoin(): Promise<RouteWrite> {
    return await this.router.rejoin(this.target, limit());
  }

  async release(declared: number): Promise<RouteWrite> {
    return await this.router.release(this.target, declared, limit());
  }

  async catchUp(): Promise<void> {
    await this.cluster.catchUp(this.#subject.resource, this.#key, limit());
  }

  async find(): Promise<KubeObject | undefined> {
    return await this.#direct.get(this.#subject.resource, this.#key, limit());
  }

  async live(): Promise<KubeObject> {
    const object = await this.find();
    assert.ok(object);
    return object;
  }

  /** What a router with an up-to-date cache would say. */
  async liveWeight(): Promise<number> {
    const fresh = new ObservedCluster(this.#direct);
    await fresh.catchUp(this.#subject.resource, this.#key, limit());
    const router = createRouters(fresh, silentLogger)(this.#subject.resource.kind);
    assert.ok(router);
    return weightOf(router.read(this.target));
  }

  async applyByGit(weight: number, options: { force?: boolean; as?: string } = {}): Promise<void> {
    const manifest = this.#subject.manifest(this.#key, weight);
    await this.#direct.apply(this.#subject.resource, manifest, {
      fieldManager: options.as ?? gitOps,
      signal: limit(),
      force: options.force === true,
    });
  }

  /** Somebody writes something that has nothing to do with weights. */
  async touch(): Promise<void> {
    const patch = { metadata: { labels: { touched: 'yes' } } };
    const options = { fieldManager: 'kubectl', signal: limit() };
    await this.#direct.mergePatch(this.#subject.resource, this.#key, patch, options);
  }

  async keepOnlyOurFields(): Promise<void> {
    const ours = (await this.live()).metadata.managedFields?.filter(
      (entry) => entry.manager === fieldManager,
    );
    assert.equal(ours?.length, 1);
    const operation = { op: 'replace', path: '/metadata/managedFields', value: ours } as const;
    await this.cluster.jsonPatch(this.#subject.resource, this.#key, [operation], {
      signal: limit(),
    });
  }
}

type Read = Extract<RouteReading, { type: 'read' }>;

function isRead(reading: RouteReading): asserts reading is Read {
  assert.equal(reading.type, 'read', JSON.stringify(reading));
}

function readingOf(write: RouteWrite): RouteReading {
  assert.ok(write.type === 'written', JSON.stringify(write));
  return write.reading;
}

function shareOf(reading: RouteReading): { weight: number; uniform: boolean } {
  isRead(reading);
  return { weight: reading.weight, uniform: reading.uniform };
}

function weightOf(reading: RouteReading): number {
  return shareOf(reading).weight;
}

function versionOf(reading: RouteReading): string {
  isRead(reading);
  return reading.resourceVersion;
}

function writerOf(reading: RouteReading): string | undefined {
  isRead(reading);
  return reading.writtenBy;
}

function ownedOf(reading: RouteReading): boolean {
  isRead(reading);
  return reading.owned;
}

function markOf(reading: RouteReading): string | undefined {
  isRead(reading);
  return reading.rolledBackRun;
}

function isFault(fault: ClusterError['fault']): (error: unknown) => boolean {
  return (error) => error instanceof ClusterError && error.fault === fault;
}

function limit(): AbortSignal {
  return AbortSignal.timeout(LIMIT_MS);
}
