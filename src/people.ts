/** Telling people, plugged together: channels, their queues and the outbox in front of them. */
import { createHash } from 'node:crypto';
import { secretReader } from '#kube/secrets.ts';
import { ChannelQueue } from '#notifiers/channel-queue.ts';
import { createNotifier } from '#notifiers/index.ts';
import { createLedgerStore, ownerOf } from '#notifiers/ledger-store.ts';
import { Outbox } from '#notifiers/outbox.ts';
import { createSecretSource } from '#notifiers/secret-source.ts';
import type { Clock } from '#ports/clock.ts';
import type { Cluster } from '#ports/cluster.ts';
import type { EvidenceStore } from '#ports/evidence-store.ts';
import type { Leadership } from '#ports/leadership.ts';
import type { Logger } from '#ports/logger.ts';
import { type Announcer, type NoticeObserver, noAnnouncer } from '#ports/notifier.ts';
import type { Notifications } from './config/channels.ts';

export interface PeopleOptions {
  readonly notifications: Notifications;
  /** Where the Secrets of channels are. */
  readonly namespace: string;
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly leadership: Leadership;
  /** Where reports are. */
  readonly store: EvidenceStore;
  readonly observe: (channels: readonly string[]) => NoticeObserver;
  /** Throws when the file cannot be read. */
  readonly readText: (path: string) => string;
}

export interface People extends Announcer {
  close(signal: AbortSignal): Promise<void>;
}

const quiet: People = { ...noAnnouncer, close: async () => undefined };

/** Channels that forget what they are not told again. */
const FORGETFUL = 'alertmanager';

export function createPeople(options: PeopleOptions): People {
  const { notifications, namespace, cluster, clock, logger, leadership, readText } = options;
  const { channels, policy } = notifications;
  if (channels.length === 0) return quiet;
  const observer = options.observe(channels.map(({ name }) => name));
  const stop = new AbortController();
  const readSecret = createSecretSource({
    clock,
    readFile: readText,
    readEntries: (name, signal) => secretReader(cluster, namespace, signal)(name),
    where: `namespace ${namespace}`,
  });
  const notifiers = channels.map((channel) => createNotifier(channel, { readSecret, clock }));
  const queues = notifiers.map((notifier) => {
    const maySend = () => leadership.mayWrite();
    const queue = new ChannelQueue({
      notifier,
      clock,
      logger,
      observer,
      maySend,
      stop: stop.signal,
    });
    return [notifier.definition.name, queue] as const;
  });
  const outbox = new Outbox({
    policy,
    queues: new Map(queues),
    forgetful: new Set(channels.filter(({ type }) => type === FORGETFUL).map(({ name }) => name)),
    store: createLedgerStore(cluster),
    readReport: (rollout, runId, signal) =>
      options.store.readReport(ownerOf(rollout), runId, signal),
    clock,
    logger,
    hash: (text) => createHash('sha256').update(text).digest('hex').slice(0, 32),
    stop,
  });
  return {
    looked: (look) => outbox.looked(look),
    forget: (key) => outbox.forget(key),
    async close(signal) {
      await outbox.close(signal);
      await Promise.all(notifiers.map((notifier) => notifier.close()));
    },
  };
}
