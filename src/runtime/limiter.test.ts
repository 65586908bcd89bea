import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { VirtualClock } from '#test/kube/virtual-clock.ts';
import { Limiter } from './limiter.ts';

const { signal } = new AbortController();

describe('the limiter', () => {
  it('lets a burst through and then the rate', async () => {
    const clock = new VirtualClock();
    const limiter = new Limiter({ clock, perSecond: 10, burst: 3 });
    const takenAtMs: number[] = [];
    const all = Array.from({ length: 6 }, async () => {
      await limiter.take(signal);
      takenAtMs.push(clock.monotonic() - 1_000);
    });
    await clock.advance(1_000);
    await Promise.all(all);
    assert.deepEqual(takenAtMs, [0, 0, 0, 100, 200, 300]);
  });

  it('fills up to the burst and no further', () => {
    const clock = new VirtualClock();
    const limiter = new Limiter({ clock, perSecond: 10, burst: 3 });
    const takeAll = (): number => {
      let count = 0;
      while (limiter.tryTake()) count += 1;
      return count;
    };
    assert.equal(takeAll(), 3);
    clock.stall(250);
    assert.equal(takeAll(), 2);
    clock.stall(3_600_000);
    assert.equal(takeAll(), 3);
  });

  it('ends a wait with its signal', async () => {
    const clock = new VirtualClock();
    const limiter = new Limiter({ clock, perSecond: 1, burst: 1 });
    const controller = new AbortController();
    await limiter.take(signal);
    const waiting = limiter.take(controller.signal);
    controller.abort(new Error('stopped'));
    await assert.rejects(waiting, /stopped/);
  });

  it('never lets more through than burst and rate allow, in any window', () => {
    const pauses = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 200 });
    fc.assert(
      fc.property(pauses, (pausesMs) => {
        const clock = new VirtualClock();
        const limiter = new Limiter({ clock, perSecond: 10, burst: 4 });
        const takenAtMs: number[] = [];
        for (const pauseMs of pausesMs) {
          clock.stall(pauseMs);
          if (limiter.tryTake()) takenAtMs.push(clock.monotonic());
        }
        takenAtMs.forEach((from, index) => {
          takenAtMs.slice(index).forEach((to, count) => {
            assert.ok(count + 1 <= 4 + (to - from) / 100 + 1e-6);
          });
        });
      }),
    );
  });
});
