import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { VirtualClock } from '#test/kube/virtual-clock.ts';
import { DeadlineExceeded, startDeadline, untilAborted, withDeadline } from './deadline.ts';

const forever = (): Promise<never> => new Promise<never>(() => undefined);

describe('a deadline', () => {
  it('ends work that does not listen to its signal', async () => {
    const clock = new VirtualClock();
    const work = withDeadline(clock, 1_000, [], forever);
    const ended = assert.rejects(work, new DeadlineExceeded(1_000));
    await clock.advance(1_000);
    await ended;
  });

  it('ends with whichever parent ends first', async () => {
    const clock = new VirtualClock();
    const parents = [new AbortController(), new AbortController()];
    const signals = parents.map(({ signal }) => signal);
    const ended = assert.rejects(withDeadline(clock, 1_000, signals, forever), /second/);
    parents[1]?.abort(new Error('second'));
    await ended;
    await assert.rejects(withDeadline(clock, 1_000, signals, forever), /second/);
  });

  it('does not begin work whose time is over already', async () => {
    const signal = AbortSignal.abort(new Error('over'));
    let isBegun = false;
    const work = withDeadline(new VirtualClock(), 1_000, [signal], () => {
      isBegun = true;
      return Promise.resolve();
    });
    await assert.rejects(work, /over/);
    assert.equal(isBegun, false);
  });

  it('leaves no timer and no listener behind, whatever becomes of the work', async () => {
    const clock = new VirtualClock();
    const { signal } = new AbortController();
    assert.equal(await withDeadline(clock, 1_000, [signal], () => Promise.resolve(7)), 7);
    const failing = withDeadline(clock, 1_000, [signal], () => Promise.reject(new Error('no')));
    await assert.rejects(failing, /no/);
    const endless = startDeadline(clock, Number.POSITIVE_INFINITY, [signal]);
    assert.equal(clock.timerCount, 0);
    endless.clear();
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  it('swallows what comes too late', async () => {
    const late = Promise.withResolvers<number>();
    const controller = new AbortController();
    const waiting = untilAborted(late.promise, controller.signal);
    controller.abort(new Error('too late'));
    await assert.rejects(waiting, /too late/);
    late.reject(new Error('nobody hears this'));
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  });
});
