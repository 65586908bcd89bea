/** The loop around `reconcile`: what changes becomes a key, keys go through the queue, workers look at them. */
import { rolloutResource } from '#api/names.ts';
import { shareOf } from '#core/share-of.ts';
import { ClusterError, type KubeObject, type ObjectKey } from '#ports/cluster.ts';
import { startDeadline, withDeadline } from '#runtime/deadline.ts';
import type { WorkQueue } from '#runtime/work-queue.ts';
import { parseKey, rolloutKey } from './keys.ts';
import { type Reconciler, reconcile } from './reconcile.ts';

export interface ControllerOptions {
  readonly shell: Reconciler;
  readonly queue: WorkQueue;
  /** How many rollouts are looked at side by side. */
  readonly concurrency: number;
}

/** One look may take this long; a hanging part must not keep a worker for ever. */
const LOOK_MAX_MS = 30_000;
/** A conflict means that somebody else wrote: the watch brings the news in a moment. */
const CONFLICT_DELAY_MS = 20;
/** Longest wait after failures while a rollback is under way: every second counts. */
const ROLLBACK_RETRY_MAX_MS = 1_000;

export class Controller {
  readonly #shell: Reconciler;
  readonly #queue: WorkQueue;
  readonly #concurrency: number;
  readonly #workers: Promise<void>[] = [];

  constructor(options: ControllerOptions) {
    this.#shell = options.shell;
    this.#queue = options.queue;
    this.#concurrency = options.concurrency;
  }

  /** A rollout was seen, changed or deleted. */
  rolloutChanged(object: KubeObject, isDeleted: boolean): void {
    const key = keyOf(object);
    const { index } = this.#shell;
    const rivals = isDeleted ? index.remove(key) : this.#indexed(object, key);
    for (const rival of rivals) this.#queue.add(rival);
    this.#queue.add(rolloutKey(key), { urgent: object.metadata.deletionTimestamp !== undefined });
  }

  /** A GenesisDecision was made, settled or deleted. */
  decisionChanged(object: KubeObject, isDeleted: boolean): void {
    const { decisions } = this.#shell;
    const key = isDeleted ? decisions.remove(object) : decisions.set(object);
    if (key !== undefined) this.#queue.add(key);
  }

  /** Something is known that was not: look again. */
  look(rollout: ObjectKey): void {
    this.#queue.add(rolloutKey(rollout));
  }

  /** Something that rollouts use has changed. */
  used(kind: string, key: ObjectKey): void {
    for (const user of this.#shell.index.usersOf(kind, key)) this.#queue.add(user);
  }

  /** Starts the workers. Watches must be synced: a worker takes an absent object for a deleted one. */
  start(signal: AbortSignal): void {
    for (let n = 0; n < this.#concurrency; n += 1) this.#workers.push(this.#work(signal));
  }

  /** Hands out no more keys and resolves once the looks under way are over. */
  async drain(): Promise<void> {
    this.#queue.close();
    await Promise.all(this.#workers);
  }

  #indexed(object: KubeObject, key: ObjectKey): readonly string[] {
    const { spec } = this.#shell.specs.current(object, key);
    if (spec === undefined) return this.#shell.index.remove(key);
    const createdAtMs = Date.parse(object.metadata.creationTimestamp ?? '') || 0;
    return this.#shell.index.set({ ...key, createdAtMs, traffic: spec.traffic });
  }

  async #work(signal: AbortSignal): Promise<void> {
    // A signal of each worker's own: a thousand looks that listen to one signal are compared with each other, each time.
    const own = startDeadline(this.#shell.clock, Number.POSITIVE_INFINITY, [signal]);
    try {
      for (;;) {
        const key = await this.#queue.take();
        if (key === undefined) return;
        await this.#look(key, own.signal).finally(() => this.#queue.done(key));
      }
    } finally {
      own.clear();
    }
  }

  async #look(key: string, signal: AbortSignal): Promise<void> {
    const { clock } = this.#shell;
    const startedMs = clock.monotonic();
    try {
      const back = await withDeadline(clock, LOOK_MAX_MS, [signal], (inTime) =>
        reconcile(parseKey(key), this.#shell, inTime),
      );
      this.#queue.forget(key);
      if (back.type === 'at') {
        this.#queue.addAt(key, back.atMs + shareOf(key) * back.slackMs, { urgent: back.isUrgent });
      }
      if (back.type === 'again') this.#queue.addAfter(key, CONFLICT_DELAY_MS, { urgent: true });
      if (back.type === 'gone') this.#queue.drop(key);
    } catch (error) {
      if (!signal.aborted) this.#failed(key, error, clock.monotonic() - startedMs);
    }
  }

  #failed(key: string, error: unknown, durationMs: number): void {
    const { logger, observer, cluster } = this.#shell;
    if (error instanceof ClusterError && error.fault === 'conflict') {
      observer.reconciled('conflict', durationMs, undefined);
      this.#queue.addAfter(key, CONFLICT_DELAY_MS, { urgent: true });
      return;
    }
    observer.reconciled('error', durationMs, undefined);
    const delayMs = this.#queue.addRateLimited(key);
    const status: unknown = cluster.cached(rolloutResource, parseKey(key))?.['status'];
    const isRollingBack =
      typeof status === 'object' &&
      status !== null &&
      Reflect.get(status, 'phase') === 'RollingBack';
    if (isRollingBack && delayMs > ROLLBACK_RETRY_MAX_MS) {
      this.#queue.addAfter(key, ROLLBACK_RETRY_MAX_MS, { urgent: true });
    }
    logger.error(
      { ...parseKey(key), err: error, retryInMs: delayMs },
      'a look at a rollout failed',
    );
  }
}

function keyOf(object: KubeObject): ObjectKey {
  return { namespace: object.metadata.namespace ?? '', name: object.metadata.name };
}
