import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterError, type KubeObject } from '#ports/cluster.ts';
import type { EventNote } from '#ports/event-recorder.ts';
import { silentLogger } from '#ports/logger.ts';
import { until } from '#test/kube/until.ts';
import { VirtualClock } from '#test/kube/virtual-clock.ts';
import { cutToBytes } from './event-object.ts';
import { Events } from './events.ts';

const { signal } = new AbortController();

function note(more: Partial<EventNote> = {}, uid = 'u1'): EventNote {
  const regarding: KubeObject = {
    apiVersion: 'genesis.io/v1alpha1',
    kind: 'GenesisRollout',
    metadata: { name: 'checkout', namespace: 'shop', uid, resourceVersion: '7' },
  };
  return {
    regarding,
    type: 'Normal',
    reason: 'Stepped',
    action: 'SetWeight',
    note: '50 %',
    ...more,
  };
}

function setUp() {
  const clock = new VirtualClock();
  const sent: string[] = [];
  const created: KubeObject[] = [];
  let dropped = 0;
  const server = { answer: (): Promise<void> => Promise.resolve() };
  const events = new Events({
    clock,
    logger: silentLogger,
    reportingController: 'genesis-rollout',
    reportingInstance: 'pod-1',
    onDropped: () => {
      dropped += 1;
    },
    cluster: {
      create: async (_, object) => {
        sent.push('create');
        await server.answer();
        created.push(object);
        return object;
      },
      mergePatch: async (_, key, patch) => {
        sent.push(`patch ${JSON.stringify(patch)}`);
        await server.answer();
        return { apiVersion: '', kind: '', metadata: key };
      },
    },
  });
  return { clock, sent, created, server, events, dropped: () => dropped };
}

describe('events', () => {
  it('say what happened to what, within the limits of the API server', async () => {
    const { events, created, clock } = setUp();
    events.record(note({ note: 'ä'.repeat(2_000), reason: 'R'.repeat(200) }));
    await events.close(signal);
    const [event] = created;
    const { metadata, note: words, reason, ...rest } = event ?? assert.fail();
    assert.match(metadata.name, /^checkout\.[0-9a-f]{14,16}$/);
    assert.equal(metadata.namespace, 'shop');
    assert.ok(Buffer.byteLength(String(words)) <= 1_024);
    assert.ok(String(words).endsWith('ä…'));
    assert.equal(String(reason).length, 128);
    assert.deepEqual(rest, {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      eventTime: new Date(clock.now()).toISOString().replace('Z', '000Z'),
      reportingController: 'genesis-rollout',
      reportingInstance: 'pod-1',
      type: 'Normal',
      action: 'SetWeight',
      regarding: {
        apiVersion: 'genesis.io/v1alpha1',
        kind: 'GenesisRollout',
        name: 'checkout',
        namespace: 'shop',
        uid: 'u1',
        resourceVersion: '7',
      },
    });
  });

  it('that are equal become one, whose count is written once a minute', async () => {
    const { events, sent, clock } = setUp();
    for (let n = 0; n < 200; n += 1) events.record(note());
    await clock.advance(59_000);
    assert.deepEqual(sent, ['create']);
    await clock.advance(1_000);
    await until('patched', () => sent.length === 2);
    assert.match(sent[1] ?? '', /^patch \{"series":\{"count":200,"lastObservedTime":"2026-/);
    await clock.advance(240_000);
    assert.equal(sent.length, 2);
    events.record(note());
    await events.close(signal);
    assert.match(sent[2] ?? '', /"count":201/);
  });

  it('are new again after six quiet minutes', async () => {
    const { events, created, clock } = setUp();
    events.record(note());
    await clock.advance(360_000);
    events.record(note());
    await events.close(signal);
    assert.equal(created.length, 2);
    assert.notEqual(created[0]?.metadata.name, created[1]?.metadata.name);
  });

  it('of one object are limited, those of others are not', async () => {
    const { events, created, dropped, clock } = setUp();
    for (let n = 0; n < 100; n += 1) events.record(note({ note: `value ${n}` }));
    events.record(note({}, 'u2'));
    await clock.advance(120_000);
    events.record(note({ note: 'later' }));
    await events.close(signal);
    assert.equal(created.length, 25 + 1 + 1);
    assert.equal(dropped(), 75);
  });

  it('never disturb who records them, whatever the note', async () => {
    const { events, created } = setUp();
    events.record({ ...note(), regarding: {} } as never);
    events.record(note());
    await events.close(signal);
    assert.equal(created.length, 1);
  });

  it('are tried again while the server is down, and given up when it refuses', async () => {
    const { events, sent, created, server, clock, dropped } = setUp();
    const answers = [
      new ClusterError('unavailable', 'down'),
      new ClusterError('throttled', 'busy'),
      undefined,
      new ClusterError('forbidden', 'no right'),
    ];
    server.answer = () => {
      const error = answers.shift();
      return error === undefined ? Promise.resolve() : Promise.reject(error);
    };
    events.record(note());
    events.record(note({ note: 'refused' }));
    for (let n = 0; n < 400 && sent.length < 4; n += 1) {
      await clock.advance(100);
      await sleep(1);
    }
    await events.close(signal);
    assert.deepEqual(sent, ['create', 'create', 'create', 'create']);
    assert.equal(created.length, 1);
    assert.equal(dropped(), 1);
  });

  it('that the server has forgotten are made anew', async () => {
    const { events, sent, server, clock } = setUp();
    events.record(note());
    await until('created', () => sent.length === 1);
    server.answer = () => Promise.reject(new ClusterError('notFound', 'gone'));
    events.record(note());
    await clock.advance(60_000);
    await until('patched', () => sent.length === 2);
    server.answer = () => Promise.resolve();
    await clock.advance(1);
    events.record(note());
    await events.close(signal);
    assert.equal(sent.at(-1), 'create');
  });

  it('wait in a queue that has an end: the oldest go', async () => {
    const { events, server, created, dropped } = setUp();
    const first = Promise.withResolvers<void>();
    server.answer = () => first.promise;
    for (let n = 0; n < 1_500; n += 1) events.record(note({ note: `n${n}` }, `u${n}`));
    assert.equal(dropped(), 499);
    first.resolve();
    await events.close(signal);
    assert.equal(created.length, 1_001);
    assert.equal(created.at(-1)?.['note'], 'n1499');
  });

  it('are flushed at the end, but not for longer than the caller has', async () => {
    const { events, server, clock } = setUp();
    server.answer = () => new Promise(() => undefined);
    events.record(note());
    const controller = new AbortController();
    const closing = events.close(controller.signal);
    controller.abort(new Error('no time'));
    await assert.rejects(closing, /no time/);
    events.record(note({ note: 'after the end' }));
    assert.equal(clock.timerCount, 0);
  });

  it('are cut at a whole character', () => {
    assert.equal(cutToBytes('äöü', 6), 'äöü');
    assert.equal(cutToBytes('äöüä', 7), 'äö…');
    assert.equal(cutToBytes('äöüä', 6), 'ä…');
    assert.equal(cutToBytes('🚀🚀', 7), '🚀…');
  });
});
