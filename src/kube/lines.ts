/** Splits a stream of bytes into lines of text. A line may come in many chunks, a character in two. */

/** A stream that cannot be read on: the watch is started anew. */
export class BrokenStream extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BrokenStream';
  }
}

const NEWLINE = 0x0a;
/** etcd takes objects up to 1.5 MB; JSON of them is at most a few times larger. */
const LINE_BYTES_MAX = 32 * 2 ** 20;

export class LineSplitter {
  /** Chunks of the line that is not finished yet; joined once, when it is. */
  #parts: Buffer[] = [];
  #bytes = 0;

  /** Calls `onLine` for each line that the chunk ends; empty lines are left out. */
  push(chunk: Buffer, onLine: (line: string) => void): void {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      if (end === -1) break;
      const line = this.#finish(chunk.subarray(start, end));
      start = end + 1;
      if (line !== '') onLine(line);
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  /** True when the stream ended in the middle of a line. */
  get isUnfinished(): boolean {
    return this.#bytes > 0;
  }

  #finish(tail: Buffer): string {
    if (this.#bytes === 0) return tail.toString('utf8');
    this.#keep(tail);
    const line = Buffer.concat(this.#parts, this.#bytes).toString('utf8');
    this.#parts = [];
    this.#bytes = 0;
    return line;
  }

  #keep(part: Buffer): void {
    this.#parts.push(part);
    this.#bytes += part.length;
    if (this.#bytes > LINE_BYTES_MAX) {
      throw new BrokenStream(`a line of the watch is longer than ${LINE_BYTES_MAX} bytes`);
    }
  }
}
