import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { VirtualClock } from '#test/kube/virtual-clock.ts';
import { WorkQueue, type WorkQueueMetrics } from './work-queue.ts';

function setUp(options: { readonly metrics?: WorkQueueMetrics } = {}) {
  const clock = new VirtualClock();
  const queue = new WorkQueue({ clock, backoffMaxMs: 60_000, ...options });
  return { clock, queue };
}

/** Takes and ends what stands in line now. */
async function drain(queue: WorkQueue): Promise<string[]> {
  const keys: string[] = [];
  while (queue.depth > 0) {
    const key = (await queue.take()) ?? assert.fail('closed');
    keys.push(key);
    queue.done(key);
  }
  return keys;
}

describe('the work queue', () => {
  it('hands out keys in the order of their first adding, each once', async () => {
    const { queue } = setUp();
    for (const key of ['a', 'b', 'a', 'c', 'b', 'a']) queue.add(key);
    assert.deepEqual(await drain(queue), ['a', 'b', 'c']);
  });

  it('hands urgent keys out first, also those that stood in line already', async () => {
    const { queue } = setUp();
    for (const key of ['a', 'b', 'c']) queue.add(key);
    queue.add('b', { urgent: true });
    queue.add('d', { urgent: true });
    queue.add('b');
    assert.deepEqual(await drain(queue), ['b', 'd', 'a', 'c']);
  });

  it('never has a key processed twice at once, and loses no add meanwhile', async () => {
    const { queue } = setUp();
    queue.add('a');
    assert.equal(await queue.take(), 'a');
    queue.add('a');
    queue.add('a', { urgent: true });
    queue.add('b');
    assert.equal(queue.depth, 1);
    queue.done('a');
    assert.deepEqual(await drain(queue), ['a', 'b']);
    assert.deepEqual(await drain(queue), []);
  });

  it('wakes workers that wait, in their order', async () => {
    const { queue } = setUp();
    const waiting = [queue.take(), queue.take()];
    queue.add('a');
    queue.add('b');
    assert.deepEqual(await Promise.all(waiting), ['a', 'b']);
    const next = queue.take();
    queue.add('a');
    queue.done('a');
    assert.equal(await next, 'a');
  });

  it('ignores a done for what is not being processed', async () => {
    const { queue } = setUp();
    queue.add('a');
    queue.done('a');
    assert.deepEqual(await drain(queue), ['a']);
  });

  describe('delayed', () => {
    it('adds a key when its time comes', async () => {
      const { queue, clock } = setUp();
      queue.addAfter('late', 2_000);
      queue.addAfter('soon', 1_000);
      queue.addAt('now', clock.now());
      assert.deepEqual(await drain(queue), ['now']);
      await clock.advance(999);
      assert.equal(queue.depth, 0);
      await clock.advance(1);
      assert.deepEqual(await drain(queue), ['soon']);
      await clock.advance(1_000);
      assert.deepEqual(await drain(queue), ['late']);
    });

    it('has one time a key: a later one replaces it, sooner or later', async () => {
      const { queue, clock } = setUp();
      queue.addAfter('a', 1_000);
      queue.addAfter('a', 5_000);
      queue.addAfter('b', 5_000);
      queue.addAfter('b', 1_000);
      assert.equal(queue.waitingCount, 2);
      await clock.advance(1_000);
      assert.deepEqual(await drain(queue), ['b']);
      await clock.advance(4_000);
      assert.deepEqual(await drain(queue), ['a']);
      assert.equal(clock.timerCount, 0);
    });

    it('keeps no more than one entry a key, however often it is set', () => {
      const { queue, clock } = setUp();
      for (let n = 0; n < 10_000; n += 1) queue.addAfter('a', 172_800_000 + n);
      assert.equal(queue.waitingCount, 1);
      assert.equal(clock.timerCount, 1);
    });

    it('is urgent when asked to be', async () => {
      const { queue, clock } = setUp();
      queue.addAfter('a', 1_000);
      queue.addAfter('rollback', 1_000, { urgent: true });
      await clock.advance(1_000);
      assert.deepEqual(await drain(queue), ['rollback', 'a']);
    });

    it('notices within 10 s that the wall clock was set forward', async () => {
      const { queue, clock } = setUp();
      queue.addAfter('a', 3_600_000);
      clock.step(3_600_000);
      await clock.advance(10_000);
      assert.deepEqual(await drain(queue), ['a']);
    });

    it('waits on when the wall clock was set back', async () => {
      const { queue, clock } = setUp();
      queue.addAfter('a', 5_000);
      clock.step(-3_600_000);
      await clock.advance(60_000);
      assert.equal(queue.depth, 0);
      await clock.advance(3_550_000);
      assert.deepEqual(await drain(queue), ['a']);
    });

    it('forgets the time of a key that is dropped', async () => {
      const { queue, clock } = setUp();
      queue.addAfter('a', 1_000);
      queue.drop('a');
      await clock.advance(2_000);
      assert.equal(queue.depth, 0);
    });
  });

  describe('failing', () => {
    it('waits 5 ms, then twice as long each time, up to the limit, until it is forgotten', async () => {
      const { queue, clock } = setUp();
      const delays: number[] = [];
      for (let n = 0; n < 16; n += 1) {
        delays.push(queue.addRateLimited('a'));
        await clock.advance(60_000);
        await drain(queue);
      }
      assert.deepEqual(delays.slice(0, 5), [5, 10, 20, 40, 80]);
      assert.deepEqual(delays.slice(-2), [60_000, 60_000]);
      assert.equal(queue.failureCount('a'), 16);
      assert.equal(queue.addRateLimited('b'), 5);
      queue.forget('a');
      assert.equal(queue.addRateLimited('a'), 5);
    });

    it('keeps a time that is sooner than the delay', async () => {
      const { queue, clock } = setUp();
      for (let n = 0; n < 15; n += 1) queue.addRateLimited('a');
      queue.addAfter('a', 100);
      queue.addRateLimited('a');
      await clock.advance(100);
      assert.deepEqual(await drain(queue), ['a']);
    });
  });

  describe('closing', () => {
    it('sends workers home and takes nothing more', async () => {
      const { queue, clock } = setUp();
      const waiting = queue.take();
      queue.addAfter('later', 1_000);
      queue.close();
      assert.equal(await waiting, undefined);
      queue.add('a');
      queue.addAfter('b', 1);
      await clock.advance(2_000);
      assert.equal(await queue.take(), undefined);
      assert.equal(clock.timerCount, 0);
    });

    it('is idle once what is being processed is done', async () => {
      const { queue } = setUp();
      await queue.idle();
      queue.add('a');
      await queue.take();
      queue.close();
      let isIdle = false;
      const idle = queue.idle().then(() => {
        isIdle = true;
        return undefined;
      });
      await Promise.resolve();
      assert.equal(isIdle, false);
      queue.done('a');
      await idle;
    });
  });

  it('says how deep it is, and how long keys waited and were worked on', async () => {
    const figures: string[] = [];
    const { queue, clock } = setUp({
      metrics: {
        depth: (count) => figures.push(`depth ${count}`),
        added: () => figures.push('added'),
        waited: (ms) => figures.push(`waited ${ms}`),
        worked: (ms) => figures.push(`worked ${ms}`),
        retried: () => figures.push('retried'),
      },
    });
    queue.add('a');
    await clock.advance(30);
    const key = (await queue.take()) ?? '';
    await clock.advance(70);
    queue.addRateLimited(key);
    queue.done(key);
    assert.deepEqual(figures, [
      'depth 0',
      'added',
      'depth 1',
      'waited 30',
      'depth 0',
      'retried',
      'worked 70',
    ]);
  });

  it('keeps its promises under any order of calls', async () => {
    const call = fc.record({
      type: fc.constantFrom('add', 'urgent', 'fail', 'later', 'take', 'done'),
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      ms: fc.integer({ min: 0, max: 500 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 80 }), async (calls) => {
        const { queue, clock } = setUp();
        /** Keys that were added and not taken since; they must come out in the end. */
        const owed = new Set<string>();
        const held: string[] = [];
        const take = async (): Promise<void> => {
          const taken = (await queue.take()) ?? assert.fail('closed');
          assert.ok(!held.includes(taken), `${taken} is processed twice at once`);
          held.push(taken);
          owed.delete(taken);
        };
        const end = (): void => {
          const first = held.shift();
          if (first !== undefined) queue.done(first);
        };
        for (const { type, key, ms } of calls) {
          if (type === 'take' && queue.depth > 0) await take();
          if (type === 'done') end();
          if (type === 'take' || type === 'done') continue;
          if (type === 'add') queue.add(key);
          if (type === 'urgent') queue.add(key, { urgent: true });
          if (type === 'fail') queue.addRateLimited(key);
          if (type === 'later') queue.addAfter(key, ms);
          owed.add(key);
        }
        await clock.advance(120_000);
        for (const one of held.splice(0)) queue.done(one);
        while (queue.depth > 0) {
          await take();
          for (const one of held.splice(0)) queue.done(one);
        }
        assert.deepEqual([...owed], []);
        assert.equal(queue.waitingCount + queue.processingCount + clock.timerCount, 0);
      }),
      { numRuns: 150 },
    );
  });
});
