/**
 * Kubernetes Events (events.k8s.io/v1), outside the way of decisions: a bounded queue, sent one by one.
 * Equal events become a series, and no object gets more than its share.
 */

import type { Clock } from '#ports/clock.ts';
import { type Cluster, ClusterError, type KubeObject, type Resource } from '#ports/cluster.ts';
import type { EventNote, EventRecorder } from '#ports/event-recorder.ts';
import type { Logger } from '#ports/logger.ts';
import { untilAborted } from '#runtime/deadline.ts';
import { Limiter } from '#runtime/limiter.ts';
import { retry } from '#runtime/retry.ts';
import { eventObject } from './event-object.ts';
import { microTime } from './lease.ts';

export interface EventsOptions {
  readonly cluster: Pick<Cluster, 'create' | 'mergePatch'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** `genesis-rollout`, and which process of it. */
  readonly reportingController: string;
  readonly reportingInstance: string;
  readonly onDropped?: () => void;
}

export interface ClosableRecorder extends EventRecorder {
  /** Sends what is queued, and ends. What `signal` leaves over is lost. */
  close(signal: AbortSignal): Promise<void>;
}

/** An event that has been sent, and may be seen again. */
interface Series {
  readonly object: KubeObject;
  count: number;
  sentCount: number;
  lastAtMs: number;
  isGone: boolean;
}

type Job = () => Promise<void>;

const events: Resource = {
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  namespaced: true,
};

/** An equal event after this long is a new one; client-go's finishTime. */
const SERIES_ENDS_AFTER_MS = 360_000;
/** A series is written at most this often, whatever its count. */
const SERIES_PAUSE_MS = 60_000;
const SERIES_MAX = 4_096;
/** client-go's spam filter takes 25 at once and then one in 5 minutes; a rollout of two days says more. */
const BURST_PER_OBJECT = 25;
const PER_OBJECT_PER_SECOND = 1 / 60;
const QUEUE_MAX = 1_000;

export class Events implements ClosableRecorder {
  readonly #options: EventsOptions;
  readonly #series = new Map<string, Series>();
  readonly #limiters = new Map<string, Limiter>();
  readonly #dirty = new Set<Series>();
  readonly #queue: Job[] = [];
  readonly #stop = new AbortController();
  #sending = Promise.resolve();
  #isSending = false;
  #cancelFlush: (() => void) | undefined;
  #isClosed = false;
  #madeCount = 0;

  constructor(options: EventsOptions) {
    this.#options = options;
  }

  record(note: EventNote): void {
    if (this.#isClosed) return;
    try {
      this.#take(note);
    } catch (error) {
      this.#options.logger.error({ err: error, reason: note.reason }, 'an event was not recorded');
    }
  }

  async close(signal: AbortSignal): Promise<void> {
    this.#isClosed = true;
    this.#cancelFlush?.();
    this.#flushSeries();
    try {
      await untilAborted(this.#sending, signal);
    } finally {
      this.#stop.abort(new Error('the recorder has been closed'));
      this.#queue.length = 0;
    }
  }

  #take(note: EventNote): void {
    const nowMs = this.#options.clock.now();
    const key = keyOf(note);
    const known = this.#series.get(key);
    if (known !== undefined && !known.isGone && nowMs - known.lastAtMs < SERIES_ENDS_AFTER_MS) {
      known.count += 1;
      known.lastAtMs = nowMs;
      this.#dirty.add(known);
      this.#armFlush();
      return;
    }
    if (!this.#limiterOf(note).tryTake()) {
      this.#drop('too many for this object', note.reason);
      return;
    }
    this.#madeCount += 1;
    const { reportingController, reportingInstance } = this.#options;
    const serial = this.#madeCount;
    const object = eventObject({ note, nowMs, serial, reportingController, reportingInstance });
    const series: Series = { object, count: 1, sentCount: 1, lastAtMs: nowMs, isGone: false };
    this.#series.delete(key);
    this.#series.set(key, series);
    forgetOldest(this.#series);
    this.#push(() => this.#create(series));
  }

  #limiterOf({ regarding }: EventNote): Limiter {
    const { clock } = this.#options;
    const { uid, namespace, name } = regarding.metadata;
    const id = uid ?? `${regarding.kind}/${namespace ?? ''}/${name}`;
    const limiter =
      this.#limiters.get(id) ??
      new Limiter({ clock, perSecond: PER_OBJECT_PER_SECOND, burst: BURST_PER_OBJECT });
    this.#limiters.delete(id);
    this.#limiters.set(id, limiter);
    forgetOldest(this.#limiters);
    return limiter;
  }

  #armFlush(): void {
    this.#cancelFlush ??= this.#options.clock.after(SERIES_PAUSE_MS, () => this.#flushSeries());
  }

  #flushSeries(): void {
    this.#cancelFlush = undefined;
    for (const series of this.#dirty) this.#push(() => this.#patch(series));
    this.#dirty.clear();
  }

  /** The newest events say most: when the queue is full, the oldest goes. */
  #push(job: Job): void {
    if (this.#queue.length >= QUEUE_MAX) {
      this.#queue.shift();
      this.#drop('the queue is full', undefined);
    }
    this.#queue.push(job);
    if (this.#isSending) return;
    this.#isSending = true;
    this.#sending = this.#send();
  }

  async #send(): Promise<void> {
    for (;;) {
      const job = this.#queue.shift();
      if (job === undefined) {
        this.#isSending = false;
        return;
      }
      try {
        await this.#withRetries(job);
      } catch (error) {
        this.#options.onDropped?.();
        this.#options.logger.debug({ err: error }, 'an event was not sent');
      }
    }
  }

  #withRetries(job: Job): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stop;
    return retry(
      { clock, signal, triesMax: 4, baseMs: 1_000, maxMs: 10_000, isTransient },
      async () => await job(),
    );
  }

  async #create(series: Series): Promise<void> {
    const { signal } = this.#stop;
    try {
      await this.#options.cluster.create(events, series.object, { signal });
    } catch (error) {
      // An earlier try arrived although its answer did not.
      if (error instanceof ClusterError && error.fault === 'alreadyExists') return;
      series.isGone = true;
      throw error;
    }
  }

  async #patch(series: Series): Promise<void> {
    if (series.isGone || series.sentCount === series.count) return;
    const { count, lastAtMs } = series;
    const { namespace = '', name } = series.object.metadata;
    const patch = { series: { count, lastObservedTime: microTime(lastAtMs) } };
    const { signal } = this.#stop;
    try {
      await this.#options.cluster.mergePatch(events, { namespace, name }, patch, { signal });
      series.sentCount = count;
    } catch (error) {
      // The API server forgets events after an hour: the next equal one is a new event.
      series.isGone = error instanceof ClusterError && error.fault === 'notFound';
      throw error;
    }
  }

  #drop(words: string, reason: string | undefined): void {
    this.#options.onDropped?.();
    this.#options.logger.debug({ reason }, `an event was dropped: ${words}`);
  }
}

function keyOf({ regarding, type, reason, action, note }: EventNote): string {
  const { uid, namespace, name } = regarding.metadata;
  return JSON.stringify([regarding.kind, uid ?? [namespace, name], type, reason, action, note]);
}

function isTransient(error: Error): boolean {
  if (!(error instanceof ClusterError)) return false;
  return error.fault === 'unavailable' || error.fault === 'throttled' || error.fault === 'timeout';
}

function forgetOldest(map: Map<string, unknown>): void {
  for (const oldest of map.keys()) {
    if (map.size <= SERIES_MAX) return;
    map.delete(oldest);
  }
}
