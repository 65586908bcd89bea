/**
 * Who checks which metric chain, and what the newest checks have found: in memory alone. A few run side by side, those
 * that a decision waits for first; one that does not end in time is a failure, and what it would have found is unknown.
 */
import type { ChainReport, ChainState } from '#core/chain.ts';
import type { ChainBoard, ChainOrder } from '#ports/chain-board.ts';
import type { Clock } from '#ports/clock.ts';
import type { ObjectKey } from '#ports/cluster.ts';
import type { Logger } from '#ports/logger.ts';
import { DeadlineExceeded, withDeadline } from '#runtime/deadline.ts';
import { rolloutKey } from './keys.ts';

export interface ChainBoardOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Rejects on a defect, and when `signal` is aborted. */
  readonly check: (order: ChainOrder, signal: AbortSignal) => Promise<ChainReport>;
  /** A check has ended: look at this rollout. */
  readonly onChange: (rollout: ObjectKey) => void;
  /** Aborted when the process ends. */
  readonly stopping: AbortSignal;
}

/** All systems of a thousand rollouts are often the same three. */
const SIDE_BY_SIDE_MAX = 16;
const CHECK_MAX_MS = 60_000;

interface Entry {
  readonly key: ObjectKey;
  state: ChainState;
  isForgotten: boolean;
}

interface Waiting {
  readonly entry: Entry;
  readonly order: ChainOrder;
}

export function createChainBoard(options: ChainBoardOptions): ChainBoard {
  return new Board(options);
}

class Board implements ChainBoard {
  readonly #options: ChainBoardOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #pressing: Waiting[] = [];
  readonly #routine: Waiting[] = [];
  #running = 0;

  constructor(options: ChainBoardOptions) {
    this.#options = options;
  }

  stateOf(rollout: ObjectKey): ChainState {
    return this.#entryOf(rollout).state;
  }

  check(order: ChainOrder): void {
    const { namespace = '', name } = order.rollout.metadata;
    const entry = this.#entryOf({ namespace, name });
    const { clock, stopping } = this.#options;
    if (entry.state.checkingSinceMs !== undefined || stopping.aborted) return;
    entry.state = { ...entry.state, checkingSinceMs: clock.now() };
    (order.isPressing ? this.#pressing : this.#routine).push({ entry, order });
    this.#dispatch();
  }

  forget(rollout: ObjectKey): void {
    const entry = this.#entries.get(rolloutKey(rollout));
    if (entry === undefined) return;
    entry.isForgotten = true;
    this.#entries.delete(rolloutKey(rollout));
  }

  #entryOf(key: ObjectKey): Entry {
    const id = rolloutKey(key);
    const known = this.#entries.get(id);
    if (known !== undefined) return known;
    const sinceMs = this.#options.clock.now();
    const entry: Entry = { key, state: { type: 'unknown', sinceMs }, isForgotten: false };
    this.#entries.set(id, entry);
    return entry;
  }

  #dispatch(): void {
    while (this.#running < SIDE_BY_SIDE_MAX) {
      const next = this.#pressing.shift() ?? this.#routine.shift();
      if (next === undefined) return;
      if (next.entry.isForgotten) continue;
      this.#running += 1;
      this.#begin(next);
    }
  }

  #begin({ entry, order }: Waiting): void {
    const { check, clock, logger, onChange, stopping } = this.#options;
    withDeadline(clock, CHECK_MAX_MS, [stopping], (signal) => check(order, signal))
      .then(
        (report) => known(report, entry.state),
        (error: unknown): ChainState => {
          const isLate = error instanceof DeadlineExceeded;
          if (!isLate && !stopping.aborted) {
            logger.error({ ...entry.key, err: error }, 'a check of the metric chain failed');
          }
          const failure = isLate ? `no answer within ${CHECK_MAX_MS / 1000} s` : textOf(error);
          return { type: 'unknown', sinceMs: clock.now(), failure };
        },
      )
      .then((state) => {
        this.#running -= 1;
        entry.state = state;
        if (stopping.aborted) return;
        if (!entry.isForgotten) onChange(entry.key);
        this.#dispatch();
      })
      .catch((error: unknown) => logger.error({ err: error }, 'a check of a chain was lost'));
  }
}

/** Of the report before only what was broken is ever asked for; the rest would double what is kept. */
function known(report: ChainReport, before: ChainState): ChainState {
  if (before.type !== 'known') return { type: 'known', report };
  const findings = before.report.findings.filter(({ verdict }) => verdict === 'broken');
  return { type: 'known', report, previous: { ...before.report, findings } };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
