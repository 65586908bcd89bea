import assert from 'node:assert/strict';
import { it } from 'node:test';
import { VirtualClock } from '#test/kube/virtual-clock.ts';
import { Backoff } from './backoff.ts';

it('a backoff doubles up to its limit, with jitter on top, and starts over after a quiet time', () => {
  const clock = new VirtualClock();
  let random = 0;
  const backoff = new Backoff({
    clock,
    baseMs: 800,
    maxMs: 30_000,
    jitter: 1,
    resetAfterMs: 120_000,
    random: () => random,
  });
  const waits = Array.from({ length: 8 }, () => {
    const waitMs = backoff.next();
    clock.stall(waitMs);
    return waitMs;
  });
  assert.deepEqual(waits, [800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]);
  random = 0.5;
  assert.equal(backoff.next(), 45_000);
  clock.stall(45_000 + 120_000);
  assert.equal(backoff.next(), 45_000);
  clock.stall(45_000 + 120_001);
  assert.equal(backoff.next(), 1_200);
});
