/**
 * The shell over an in-memory API server: what it does in which order, and that no spec, however strange, and
 * no status, however old, makes a look fail.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { rolloutSpecSchema } from '#api/rollout.ts';
import type { RolloutStatus } from '#api/status.ts';
import { rolloutKey } from '#controller/keys.ts';
import { type Reconciler, reconcile } from '#controller/reconcile.ts';
import { RolloutIndex } from '#controller/rollout-index.ts';
import type { Answer, MetricQuestion } from '#core/answer.ts';
import { ClusterError, type KubeObject } from '#ports/cluster.ts';
import type { EventNote } from '#ports/event-recorder.ts';
import { type Announcer, noAnnouncer } from '#ports/notifier.ts';
import { routeResources } from '#routers/index.ts';
import { systemClock } from '#runtime/clock.ts';
import { Turns } from '#runtime/turns.ts';
import { arbitraryBroken, arbitrarySpec } from '#test/arbitraries.ts';
import { FakeApiServer, FakeCluster } from '#test/fakes/cluster.ts';
import { OutboxWorld } from '#test/notifiers/outbox-world.ts';
import { quietShell } from '#test/shell.ts';
import { key, rolloutObject, rolloutResource, routeObject } from '#test/simulation/scenario.ts';

interface Bench {
  readonly server: FakeApiServer;
  readonly cluster: FakeCluster;
  readonly shell: Reconciler;
  readonly events: EventNote[];
  nowMs: number;
  answer: (question: MetricQuestion) => Answer;
  look(): Promise<unknown>;
  status(): RolloutStatus;
}

function healthy(question: MetricQuestion): Answer {
  if (question.query.startsWith('bad')) {
    return question.type === 'instant'
      ? { type: 'samples', samples: [], skewMs: 0 }
      : { type: 'series', series: [], skewMs: 0 };
  }
  return question.type === 'instant'
    ? { type: 'samples', samples: [{ labels: {}, value: 10, atMs: question.atMs }], skewMs: 0 }
    : { type: 'series', series: [], skewMs: 0 };
}

function failing({ type, query, ...window }: MetricQuestion): Answer {
  const value = query.startsWith('bad') ? 5 : 10;
  if (type === 'instant') {
    return { type: 'samples', samples: [{ labels: {}, value, atMs: 0 }], skewMs: 0 };
  }
  const points = [];
  const { startMs, endMs, stepMs } = { startMs: 0, endMs: -1, stepMs: 1, ...window };
  for (let atMs = startMs; atMs <= endMs; atMs += stepMs) points.push({ atMs, value });
  return { type: 'series', series: [{ labels: {}, points }], skewMs: 0 };
}

function bench(rollout: KubeObject): Bench {
  const server = new FakeApiServer();
  server.seed(rolloutResource, rollout);
  for (const resource of routeResources) {
    if (resource.kind === 'HTTPRoute') server.seed(resource, routeWithoutParents());
  }
  const cluster = new FakeCluster({ server });
  const index = new RolloutIndex();
  const spec = rolloutSpecSchema.safeParse(rollout['spec']);
  if (spec.success) index.set({ ...key, createdAtMs: 0, traffic: spec.data.traffic });
  const events: EventNote[] = [];
  const made: Bench = {
    server,
    cluster,
    events,
    nowMs: Date.UTC(2026, 10, 22, 12),
    answer: healthy,
    shell: quietShell({
      clock: { ...systemClock, now: () => made.nowMs },
      cluster,
      index,
      ask: (question) => Promise.resolve(made.answer(question)),
      events: { record: (note) => events.push(note) },
    }),
    look: () => reconcile(key, made.shell, new AbortController().signal),
    status: () => server.get(rolloutResource, key)?.['status'] ?? {},
  };
  return made;
}

/** Nobody has to accept it. */
function routeWithoutParents(): KubeObject {
  const route = routeObject();
  const spec = route['spec'] as { rules: unknown };
  return { ...route, spec: { rules: spec.rules } };
}

/** Looks at 5-second ticks until the run stands at this step, at most a few minutes. */
async function until(one: Bench, isThere: (status: RolloutStatus) => boolean): Promise<void> {
  for (let n = 0; n < 200; n += 1) {
    await one.look();
    if (isThere(one.status())) return;
    one.nowMs += 1_000;
  }
  assert.fail(`not there: ${JSON.stringify(one.status(), null, 1)}`);
}

const atHalf = (status: RolloutStatus) =>
  status.weight === 50 && status.stepEnteredAt !== undefined;

describe('a look at a rollout', () => {
  test('writes the record of the spec before the status that names it', async () => {
    const one = bench(rolloutObject('v2'));
    await one.look();
    const kinds = one.cluster.writes.map(({ resource, subresource }) =>
      [resource.kind, subresource].filter(Boolean).join('/'),
    );
    assert.deepEqual(kinds, ['GenesisRollout', 'ControllerRevision', 'GenesisRollout/status']);
  });

  test('writes the status of a step before its weight', async () => {
    const one = bench(rolloutObject('v2'));
    await until(one, (status) => status.step === 'half');
    const kinds = one.cluster.writes.map(({ resource }) => resource.kind);
    assert.deepEqual(kinds.slice(-2), ['GenesisRollout', 'HTTPRoute']);
  });

  test('lowers the route before it writes that it rolls back', async () => {
    const one = bench(rolloutObject('v2'));
    await until(one, atHalf);
    const before = one.cluster.writes.length;
    one.answer = failing;
    await until(one, (status) => status.rollback !== undefined);
    const kinds = one.cluster.writes.slice(before).map(({ resource }) => resource.kind);
    const first = kinds.indexOf('HTTPRoute');
    assert.ok(first >= 0 && kinds.lastIndexOf('GenesisRollout') > first, kinds.join(' '));
    assert.equal(one.status().phase, 'RollingBack');
  });

  test('lowers the route at the very moment that it would without a channel that hangs', async () => {
    const world = new OutboxWorld({ routing: { default: [{ channel: 'chat' }] } });
    world.channel().behaviour = 'hang';
    world.store.trouble = 'none';
    const zeroAt = async (people: Announcer): Promise<number> => {
      const one = bench(rolloutObject('v2'));
      const shell = { ...one.shell, people };
      one.look = async () => {
        await reconcile(key, shell, new AbortController().signal);
        await world.pass(1_000);
      };
      await until(one, atHalf);
      one.answer = failing;
      await until(one, (status) => status.rollback !== undefined);
      return one.nowMs;
    };
    const without = await zeroAt(noAnnouncer);
    const beside = await zeroAt(world.outbox);
    assert.equal(beside - without, 0);
    assert.ok(world.channel().tried.length > 0, 'the channel was tried');
    assert.deepEqual(world.told(), []);
  });

  test('lowers the route although no status can be written', async () => {
    const one = bench(rolloutObject('v2'));
    await until(one, atHalf);
    one.answer = failing;
    one.cluster.before = ({ subresource }) => {
      if (subresource === 'status') throw new ClusterError('unavailable', 'no status today');
    };
    for (let n = 0; n < 60; n += 1) {
      one.nowMs += 1_000;
      await one.look().catch((error: unknown) => assert.ok(error instanceof ClusterError));
    }
    const [route] = one.server.list(one.cluster.writes.at(-1)?.resource ?? rolloutResource);
    const routes = routeResources.flatMap((resource) => one.server.list(resource));
    const text = JSON.stringify(routes[0]?.['spec']);
    assert.ok(route !== undefined);
    assert.match(text, /"canary","port":80,"weight":0/);
  });

  test('writes nothing at all while nothing changes', async () => {
    const one = bench(rolloutObject('v2'));
    await until(one, atHalf);
    await one.look();
    const before = one.cluster.writes.length;
    for (let n = 0; n < 20; n += 1) {
      one.nowMs += 5_000;
      await one.look();
    }
    assert.equal(one.cluster.writes.length, before);
  });

  test('by a new process reads the record of the spec only where the spec is another one by now', async () => {
    const one = bench(rolloutObject('v2'));
    await until(one, atHalf);
    const successor = () => {
      const cluster = new FakeCluster({ server: one.server });
      const { clock, index, ask } = one.shell;
      const shell = quietShell({ clock, cluster, index, ask });
      const recordsRead = () =>
        cluster.requests.filter(
          ({ verb, resource }) => verb === 'get' && resource.kind === 'ControllerRevision',
        ).length;
      const look = () => reconcile(key, shell, new AbortController().signal);
      return { look, recordsRead };
    };
    const second = successor();
    await second.look();
    assert.equal(second.recordsRead(), 0);
    assert.equal(one.status().phase, 'Progressing');

    // A broken edit: the run goes on under what was recorded.
    const broken = { spec: { triggers: [{ name: 'x' }] } };
    one.server.mergePatch(rolloutResource, key, broken, { fieldManager: 'kubectl' });
    const third = successor();
    await third.look();
    assert.equal(third.recordsRead(), 1);
    const accepted = one.status().conditions?.find(({ type }) => type === 'Accepted');
    assert.equal(accepted?.reason, 'InvalidSpec');
    assert.equal(one.status().weight, 50);
    assert.equal(one.status().triggers?.[0]?.name, 'errors');
  });

  test('waits for its turn with everything but what stops traffic', async () => {
    const one = bench(rolloutObject('v2'));
    const called: string[] = [];
    const turns = new Turns({ placesMax: 1, call: (name) => called.push(name) });
    const shell = { ...one.shell, turns };
    one.look = () => reconcile(key, shell, new AbortController().signal);
    const lookFor = async (seconds: number): Promise<void> => {
      for (let n = 0; n < seconds; n += 1) {
        one.nowMs += 1_000;
        await one.look();
      }
    };
    const takePlace = () => {
      const other = turns.begin('another');
      assert.ok(other.take({ isBeginning: false }));
      return other;
    };

    const first = takePlace();
    assert.deepEqual(await one.look(), { type: 'onChange' }, 'nothing has begun');
    await lookFor(10);
    assert.equal(one.cluster.writes.length, 0);
    assert.equal(turns.waitingCount, 1);
    assert.deepEqual(one.events, []);
    first.end();
    assert.deepEqual(called, [rolloutKey(key)]);
    await until(one, atHalf);

    const second = takePlace();
    const before = one.cluster.writes.length;
    await lookFor(3_600);
    assert.equal(one.cluster.writes.length, before, 'not promoted out of turn');
    const back = await reconcile(key, shell, new AbortController().signal);
    assert.ok(back.type === 'at' && back.atMs > one.nowMs, 'evaluated as ever, and not at once');
    one.answer = failing;
    await until(one, (status) => status.rollback !== undefined);
    second.end();
  });

  test('does not set a route again once the rollout is another one than it read', async () => {
    const one = bench(rolloutObject('v2'));
    one.cluster.before = ({ resource }) => {
      if (resource.kind === 'HTTPRoute') throw new ClusterError('unavailable', 'no route today');
    };
    // Half is entered and written down; there is nothing more to say until the route follows.
    for (let n = 0; n < 75; n += 1) {
      one.nowMs += 1_000;
      await one.look().catch((error: unknown) => assert.ok(error instanceof ClusterError));
    }
    one.cluster.before = undefined;
    one.cluster.pauseWatch();
    const held = { metadata: { annotations: { by: 'another leader' } } };
    one.server.mergePatch(rolloutResource, key, held, { fieldManager: 'other' });
    const routeWrites = () =>
      one.cluster.writes.filter(({ resource }) => resource.kind === 'HTTPRoute').length;
    const before = routeWrites();
    await assert.rejects(one.look(), /has changed since it was read/);
    assert.equal(routeWrites(), before);
    await one.look();
    assert.equal(routeWrites(), before + 1, 'what was read then is known, and the look repeated');
  });

  test('of a rollout that is gone ends', async () => {
    const one = bench(rolloutObject('v2'));
    one.server.delete(rolloutResource, key);
    assert.deepEqual(await one.look(), { type: 'gone' });
  });
});

describe('no object makes a look fail', () => {
  const looks = async (spec: unknown, status: unknown): Promise<void> => {
    const one = bench({
      ...rolloutObject('v2'),
      spec,
      ...(status === undefined ? {} : { status }),
    });
    for (let n = 0; n < 4; n += 1) {
      await one.look();
      one.nowMs += 7_000;
    }
    assert.equal(typeof one.status().phase, 'string');
  };

  test('neither a random valid spec', async () => {
    const property = fc.asyncProperty(arbitrarySpec(), (spec) => looks(spec, undefined));
    await fc.assert(property, { numRuns: 150 });
  });

  test('nor a damaged one', async () => {
    const property = fc.asyncProperty(arbitraryBroken(), (spec) => looks(spec, undefined));
    await fc.assert(property, { numRuns: 300 });
  });

  test('nor a spec that is no spec, nor a status of another version', async () => {
    const anything = fc.anything({ maxDepth: 3 });
    const property = fc.asyncProperty(anything, anything, async (spec, status) => {
      await looks(wire(spec), wire(status));
    });
    await fc.assert(property, { numRuns: 200 });
  });
});

/** As JSON has it. */
function wire(value: unknown): unknown {
  try {
    const text = JSON.stringify(value);
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
