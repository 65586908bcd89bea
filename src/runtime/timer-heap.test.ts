import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { TimerHeap } from './timer-heap.ts';

describe('the timer heap', () => {
  it('gives back what a plain list would, after any setting, replacing and deleting', () => {
    const step = fc.record({
      key: fc.integer({ min: 0, max: 12 }).map(String),
      atMs: fc.option(fc.integer({ min: 0, max: 20 })),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const heap = new TimerHeap();
        const model = new Map<string, number>();
        for (const { key, atMs } of steps) {
          if (atMs === null) {
            heap.delete(key);
            model.delete(key);
          } else {
            heap.set({ key, atMs, urgent: false });
            model.set(key, atMs);
          }
          assert.equal(heap.size, model.size);
          assert.equal(
            heap.first()?.atMs,
            model.size === 0 ? undefined : Math.min(...model.values()),
          );
          assert.equal(heap.get(key)?.atMs, model.get(key));
        }
        const order: number[] = [];
        for (let first = heap.first(); first !== undefined; first = heap.first()) {
          order.push(first.atMs);
          heap.delete(first.key);
        }
        assert.deepEqual(
          order,
          [...model.values()].sort((a, b) => a - b),
        );
      }),
    );
  });

  it('can be emptied at once', () => {
    const heap = new TimerHeap();
    heap.set({ key: 'a', atMs: 1, urgent: false });
    heap.clear();
    assert.equal(heap.first(), undefined);
    heap.set({ key: 'a', atMs: 2, urgent: true });
    assert.equal(heap.size, 1);
  });
});
