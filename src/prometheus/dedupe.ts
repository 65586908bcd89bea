/**
 * The same question is sent once, however many ask it: those who come while it is under way share the
 * request, those who come later in the same tick get the answer that was kept.
 */
import type { Clock } from '#ports/clock.ts';

export interface Dedupe<Answer> {
  /**
   * The answer to `key`: a kept one, one under way, or what `start` brings. `start` gets a signal that is aborted
   * when every asker has left. An asker whose own signal is aborted leaves at once with `left()`.
   */
  ask(key: string, asker: Asker<Answer>): Promise<Answer>;
}

export interface Asker<Answer> {
  readonly signal: AbortSignal;
  /** Must not reject: a failure is an answer. */
  readonly start: (signal: AbortSignal) => Promise<Answer>;
  readonly left: () => Answer;
}

export interface DedupeOptions<Answer> {
  readonly clock: Clock;
  readonly entriesMax: number;
  /** The sum of the sizes of all answers kept, in the unit of `size`. */
  readonly sizeMax: number;
  readonly size: (answer: Answer) => number;
  readonly keepMs: (answer: Answer) => number;
  /** Called each time a question was not sent because of another. */
  readonly onShared: () => void;
}

interface UnderWay<Answer> {
  readonly answer: Promise<Answer>;
  readonly stop: AbortController;
  askers: number;
}

interface Kept<Answer> {
  readonly answer: Answer;
  readonly size: number;
  readonly until: number;
}

export function createDedupe<Answer>(options: DedupeOptions<Answer>): Dedupe<Answer> {
  const { clock } = options;
  const underWay = new Map<string, UnderWay<Answer>>();
  const kept = new Map<string, Kept<Answer>>(); // Oldest first.
  let keptSize = 0;

  const drop = (key: string, entry: Kept<Answer>): void => {
    kept.delete(key);
    keptSize -= entry.size;
  };

  const makeRoom = (now: number): void => {
    for (const [key, entry] of kept) {
      const isFull = kept.size > options.entriesMax || keptSize > options.sizeMax;
      if (entry.until > now && !isFull) return;
      drop(key, entry);
    }
  };

  const keep = (key: string, answer: Answer): void => {
    const now = clock.monotonic();
    const size = options.size(answer);
    const keepMs = options.keepMs(answer);
    const before = kept.get(key);
    if (before) drop(key, before);
    if (keepMs > 0 && size <= options.sizeMax) {
      kept.set(key, { answer, size, until: now + keepMs });
      keptSize += size;
    }
    makeRoom(now);
  };

  const begin = (key: string, start: Asker<Answer>['start']): UnderWay<Answer> => {
    const stop = new AbortController();
    const answer = start(stop.signal).then((given) => {
      // A stopped one has already made way for a newer request under the same key.
      if (underWay.get(key) === entry) underWay.delete(key);
      if (!stop.signal.aborted) keep(key, given);
      return given;
    });
    const entry: UnderWay<Answer> = { answer, stop, askers: 0 };
    underWay.set(key, entry);
    return entry;
  };

  const leave = (key: string, entry: UnderWay<Answer>): void => {
    entry.askers -= 1;
    if (entry.askers > 0) return;
    if (underWay.get(key) === entry) underWay.delete(key);
    entry.stop.abort(new Error('nobody waits for the answer any more'));
  };

  return {
    ask(key, { signal, start, left }) {
      if (signal.aborted) return Promise.resolve(left());
      const known = kept.get(key);
      if (known && known.until > clock.monotonic()) {
        options.onShared();
        return Promise.resolve(known.answer);
      }
      const running = underWay.get(key);
      if (running) options.onShared();
      const entry = running ?? begin(key, start);
      entry.askers += 1;
      return new Promise((resolve, reject) => {
        const giveUp = (): void => {
          leave(key, entry);
          resolve(left());
        };
        signal.addEventListener('abort', giveUp, { once: true });
        entry.answer
          .finally(() => signal.removeEventListener('abort', giveUp))
          .then(resolve, reject);
      });
    },
  };
}
