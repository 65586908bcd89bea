/** A min-heap of keys by time in which a key's time can be replaced, so that it never outgrows its keys. */

export interface Timed {
  readonly key: string;
  readonly atMs: number;
  readonly urgent: boolean;
}

export class TimerHeap {
  readonly #heap: Timed[] = [];
  readonly #positions = new Map<string, number>();

  get size(): number {
    return this.#heap.length;
  }

  /** The entry that is due first. */
  first(): Timed | undefined {
    return this.#heap[0];
  }

  get(key: string): Timed | undefined {
    const position = this.#positions.get(key);
    return position === undefined ? undefined : this.#heap[position];
  }

  /** Adds the entry, or replaces that of the same key. */
  set(entry: Timed): void {
    const position = this.#positions.get(entry.key) ?? this.#heap.length;
    this.#put(position, entry);
    this.#settle(position);
  }

  delete(key: string): void {
    const position = this.#positions.get(key);
    if (position === undefined) return;
    this.#positions.delete(key);
    const last = this.#heap.pop();
    if (last === undefined || position === this.#heap.length) return;
    this.#put(position, last);
    this.#settle(position);
  }

  clear(): void {
    this.#heap.length = 0;
    this.#positions.clear();
  }

  /** Moves the entry at `position` up or down to where it belongs. */
  #settle(position: number): void {
    this.#sink(this.#rise(position));
  }

  #rise(start: number): number {
    let position = start;
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (this.#at(parent) <= this.#at(position)) break;
      this.#swap(parent, position);
      position = parent;
    }
    return position;
  }

  #sink(start: number): void {
    let position = start;
    for (;;) {
      const left = 2 * position + 1;
      const right = left + 1;
      let least = position;
      if (this.#at(left) < this.#at(least)) least = left;
      if (this.#at(right) < this.#at(least)) least = right;
      if (least === position) return;
      this.#swap(least, position);
      position = least;
    }
  }

  #at(position: number): number {
    return this.#heap[position]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  #swap(a: number, b: number): void {
    const first = this.#heap[a];
    const second = this.#heap[b];
    if (first === undefined || second === undefined) return;
    this.#put(a, second);
    this.#put(b, first);
  }

  #put(position: number, entry: Timed): void {
    this.#heap[position] = entry;
    this.#positions.set(entry.key, position);
  }
}
