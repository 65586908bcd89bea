/**
 * One server's lane: at most so many requests at a time, the rest wait in order of arrival, urgent
 * ones ahead of all others. A lane per server, so that one that hangs never starves another.
 */

export interface Lane {
  /** Resolves with the function that gives the place back; rejects with the signal's reason. */
  enter(signal: AbortSignal, urgent: boolean): Promise<() => void>;
  /** How many wait for a place. */
  waiting(): number;
  /** How many have a place. */
  busy(): number;
}

export class LaneFullError extends Error {
  constructor(waitingMax: number) {
    super(`${waitingMax} requests already wait for this server`);
    this.name = 'LaneFullError';
  }
}

interface Waiter {
  readonly admit: () => void;
}

export function createLane(options: { placesMax: number; waitingMax: number }): Lane {
  // Sets keep the order of insertion and take any member out in constant time.
  const urgentOnes = new Set<Waiter>();
  const others = new Set<Waiter>();
  let busy = 0;

  const leave = (): void => {
    const next = first(urgentOnes) ?? first(others);
    if (next === undefined) {
      busy -= 1;
      return;
    }
    urgentOnes.delete(next);
    others.delete(next);
    next.admit(); // The place passes on: `busy` stays as it is.
  };

  const once = (): (() => void) => {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      leave();
    };
  };

  const wait = (signal: AbortSignal, line: Set<Waiter>): Promise<() => void> =>
    new Promise((resolve, reject) => {
      const waiter: Waiter = {
        admit: () => {
          signal.removeEventListener('abort', giveUp);
          resolve(once());
        },
      };
      const giveUp = (): void => {
        line.delete(waiter);
        reject(signal.reason);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      line.add(waiter);
    });

  return {
    async enter(signal, urgent) {
      signal.throwIfAborted();
      if (busy < options.placesMax) {
        busy += 1;
        return once();
      }
      const waiting = urgentOnes.size + others.size;
      if (waiting >= options.waitingMax && !urgent) throw new LaneFullError(options.waitingMax);
      return wait(signal, urgent ? urgentOnes : others);
    },
    waiting: () => urgentOnes.size + others.size,
    busy: () => busy,
  };
}

function first<T>(members: Set<T>): T | undefined {
  for (const member of members) return member;
  return undefined;
}
