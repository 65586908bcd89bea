/** So many at a time, in order, whatever becomes of each. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTurns } from './turns.ts';

test('two at a time, the next when one has ended, well or not', async () => {
  const turn = createTurns(2);
  const begun: number[] = [];
  const ends: ((error?: Error) => void)[] = [];
  const work = (n: number) => () => {
    begun.push(n);
    return new Promise<number>((resolve, reject) => {
      ends.push((error) => (error === undefined ? resolve(n) : reject(error)));
    });
  };
  const all = [1, 2, 3, 4].map((n) => turn(work(n)));
  const settled = Promise.allSettled(all);
  assert.deepEqual(begun, [1, 2]);
  ends[0]?.(new Error('failed'));
  await assert.rejects(all[0] ?? Promise.resolve(), /failed/);
  assert.deepEqual(begun, [1, 2, 3]);
  ends[1]?.();
  await all[1];
  assert.deepEqual(begun, [1, 2, 3, 4]);
  ends[2]?.();
  ends[3]?.();
  assert.deepEqual(
    (await settled).map(({ status }) => status),
    ['rejected', 'fulfilled', 'fulfilled', 'fulfilled'],
  );
});
