import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualClock } from '#test/kube/virtual-clock.ts';
import { checkEventLoop, checkNotEnding, checkReady, checkWatches } from './checks.ts';

/** Stalls: time passes without any timer running, as when the event loop is blocked. */
class StallingClock extends VirtualClock {
  stalledMs = 0;
  override monotonic(): number {
    return super.monotonic() + this.stalledMs;
  }
}

describe('the event loop', () => {
  test('is well while it beats', async () => {
    const clock = new StallingClock();
    const check = checkEventLoop(clock);
    await clock.advance(10_000);
    assert.equal(check.problem(), undefined);
  });

  test('is not while a beat is overdue, nor after it came late, but again after a good one', async () => {
    const clock = new StallingClock();
    const check = checkEventLoop(clock, 5_000);
    clock.stalledMs = 8_000;
    assert.equal(check.problem(), 'ran 7000 ms late; allowed are 5000 ms');
    await clock.advance(1_000);
    assert.equal(check.problem(), 'ran 8000 ms late; allowed are 5000 ms');
    await clock.advance(1_000);
    assert.equal(check.problem(), undefined);
  });

  test('leaves no timer behind', () => {
    const clock = new StallingClock();
    checkEventLoop(clock).stop();
    assert.equal(clock.timerCount, 0);
  });
});

test('watches may be silent for a quarter of an hour', () => {
  assert.equal(checkWatches(() => 15 * 60_000).problem(), undefined);
  assert.equal(
    checkWatches(() => 15 * 60_000 + 1_000).problem(),
    'a watch has been silent for 901 s; allowed are 900 s',
  );
});

test('caches must have been read', () => {
  assert.equal(checkReady(() => true).problem(), undefined);
  assert.equal(checkReady(() => false).problem(), 'not everything has been read yet');
});

test('a process that is ending is not ready', () => {
  const ending = new AbortController();
  const check = checkNotEnding(ending.signal);
  assert.equal(check.problem(), undefined);
  ending.abort();
  assert.equal(check.problem(), 'the process is ending');
});
