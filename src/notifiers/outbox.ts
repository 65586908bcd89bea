/**
 * Who was told what, for every rollout: plans what is to be told after each look, hands it to the channels' queues and
 * keeps both in the rollout's ledger. Everything happens after the look and beside it: nothing here is waited for.
 */
import type { RolloutStatus } from '#api/status.ts';
import type { Delivery, Ledger } from '#core/notices/ledger.ts';
import { closeAll, planNotices } from '#core/notices/plan.ts';
import type { NoticePolicy } from '#core/notices/policy.ts';
import type { Clock } from '#ports/clock.ts';
import type { KubeObject, ObjectKey } from '#ports/cluster.ts';
import type { Logger } from '#ports/logger.ts';
import type { Announcer, NoticeLook, NoticeStore, PendingDelivery } from '#ports/notifier.ts';
import { withDeadline } from '#runtime/deadline.ts';
import type { ChannelQueue } from './channel-queue.ts';
import { isFenced } from './ledger-store.ts';
import { hasReport, type ReadReport, withReport } from './reports.ts';

export interface OutboxOptions {
  readonly policy: NoticePolicy;
  readonly queues: ReadonlyMap<string, ChannelQueue>;
  /** Channels that forget an open incident unless they are told again. */
  readonly forgetful: ReadonlySet<string>;
  readonly store: NoticeStore;
  readonly readReport: ReadReport;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly hash: (text: string) => string;
  readonly stop: AbortController;
}

interface Entry {
  rollout: KubeObject;
  look: NoticeLook | undefined;
  /** States that came while nothing was known of what has been told. */
  unplanned: RolloutStatus[];
  state: 'new' | 'loading' | 'loaded' | 'gone';
  ledger: Ledger | undefined;
  readonly pending: Set<PendingDelivery>;
  wakeAtMs: number | undefined;
  cancelWake: () => void;
  isDirty: boolean;
  isSaving: boolean;
  failures: number;
}

const STORE_MAX_MS = 10_000;
/** What comes together is kept together; a message that is sent within it is written once. */
const GATHER_MS = 500;
const RETRY_MAX_MS = 60_000;
/** At the start the ledgers of all rollouts are read: beside what traffic needs, they are few at a time. */
const LOADS_MAX = 4;
const UNPLANNED_MAX = 16;
/** Well within the time after which Alertmanager resolves by itself. */
const REPEAT_MS = 60_000;

export class Outbox implements Announcer {
  readonly #options: OutboxOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #toLoad: Entry[] = [];
  #loads = 0;
  #cancelRepeat: (() => void) | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  looked(look: NoticeLook): void {
    try {
      this.#take(look);
    } catch (error) {
      const { name, namespace } = look.rollout.metadata;
      this.#options.logger.error({ err: error, namespace, name }, 'nobody could be told');
    }
  }

  forget(key: ObjectKey): void {
    const id = `${key.namespace}/${key.name}`;
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    entry.state = 'gone';
    entry.cancelWake();
    const { ledger, rollout } = entry;
    if (ledger === undefined) return;
    const { policy, clock, hash } = this.#options;
    const about = { ...key, uid: rollout.metadata.uid ?? '', status: {}, hash };
    this.#send(entry, closeAll(ledger, about, policy, clock.now()));
  }

  /** Sends what can be sent at once, and keeps what cannot; for as long as the signal allows. */
  async close(signal: AbortSignal): Promise<void> {
    const { clock, queues, stop } = this.#options;
    const isBusy = () =>
      [...queues.values()].some((queue) => queue.isActive) ||
      [...this.#entries.values()].some(
        (entry) => entry.isSaving || (entry.isDirty && entry.failures === 0),
      );
    while (isBusy() && !signal.aborted) await clock.sleep(10, signal).catch(() => undefined);
    stop.abort(new Error('the operator is being stopped'));
    this.#cancelRepeat?.();
    for (const entry of this.#entries.values()) entry.cancelWake();
  }

  #take(look: NoticeLook): void {
    const { rollout, status } = look;
    const { namespace = '', name, uid } = rollout.metadata;
    const id = `${namespace}/${name}`;
    const known = this.#entries.get(id);
    if (known !== undefined && known.rollout.metadata.uid !== uid) this.forget({ namespace, name });
    const entry = this.#entries.get(id) ?? this.#enter(id, rollout);
    const isNew = entry.look?.status !== status;
    entry.rollout = rollout;
    entry.look = look;
    if (status.runId === undefined) return;
    if (entry.state === 'loaded') {
      const isDue = entry.wakeAtMs !== undefined && entry.wakeAtMs <= this.#options.clock.now();
      if (isNew || isDue) this.#plan(entry, status);
      return;
    }
    if (isNew) {
      entry.unplanned.push(status);
      if (entry.unplanned.length > UNPLANNED_MAX) entry.unplanned.shift();
    }
    if (entry.state === 'new') this.#queueLoad(entry);
  }

  #enter(id: string, rollout: KubeObject): Entry {
    const entry: Entry = {
      rollout,
      look: undefined,
      unplanned: [],
      state: 'new',
      ledger: undefined,
      pending: new Set(),
      wakeAtMs: undefined,
      cancelWake: () => undefined,
      isDirty: false,
      isSaving: false,
      failures: 0,
    };
    this.#entries.set(id, entry);
    return entry;
  }

  #queueLoad(entry: Entry): void {
    entry.state = 'loading';
    this.#toLoad.push(entry);
    this.#dispatchLoads();
  }

  #dispatchLoads(): void {
    while (this.#loads < LOADS_MAX) {
      const entry = this.#toLoad.shift();
      if (entry === undefined) return;
      if (entry.state !== 'loading') continue;
      this.#loads += 1;
      const isOver = (error?: unknown): void => {
        this.#loads -= 1;
        this.#loaded(entry, error);
        this.#dispatchLoads();
      };
      this.#load(entry).then(() => isOver(), isOver);
    }
  }

  async #load(entry: Entry): Promise<void> {
    const { clock, store, stop } = this.#options;
    const kept = await withDeadline(clock, STORE_MAX_MS, [stop.signal], (signal) =>
      store.load(entry.rollout, signal),
    );
    entry.ledger = kept?.ledger;
    for (const delivery of kept?.pending ?? []) this.#enqueue(entry, delivery);
  }

  #loaded(entry: Entry, error: unknown): void {
    if (entry.state !== 'loading') return;
    if (error !== undefined) {
      this.#failed(entry, error, 'what was told could not be read');
      this.#later(entry, () => {
        if (entry.state === 'loading') this.#queueLoad(entry);
      });
      return;
    }
    entry.state = 'loaded';
    entry.failures = 0;
    const { unplanned } = entry;
    entry.unplanned = [];
    for (const status of unplanned) this.#plan(entry, status);
    this.#armRepeat();
  }

  #plan(entry: Entry, status: RolloutStatus): void {
    const { policy, clock, hash } = this.#options;
    const { look, rollout } = entry;
    const { namespace = '', name, uid = '' } = rollout.metadata;
    const plan = planNotices({
      about: { namespace, name, uid, status, hash },
      run: look?.run,
      triggers: look?.triggers ?? [],
      ledger: entry.ledger,
      policy,
      now: clock.now(),
    });
    this.#wakeAt(entry, plan.wakeAtMs);
    if (plan.ledger === entry.ledger && plan.deliveries.length === 0) return;
    entry.ledger = plan.ledger;
    this.#send(entry, plan.deliveries);
    this.#armRepeat();
    this.#dirty(entry);
  }

  #wakeAt(entry: Entry, atMs: number | undefined): void {
    if (entry.wakeAtMs === atMs) return;
    entry.cancelWake();
    entry.wakeAtMs = atMs;
    entry.cancelWake = () => undefined;
    if (atMs === undefined) return;
    const { clock, logger } = this.#options;
    entry.cancelWake = clock.after(Math.max(0, atMs - clock.now()), () => {
      entry.wakeAtMs = undefined;
      const { look } = entry;
      if (look === undefined || entry.state !== 'loaded') return;
      try {
        this.#plan(entry, look.status);
      } catch (error) {
        logger.error({ err: error }, 'nobody could be told');
      }
    });
  }

  #send(entry: Entry, deliveries: readonly Delivery[]): void {
    const sinceMs = this.#options.clock.now();
    for (const delivery of deliveries) this.#enqueue(entry, { ...delivery, sinceMs });
  }

  #enqueue(entry: Entry, delivery: PendingDelivery): void {
    const queue = this.#options.queues.get(delivery.channel);
    // A channel that is no longer configured: there is nobody to send it to.
    if (queue === undefined) return;
    entry.pending.add(delivery);
    const whenDone = (): void => {
      entry.pending.delete(delivery);
      this.#dirty(entry);
    };
    if (!hasReport(delivery.message)) {
      queue.add(delivery, whenDone);
      return;
    }
    const { clock, readReport, stop, logger } = this.#options;
    withReport(delivery.message, entry.rollout, { clock, readReport, stop: stop.signal }).then(
      (message) => queue.add({ ...delivery, message }, whenDone),
      (error: unknown) => logger.error({ err: error }, 'a report was not waited for'),
    );
  }

  #dirty(entry: Entry): void {
    if (entry.state === 'gone' || this.#options.stop.signal.aborted) return;
    entry.isDirty = true;
    if (entry.isSaving) return;
    entry.isSaving = true;
    this.#options.clock.after(GATHER_MS, () => this.#saveNow(entry));
  }

  #saveNow(entry: Entry): void {
    const isOver = (error?: unknown): void => {
      entry.isSaving = false;
      if (error !== undefined) this.#notSaved(entry, error);
      else {
        entry.failures = 0;
        if (entry.isDirty) this.#dirty(entry);
      }
    };
    this.#save(entry).then(() => isOver(), isOver);
  }

  async #save(entry: Entry): Promise<void> {
    if (entry.state === 'gone') return;
    entry.isDirty = false;
    const { clock, store, stop } = this.#options;
    const kept = { ledger: entry.ledger, pending: [...entry.pending] };
    await withDeadline(clock, STORE_MAX_MS, [stop.signal], (signal) =>
      store.save(entry.rollout, kept, signal),
    );
  }

  #notSaved(entry: Entry, error: unknown): void {
    entry.isDirty = true;
    // Another process leads: it keeps what it tells.
    if (isFenced(error)) return;
    this.#failed(entry, error, 'what was told could not be kept');
    this.#later(entry, () => this.#dirty(entry));
  }

  #failed(entry: Entry, error: unknown, words: string): void {
    entry.failures += 1;
    const { name, namespace } = entry.rollout.metadata;
    this.#options.logger.warn({ err: error, namespace, name, failures: entry.failures }, words);
  }

  #later(entry: Entry, again: () => void): void {
    const { clock, stop } = this.#options;
    if (stop.signal.aborted) return;
    clock.after(Math.min(RETRY_MAX_MS, 1_000 * 2 ** Math.min(entry.failures - 1, 10)), again);
  }

  #armRepeat(): void {
    const { clock, forgetful, stop } = this.#options;
    if (this.#cancelRepeat !== undefined || forgetful.size === 0 || stop.signal.aborted) return;
    this.#cancelRepeat = clock.after(REPEAT_MS, () => {
      this.#cancelRepeat = undefined;
      if (this.#repeat() > 0) this.#armRepeat();
    });
  }

  /** @returns how many incidents are open at channels that forget them */
  #repeat(): number {
    const { forgetful, queues, clock } = this.#options;
    let open = 0;
    for (const entry of this.#entries.values()) {
      for (const { message, channels } of entry.ledger?.open ?? []) {
        for (const channel of channels.filter((name) => forgetful.has(name))) {
          open += 1;
          const queue = queues.get(channel);
          // What waits there still says the same, or that it is over.
          if (queue === undefined || queue.has(message.id)) continue;
          queue.add({ channel, message, sinceMs: clock.now() }, () => undefined);
        }
      }
    }
    return open;
  }
}
