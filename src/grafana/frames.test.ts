/** How new what a panel shows is. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { newestAtMs, queryAnswer } from './frames.ts';

const END_MS = 1_000_000;

type Column = readonly unknown[];
const frame = (types: readonly string[], values: readonly Column[], stepMs?: number): object => ({
  schema: {
    fields: types.map((type) => ({
      name: type,
      type,
      ...(type === 'time' && stepMs !== undefined ? { config: { interval: stepMs } } : {}),
    })),
  },
  data: { values },
});
const times = [700_000, 800_000, 900_000];

const rows: readonly (readonly [string, readonly object[], number | undefined])[] = [
  ['no frames', [], undefined],
  ['a frame without values', [frame(['time', 'number'], [[], []])], undefined],
  ['a frame without data', [{ schema: { fields: [] } }], undefined],
  ['numbers', [frame(['time', 'number'], [times, [1, 2, 3]])], 900_000],
  ['zero is a number', [frame(['time', 'number'], [times, [null, 0, null]])], 800_000],
  ['the last ones are NaN', [frame(['time', 'number'], [times, [1, null, null]])], 700_000],
  ['only NaN', [frame(['time', 'number'], [times, [null, null, null]])], undefined],
  [
    'times in no order',
    [
      frame(
        ['time', 'number'],
        [
          [3, 9, 1],
          [1, 1, 1],
        ],
      ),
    ],
    9,
  ],
  [
    'the newest of several columns',
    [frame(['time', 'number', 'number'], [times, [1, null, null], [null, 2, null]])],
    800_000,
  ],
  [
    'the newest of several frames',
    [
      frame(['time', 'number'], [[700_000], [1]]),
      frame(['time', 'number'], [[800_000], [1]]),
      frame(['time', 'number'], [[900_000], [null]]),
    ],
    800_000,
  ],
  ['a table without times is of now', [frame(['string', 'number'], [['a'], [1]])], END_MS],
  ['a table without times and numbers', [frame(['string', 'number'], [['a'], [null]])], undefined],
  ['lines of a log', [frame(['time', 'string'], [[900_000], ['started']])], 900_000],
  ['no lines of a log', [frame(['time', 'string'], [[], []])], undefined],
  [
    'a point stands until the next is due',
    [frame(['time', 'number'], [times, [1, 2, 3]], 60_000)],
    960_000,
  ],
  ['but not beyond the window', [frame(['time', 'number'], [times, [1, 2, 3]], 300_000)], END_MS],
];

describe('the newest value of', () => {
  for (const [name, frames, want] of rows) {
    test(name, () => {
      const { results } = queryAnswer.parse({ results: { A: { frames } } });
      assert.equal(newestAtMs(results['A']?.frames ?? [], END_MS), want);
    });
  }
});
