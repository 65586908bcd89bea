import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { BrokenStream, LineSplitter } from './lines.ts';

describe('lines', () => {
  it('come out whole, wherever the chunks are cut', () => {
    const text = fc.array(fc.string({ unit: 'grapheme' }).map((line) => line.replaceAll('\n', '')));
    fc.assert(
      fc.property(text, fc.array(fc.integer({ min: 1, max: 9 })), (lines, sizes) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const splitter = new LineSplitter();
        const got: string[] = [];
        let start = 0;
        for (const size of sizes) {
          splitter.push(bytes.subarray(start, start + size), (line) => got.push(line));
          start = Math.min(bytes.length, start + size);
        }
        splitter.push(bytes.subarray(start), (line) => got.push(line));
        assert.deepEqual(
          got,
          lines.filter((line) => line !== ''),
        );
        assert.equal(splitter.isUnfinished, false);
      }),
    );
  });

  it('say when the stream ended in the middle of one', () => {
    const splitter = new LineSplitter();
    splitter.push(Buffer.from('{"a":1}\n{"b"'), () => undefined);
    assert.equal(splitter.isUnfinished, true);
  });

  it('have a largest size', () => {
    const splitter = new LineSplitter();
    const chunk = Buffer.alloc(2 ** 20, 'x');
    assert.throws(() => {
      for (let n = 0; n < 40; n += 1) splitter.push(chunk, () => undefined);
    }, BrokenStream);
  });
});
