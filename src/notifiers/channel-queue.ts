/**
 * One channel's way out: one message at a time, in order for each rollout, repeated with growing pauses until it is
 * sent, refused or too old. A channel that hangs costs its own messages time, and nothing else anything.
 */
import type { Severity } from '#core/run-spec.ts';
import type { Clock } from '#ports/clock.ts';
import type { Logger } from '#ports/logger.ts';
import type { NoticeObserver, Notifier, PendingDelivery, SendOutcome } from '#ports/notifier.ts';
import { withDeadline } from '#runtime/deadline.ts';

export interface ChannelQueueOptions {
  readonly notifier: Notifier;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: NoticeObserver;
  /** Only the leader sends. */
  readonly maySend: () => boolean;
  readonly stop: AbortSignal;
  readonly random?: () => number;
}

/** Told of the end of a delivery: sent, or given up. */
export type WhenDone = () => void;

interface Item {
  readonly delivery: PendingDelivery;
  readonly whenDone: WhenDone;
  failures: number;
}

/** Slack and PagerDuty answer in less than a second. */
const SEND_MAX_MS = 15_000;
const PAUSE_MIN_MS = 1_000;
const PAUSE_MAX_MS = 5 * 60_000;
/** Slack takes about one a second for each channel. */
const SPACE_MS = 200;
const WAITING_MAX = 1_000;
/** News that is older helps nobody. */
const OLD_AFTER_MS: Readonly<Record<Severity, number>> = {
  Critical: 24 * 3_600_000,
  Warning: 12 * 3_600_000,
  Info: 3_600_000,
};
const ranks: Readonly<Record<Severity, number>> = { Info: 0, Warning: 1, Critical: 2 };

export class ChannelQueue {
  readonly #options: ChannelQueueOptions;
  readonly #items: Item[] = [];
  #isBusy = false;
  #notBeforeMs = 0;
  #failures = 0;
  #cancel: (() => void) | undefined;

  constructor(options: ChannelQueueOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#items.length;
  }

  /** True while a try is under way, or could be at once. */
  get isActive(): boolean {
    return this.#isBusy || (this.#items.length > 0 && this.#failures === 0);
  }

  has(id: string): boolean {
    return this.#items.some(({ delivery }) => delivery.message.id === id);
  }

  add(delivery: PendingDelivery, whenDone: WhenDone): void {
    this.#items.push({ delivery, whenDone, failures: 0 });
    if (this.#items.length > WAITING_MAX) this.#dropLeast();
    this.#report();
    this.#arm();
  }

  /** Of those that matter least the oldest. */
  #dropLeast(): void {
    const least = this.#items.reduce((one, other) =>
      ranks[other.delivery.message.severity] < ranks[one.delivery.message.severity] ? other : one,
    );
    this.#lose(least, 'full', 'too many messages wait');
  }

  #arm(): void {
    const { clock, stop } = this.#options;
    if (this.#isBusy || this.#cancel !== undefined || this.#items.length === 0 || stop.aborted)
      return;
    const delayMs = Math.max(0, this.#notBeforeMs - clock.monotonic());
    this.#cancel = clock.after(delayMs, () => {
      this.#cancel = undefined;
      this.#sendNext().catch((error: unknown) => {
        this.#options.logger.error({ err: error }, 'the queue of a channel has failed');
      });
    });
  }

  async #sendNext(): Promise<void> {
    const { clock, notifier, maySend, stop } = this.#options;
    const item = this.#next();
    if (item === undefined || stop.aborted) return;
    if (!maySend()) {
      this.#notBeforeMs = clock.monotonic() + PAUSE_MIN_MS;
      this.#arm();
      return;
    }
    this.#isBusy = true;
    const startedMs = clock.monotonic();
    const outcome = await this.#try(notifier, item);
    this.#isBusy = false;
    if (stop.aborted && outcome.type === 'later') return;
    this.#settle(item, outcome, clock.monotonic() - startedMs);
    this.#report();
    this.#arm();
  }

  async #try(notifier: Notifier, { delivery }: Item): Promise<SendOutcome> {
    const { clock, stop } = this.#options;
    try {
      return await withDeadline(clock, SEND_MAX_MS, [stop], (signal) =>
        notifier.send(delivery.message, signal),
      );
    } catch (error) {
      return { type: 'later', message: error instanceof Error ? error.message : String(error) };
    }
  }

  #settle(item: Item, outcome: SendOutcome, durationMs: number): void {
    const { clock, observer, logger, notifier } = this.#options;
    const { name } = notifier.definition;
    const { message, sinceMs } = item.delivery;
    if (outcome.type === 'sent') {
      this.#failures = 0;
      this.#notBeforeMs = clock.monotonic() + SPACE_MS;
      this.#remove(item);
      observer.sent(name, durationMs);
      const fields = { channel: name, kind: message.kind, id: message.id };
      logger.debug(fields, `told: ${outcome.answer}`);
      item.whenDone();
      return;
    }
    if (outcome.type === 'never') {
      this.#lose(item, 'refused', outcome.message);
      return;
    }
    this.#failures += 1;
    item.failures += 1;
    observer.failed(name);
    const pauseMs = Math.max(outcome.retryAfterMs ?? 0, this.#pauseMs());
    this.#notBeforeMs = clock.monotonic() + pauseMs;
    if (clock.now() - sinceMs > OLD_AFTER_MS[message.severity]) {
      this.#lose(item, 'old', outcome.message);
      return;
    }
    const fields = {
      channel: name,
      kind: message.kind,
      failures: this.#failures,
      retryInMs: pauseMs,
    };
    logger.warn(fields, `a message was not sent, and is tried again: ${outcome.message}`);
  }

  /** Half of it by chance, so that messages held up together do not return together. */
  #pauseMs(): number {
    const random = this.#options.random ?? Math.random;
    const fullMs = Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** Math.min(this.#failures - 1, 20));
    return fullMs / 2 + (fullMs / 2) * random();
  }

  /** The first of each rollout may go; of those the one with the fewest failures, so that none blocks the others. */
  #next(): Item | undefined {
    const seen = new Set<string>();
    let best: Item | undefined;
    for (const item of this.#items) {
      const { namespace, rollout } = item.delivery.message;
      const key = `${namespace}/${rollout}`;
      if (seen.has(key)) continue;
      seen.add(key);
      if (best === undefined || item.failures < best.failures) best = item;
    }
    return best;
  }

  #lose(item: Item, why: 'refused' | 'old' | 'full', words: string): void {
    const { observer, logger, notifier } = this.#options;
    const { name } = notifier.definition;
    this.#remove(item);
    observer.lost(name, why);
    const { kind, id, title } = item.delivery.message;
    logger.error({ channel: name, kind, id, title }, `a message is given up (${why}): ${words}`);
    item.whenDone();
  }

  #remove(item: Item): void {
    const index = this.#items.indexOf(item);
    if (index >= 0) this.#items.splice(index, 1);
  }

  #report(): void {
    const { observer, notifier } = this.#options;
    const oldest = this.#items.reduce<number | undefined>(
      (least, { delivery }) => Math.min(least ?? delivery.sinceMs, delivery.sinceMs),
      undefined,
    );
    observer.waiting(notifier.definition.name, this.#items.length, oldest);
  }
}
