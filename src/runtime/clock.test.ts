import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { systemClock } from './clock.ts';

describe('the system clock', () => {
  it('sleeps about as long as asked', async () => {
    const startedMs = systemClock.monotonic();
    await systemClock.sleep(20);
    const sleptMs = systemClock.monotonic() - startedMs;
    assert.ok(sleptMs >= 18 && sleptMs < 2_000, `${sleptMs} ms`);
  });

  it('does not fire at once when the delay is longer than a timer can be', async () => {
    let isFired = false;
    const cancel = systemClock.after(2 ** 31 + 10_000, () => {
      isFired = true;
    });
    await systemClock.sleep(20);
    cancel();
    assert.equal(isFired, false);
  });

  it('fires a delay in slices when the last of them is over', (context) => {
    context.mock.timers.enable({ apis: ['setTimeout'] });
    let firedCount = 0;
    systemClock.after(2 ** 31 + 10_000, () => {
      firedCount += 1;
    });
    context.mock.timers.tick(2 ** 31 - 1);
    context.mock.timers.tick(10_000);
    assert.equal(firedCount, 0);
    context.mock.timers.tick(1);
    assert.equal(firedCount, 1);
    const cancel = systemClock.after(2 ** 31 + 10_000, () => {
      firedCount += 1;
    });
    context.mock.timers.tick(2 ** 31 - 1);
    cancel();
    context.mock.timers.tick(2 ** 31 - 1);
    assert.equal(firedCount, 1);
  });

  it('ends a sleep with the reason of its signal, and leaves no listener', async () => {
    const controller = new AbortController();
    const sleeping = systemClock.sleep(60_000, controller.signal);
    controller.abort(new Error('enough'));
    await assert.rejects(sleeping, /enough/);
    await assert.rejects(systemClock.sleep(1, controller.signal), /enough/);
    const { signal } = new AbortController();
    await systemClock.sleep(1, signal);
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });
});
