/** Whoever counts later counts the same requests, each of them once. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { HOUR, MINUTE, T0 } from '#test/builders.ts';
import { blockAt, blockBefore, plannedBlocks } from './blocks.ts';

describe('blocks', () => {
  const rows: readonly (readonly [
    says: string,
    atMs: number,
    startMs: number,
    lengthMs: number,
  ])[] = [
    ['the first begins with the step', T0 + 1, T0, 1],
    ['it goes on for an hour', T0 + 59 * MINUTE, T0, 59 * MINUTE],
    ['its own end belongs to it', T0 + HOUR, T0, HOUR],
    ['then the next begins', T0 + HOUR + 15_000, T0 + HOUR, 15_000],
    ['after a day still on the hour', T0 + 24 * HOUR + MINUTE, T0 + 24 * HOUR, MINUTE],
  ];
  for (const [says, atMs, startMs, lengthMs] of rows) {
    test(says, () => {
      assert.deepEqual(blockAt(T0, atMs, HOUR), { startMs, lengthMs });
    });
  }

  test('at its beginning there is none', () => {
    assert.equal(blockAt(T0, T0, HOUR), undefined);
    assert.equal(blockAt(T0, T0 - 1, HOUR), undefined);
  });

  test('every instant belongs to exactly one, and the one before ends where it begins', () => {
    const later = fc.integer({ min: 1, max: 200 * HOUR });
    fc.assert(
      fc.property(later, (afterMs) => {
        const block = blockAt(T0, T0 + afterMs, HOUR);
        assert.ok(block !== undefined && block.lengthMs > 0 && block.lengthMs <= HOUR);
        assert.equal(block.startMs + block.lengthMs, T0 + afterMs);
        const before = blockBefore(block, T0, HOUR);
        if (before === undefined) assert.equal(block.startMs, T0);
        else assert.deepEqual(blockAt(T0, block.startMs, HOUR), before);
      }),
    );
  });
});

describe('blocks of a plan', () => {
  const hours = (...list: readonly number[]) => list.map((one) => one * HOUR);
  const rows: readonly (readonly [says: string, steps: number[], endMs: number, blocks: number])[] =
    [
      ['48 hours in three steps', hours(0, 6, 30), 48 * HOUR, 48],
      ['and 24 hours of monitoring', hours(0, 6, 30), 72 * HOUR, 72],
      ['a step that begins in mid-hour begins a block', [0, 90 * MINUTE], 3 * HOUR, 4],
      ['the time before the first step counts', hours(2), 3 * HOUR, 3],
      ['a plan of no length has one', [0], 0, 1],
    ];
  for (const [says, steps, endMs, blocks] of rows) {
    test(says, () => {
      assert.equal(plannedBlocks(steps, endMs, HOUR), blocks);
    });
  }
});
