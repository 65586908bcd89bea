/**
 * Turns at a server that cannot serve everybody at once. At most so many hold a place. Who finds none does not wait: it
 * stands in line, and is called when a place is kept for it, to decide afresh what is to be done by then. Whoever
 * waited with an old decision in hand would keep a worker busy, and act on what it knew minutes ago.
 */
export interface Turn {
  /**
   * True: a place is held until `end`. False: the key stands in line and will be called.
   * Those who are under way go before those who begin.
   */
  take(options: { readonly isBeginning: boolean }): boolean;
  /** Gives the place back, whether it was used or not. */
  end(): void;
}

export interface TurnsOptions {
  readonly placesMax: number;
  /** A place is kept for this key: somebody has to `begin` with it. */
  readonly call: (key: string) => void;
  readonly onWaiting?: (count: number) => void;
}

export class Turns {
  readonly #options: TurnsOptions;
  // Sets keep the order of arrival and take any member out in constant time.
  readonly #underWay = new Set<string>();
  readonly #beginning = new Set<string>();
  readonly #called = new Set<string>();
  #held = 0;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** How many stand in line. */
  get waitingCount(): number {
    return this.#underWay.size + this.#beginning.size;
  }

  /** The place that was kept for a key that was called is its own now. */
  begin(key: string): Turn {
    let hasPlace = this.#called.delete(key);
    return {
      take: ({ isBeginning }) => {
        if (hasPlace) return true;
        if (this.#held < this.#options.placesMax) {
          this.#held += 1;
          hasPlace = true;
          return true;
        }
        this.#standInLine(key, isBeginning);
        return false;
      },
      end: () => {
        if (!hasPlace) return;
        hasPlace = false;
        this.#held -= 1;
        this.#callNext();
      },
    };
  }

  #standInLine(key: string, isBeginning: boolean): void {
    if (this.#called.has(key)) return;
    const [line, other] = isBeginning
      ? [this.#beginning, this.#underWay]
      : [this.#underWay, this.#beginning];
    other.delete(key);
    line.add(key);
    this.#options.onWaiting?.(this.waitingCount);
  }

  #callNext(): void {
    const line = this.#underWay.size > 0 ? this.#underWay : this.#beginning;
    const [key] = line;
    if (key === undefined) return;
    line.delete(key);
    this.#called.add(key);
    this.#held += 1;
    this.#options.onWaiting?.(this.waitingCount);
    this.#options.call(key);
  }
}
