/**
 * Which of several processes may act: a Lease, taken and renewed with its resourceVersion. Another
 * process's lease is judged by how long *we* have seen it unchanged, never by its own renewTime, and
 * ours by when we *sent* the last renewal: so this process stops before any other can start.
 *
 *   sent renewal ──── 10 s: we stop writing ──── 15 s: another may take the lease
 */

import type { Clock } from '#ports/clock.ts';
import { ClusterError, type KubeObject } from '#ports/cluster.ts';
import type { Leadership } from '#ports/leadership.ts';
import type { Logger } from '#ports/logger.ts';
import type { Connection } from './connect.ts';
import { Exchange } from './exchange.ts';
import { LeaseRecord, leaseObject } from './lease.ts';
import { collectionPath, isKubeObject, objectPath } from './resource.ts';

export interface ElectionOptions {
  /** Its own, so that no traffic of ours can delay a renewal. Closed with the election. */
  readonly connection: Connection;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly namespace: string;
  readonly name: string;
  /** Unique among all processes that ever run: `<pod>_<uuid>`. */
  readonly identity: string;
  /** Whether a holder is provably dead: its lease is taken at once. Default: nobody is. */
  readonly isGone?: (holder: string) => boolean;
  readonly leaseDurationMs?: number;
  readonly renewDeadlineMs?: number;
  readonly retryMs?: number;
  readonly random?: () => number;
  readonly onChange?: (isLeading: boolean) => void;
}

export interface Election extends Leadership {
  readonly isLeading: boolean;
  /** Who holds the lease, as last seen; '' when nobody does. */
  readonly holder: string;
  /** Resolves once this process leads. Never rejects, and stays open when it never does. */
  readonly acquired: Promise<void>;
  start(): void;
  /** Gives the lease back, if held, so that another need not wait for it to run out. Ends the election. */
  release(): Promise<void>;
}

/** The usual values of Kubernetes components. */
const LEASE_DURATION_MS = 15_000;
const RENEW_DEADLINE_MS = 10_000;
const RETRY_MS = 2_000;
/** Standbys do not all ask at the same moment; client-go's JitterFactor. */
const JITTER = 0.2;
const REQUEST_LIMIT_MS = 5_000;
/** The shortest that the API server takes. */
const RELEASED_DURATION_MS = 1_000;

const leases = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
};

export class LeaseElection implements Election {
  readonly #options: ElectionOptions;
  readonly #exchange: Exchange;
  readonly #leaseDurationMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryMs: number;
  readonly #acquired = Promise.withResolvers<void>();
  readonly #lost = new AbortController();
  readonly #stop = new AbortController();
  /** The lease as last seen, and since when it has not changed, by our monotonic clock. */
  #record: LeaseRecord | undefined;
  #unchangedSinceMs = 0;
  #isLeading = false;
  /** Monotonic time until which we may write; wall-clock time of the renewal it comes from. */
  #validUntilMs = Number.NEGATIVE_INFINITY;
  #renewedAtMs = Number.NEGATIVE_INFINITY;
  #cancelExpiry: (() => void) | undefined;
  #done: Promise<void> | undefined;
  #released: Promise<void> | undefined;

  constructor(options: ElectionOptions) {
    const { leaseDurationMs = LEASE_DURATION_MS, renewDeadlineMs = RENEW_DEADLINE_MS } = options;
    const { retryMs = RETRY_MS, connection, clock } = options;
    if (leaseDurationMs <= renewDeadlineMs || renewDeadlineMs <= retryMs * (1 + JITTER)) {
      throw new Error(
        `lease duration (${leaseDurationMs} ms) > renew deadline (${renewDeadlineMs} ms) > 1.2 × retry (${retryMs} ms) must hold`,
      );
    }
    this.#options = options;
    this.#leaseDurationMs = leaseDurationMs;
    this.#renewDeadlineMs = renewDeadlineMs;
    this.#retryMs = retryMs;
    this.#exchange = new Exchange({ connection, clock });
  }

  get isLeading(): boolean {
    return this.#isLeading;
  }

  get holder(): string {
    return this.#record?.holder ?? '';
  }

  get acquired(): Promise<void> {
    return this.#acquired.promise;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * Looks at the clocks itself: after a stall of the event loop the timer that should have told us
   * may not have run yet. The wall clock too, since the monotonic one stands still while a virtual
   * machine is suspended; after such a step the next renewal shows whether the lease is still ours.
   */
  mayWrite(): boolean {
    if (!this.#isLeading) return false;
    const { clock } = this.#options;
    if (clock.monotonic() >= this.#validUntilMs) {
      this.#lose('the lease could not be renewed in time');
      return false;
    }
    return clock.now() - this.#renewedAtMs < this.#renewDeadlineMs;
  }

  start(): void {
    this.#done ??= this.#run();
  }

  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  /** A request under way may end first: a renewal that is cut off could void what gives the lease back. */
  async #release(): Promise<void> {
    this.#stop.abort(new Error('the election has ended'));
    await this.#done;
    const isHeld = this.mayWrite();
    if (this.#isLeading) this.#lose('the lease is being given back');
    try {
      if (isHeld) await this.#giveBack();
    } finally {
      await this.#options.connection.close();
    }
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted && !this.#lost.signal.aborted) {
      try {
        await (this.#isLeading ? this.#renew() : this.#tryToAcquire());
      } catch (error) {
        if (!signal.aborted) this.#options.logger.warn({ err: error }, 'the lease: request failed');
      }
      await clock.sleep(this.#pauseMs(), signal).catch(() => undefined);
    }
  }

  /** A standby looks again when the lease runs out, if that is sooner than its next regular look. */
  #pauseMs(): number {
    if (this.#isLeading) return this.#retryMs;
    const regularMs = this.#retryMs * (1 + JITTER * (this.#options.random ?? Math.random)());
    const restMs = this.#expiresInMs();
    return restMs > 0 ? Math.min(regularMs, restMs) : regularMs;
  }

  /** How long the lease as seen is still good, by the duration its holder promised. */
  #expiresInMs(): number {
    if (this.#record === undefined || this.#record.holder === '') return 0;
    const durationMs = this.#record.durationMs ?? this.#leaseDurationMs;
    return this.#unchangedSinceMs + durationMs - this.#options.clock.monotonic();
  }

  async #tryToAcquire(): Promise<void> {
    const { clock, logger, identity, namespace, name } = this.#options;
    const lease = await this.#read();
    this.#see(lease === undefined ? undefined : new LeaseRecord(lease));
    // Held by ourselves: an earlier request took it, but its answer was lost.
    const isFree = this.holder === identity || this.#options.isGone?.(this.holder) === true;
    if (!isFree && this.#expiresInMs() > 0) return;
    const sentAtMs = clock.monotonic();
    const taken = this.#next(identity, this.#leaseDurationMs);
    try {
      this.#see(await this.#write(taken));
    } catch (error) {
      // Another was faster: the next look shows who.
      if (isLostRace(error)) return;
      throw error;
    }
    this.#isLeading = true;
    this.#extend(sentAtMs);
    logger.info({ lease: `${namespace}/${name}`, identity }, 'leading');
    this.#options.onChange?.(true);
    this.#acquired.resolve();
  }

  async #renew(): Promise<void> {
    if (!this.mayWrite() && this.#lost.signal.aborted) return;
    const { clock, identity } = this.#options;
    const sentAtMs = clock.monotonic();
    const renewed = this.#next(identity, this.#leaseDurationMs);
    try {
      this.#see(await this.#write(renewed));
      if (!this.#lost.signal.aborted) this.#extend(sentAtMs);
    } catch (error) {
      if (!isLostRace(error)) throw error;
      await this.#lookAgain();
    }
  }

  /** A renewal met another write: somebody has our lease, or has only put a label on it. */
  async #lookAgain(): Promise<void> {
    const lease = await this.#read();
    const record = lease === undefined ? undefined : new LeaseRecord(lease);
    this.#see(record);
    const { identity } = this.#options;
    if (record?.holder !== identity) this.#lose(`the lease is held by "${record?.holder ?? ''}"`);
    else await this.#renew();
  }

  #see(record: LeaseRecord | undefined): void {
    if (record?.resourceVersion === this.#record?.resourceVersion && record !== undefined) return;
    this.#record = record;
    this.#unchangedSinceMs = this.#options.clock.monotonic();
  }

  #extend(sentAtMs: number): void {
    const { clock } = this.#options;
    this.#validUntilMs = sentAtMs + this.#renewDeadlineMs;
    this.#renewedAtMs = clock.now();
    this.#cancelExpiry?.();
    const restMs = Math.max(0, this.#validUntilMs - clock.monotonic());
    this.#cancelExpiry = clock.after(restMs, () => this.mayWrite());
  }

  #lose(words: string): void {
    if (!this.#isLeading) return;
    this.#isLeading = false;
    this.#cancelExpiry?.();
    const { logger, namespace, name, onChange } = this.#options;
    logger.warn({ lease: `${namespace}/${name}` }, `no longer leading: ${words}`);
    this.#lost.abort(new ClusterError('fenced', words));
    onChange?.(false);
  }

  async #giveBack(): Promise<void> {
    const { logger } = this.#options;
    try {
      await this.#write(this.#next('', RELEASED_DURATION_MS));
    } catch (error) {
      logger.warn({ err: error }, 'the lease could not be given back and will run out');
    }
  }

  #next(identity: string, durationMs: number): KubeObject {
    const { clock, namespace, name } = this.#options;
    const key = { namespace, name };
    return leaseObject({ previous: this.#record, key, identity, durationMs, nowMs: clock.now() });
  }

  async #read(): Promise<KubeObject | undefined> {
    const { namespace, name } = this.#options;
    try {
      const lease = await this.#exchange.json({
        method: 'GET',
        path: objectPath(leases, { namespace, name }),
        signals: [],
        limitMs: REQUEST_LIMIT_MS,
      });
      if (isKubeObject(lease)) return lease;
      throw new ClusterError('unavailable', 'the answer is no Lease');
    } catch (error) {
      if (error instanceof ClusterError && error.fault === 'notFound') return undefined;
      throw error;
    }
  }

  async #write(lease: KubeObject): Promise<LeaseRecord> {
    const { namespace, name } = this.#options;
    const isNew = lease.metadata.resourceVersion === undefined;
    const answer = await this.#exchange.json({
      method: isNew ? 'POST' : 'PUT',
      path: isNew ? collectionPath(leases, namespace) : objectPath(leases, { namespace, name }),
      body: lease,
      signals: [],
      limitMs: REQUEST_LIMIT_MS,
    });
    if (isKubeObject(answer)) return new LeaseRecord(answer);
    throw new ClusterError('unavailable', 'the answer is no Lease');
  }
}

/** For `--leader-elect=false`: the only process leads until it ends. */
export function createAlwaysLeader(): Election {
  const lost = new AbortController();
  return {
    isLeading: true,
    holder: '',
    acquired: Promise.resolve(),
    lost: lost.signal,
    mayWrite: () => !lost.signal.aborted,
    start: () => undefined,
    release: () => {
      lost.abort(new ClusterError('fenced', 'the process is ending'));
      return Promise.resolve();
    },
  };
}

function isLostRace(error: unknown): boolean {
  const fault = error instanceof ClusterError ? error.fault : undefined;
  return fault === 'conflict' || fault === 'alreadyExists' || fault === 'notFound';
}
