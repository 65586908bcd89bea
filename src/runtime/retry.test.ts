import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '#test/kube/until.ts';
import { VirtualClock } from '#test/kube/virtual-clock.ts';
import { type RetryPolicy, retry } from './retry.ts';

function policy(clock: VirtualClock, more: Partial<RetryPolicy> = {}): RetryPolicy {
  return {
    clock,
    triesMax: 4,
    baseMs: 1_000,
    maxMs: 3_000,
    signal: new AbortController().signal,
    isTransient: () => true,
    random: () => 1,
    ...more,
  };
}

describe('a retry', () => {
  it('waits longer each time, up to a limit, and gives the first answer', async () => {
    const clock = new VirtualClock();
    const triedAtMs: number[] = [];
    const retried: string[] = [];
    const onRetry = (error: Error, tryNumber: number): void => {
      retried.push(`${tryNumber}: ${error.message}`);
    };
    const answer = retry(policy(clock, { onRetry }), () => {
      triedAtMs.push(clock.monotonic() - 1_000);
      return triedAtMs.length < 4 ? Promise.reject(new Error('down')) : Promise.resolve('up');
    });
    while (triedAtMs.length < 4) {
      await clock.advance(100);
      await sleep(2);
    }
    assert.equal(await answer, 'up');
    assert.deepEqual(retried, ['1: down', '2: down', '3: down']);
    const waits = triedAtMs.slice(1).map((atMs, index) => atMs - (triedAtMs[index] ?? 0));
    // ts-retry's own wait of no time passes in real time, which here is a step or two.
    assert.deepEqual(
      waits.map((waitMs) => Math.floor(waitMs / 1_000)),
      [1, 2, 3],
    );
  });

  it('ends with the last error itself', async () => {
    const clock = new VirtualClock();
    const triesMax = 1;
    const work = retry(policy(clock, { triesMax }), () => Promise.reject(new Error('down')));
    await assert.rejects(work, { message: 'down' });
  });

  it('does not repeat what is wrong in itself', async () => {
    let tries = 0;
    const work = retry(policy(new VirtualClock(), { isTransient: () => false }), () => {
      tries += 1;
      return Promise.reject(new TypeError('400'));
    });
    await assert.rejects(work, { name: 'TypeError', message: '400' });
    assert.equal(tries, 1);
  });

  it('ends at once when its signal does, in a call or in a wait', async () => {
    const clock = new VirtualClock();
    const controller = new AbortController();
    let tries = 0;
    const work = retry(policy(clock, { signal: controller.signal }), () => {
      tries += 1;
      return Promise.reject(new Error('down'));
    });
    const ended = assert.rejects(work, /stopped/);
    await until('it waits', () => clock.timerCount === 1);
    controller.abort(new Error('stopped'));
    await ended;
    assert.equal(tries, 1);
    assert.equal(clock.timerCount, 0);
  });
});
