/** Telling people: which channels there are, and what a channel makes of a message. */
import type { RolloutStatus } from '#api/status.ts';
import type { Delivery, Ledger } from '#core/notices/ledger.ts';
import type { Message } from '#core/notices/message.ts';
import type { RunSpec } from '#core/run-spec.ts';
import type { TriggerOutcome } from '#core/trigger.ts';
import type { KubeObject, ObjectKey } from './cluster.ts';

export type { Message } from '#core/notices/message.ts';

export type SendOutcome =
  /** `answer` is what the server said. */
  | { readonly type: 'sent'; readonly answer: string }
  /** Worth another try, not before `retryAfterMs` where the server has said so. */
  | { readonly type: 'later'; readonly message: string; readonly retryAfterMs?: number }
  /** The message or the channel's settings are refused: repeating it will not help. */
  | { readonly type: 'never'; readonly message: string };

/** Sending never rejects but with the signal's reason. No outcome contains a secret. */
export interface Notifier {
  readonly definition: ChannelDefinition;
  send(message: Message, signal: AbortSignal): Promise<SendOutcome>;
  close(): Promise<void>;
}

/** Where a secret is kept: an entry of a Secret in the operator's namespace, or a file. */
export type SecretReference =
  | { readonly type: 'secret'; readonly name: string; readonly key: string }
  | { readonly type: 'file'; readonly path: string };

/** Reads it anew. Rejects with SecretProblem. */
export type ReadSecret = (reference: SecretReference, signal: AbortSignal) => Promise<string>;

/** A secret that is missing or cannot be used; the message names where it was looked for, and not what it is. */
export class SecretProblem extends Error {}

export interface ChannelTls {
  readonly ca?: SecretReference;
  readonly serverName?: string;
  readonly insecureSkipVerify: boolean;
}

/** How an HTTP server is reached. */
export interface ChannelConnection {
  readonly tls: ChannelTls;
  readonly proxyUrl?: string;
}

interface Channel extends ChannelConnection {
  readonly name: string;
}

export type Credentials =
  | { readonly type: 'bearer'; readonly token: SecretReference }
  | { readonly type: 'basic'; readonly username: string; readonly password: SecretReference };

export type ChannelDefinition =
  | (Channel & {
      readonly type: 'slack';
      readonly by:
        | { readonly type: 'webhook'; readonly url: SecretReference }
        | {
            readonly type: 'token';
            readonly token: SecretReference;
            readonly channel: string;
            readonly apiUrl: string;
          };
    })
  | (Channel & {
      readonly type: 'pagerDuty';
      readonly routingKey: SecretReference;
      readonly url: string;
      readonly changeUrl: string;
    })
  | (Channel & {
      readonly type: 'email';
      readonly host: string;
      readonly port: number;
      readonly encryption: 'StartTls' | 'Tls' | 'None';
      readonly from: string;
      readonly to: readonly string[];
      readonly credentials?: { readonly username: string; readonly password: SecretReference };
    })
  | (Channel & {
      readonly type: 'alertmanager';
      /** Every replica: they do not tell each other of alerts. */
      readonly urls: readonly string[];
      readonly credentials?: Credentials;
    })
  | (Channel & {
      readonly type: 'webhook';
      readonly url: string;
      /** Signs what is sent. */
      readonly secret: SecretReference;
    });

/** What the outbox takes: what a look has seen. It never waits, never throws and delays nothing. */
export interface Announcer {
  looked(look: NoticeLook): void;
  /** The rollout is gone: what is open is closed. */
  forget(key: ObjectKey): void;
}

export interface NoticeLook {
  readonly rollout: KubeObject;
  /** As it was written. */
  readonly status: RolloutStatus;
  readonly run: RunSpec | undefined;
  readonly triggers: readonly TriggerOutcome[];
}

/** Where nobody is to be told. */
export const noAnnouncer: Announcer = { looked: () => undefined, forget: () => undefined };

/** Figures about channels. */
export interface NoticeObserver {
  sent(channel: string, durationMs: number): void;
  /** A try that failed and is repeated. */
  failed(channel: string): void;
  /** Given up: refused, too old, or too many. */
  lost(channel: string, why: 'refused' | 'old' | 'full'): void;
  /** @param oldestAtMs since when the oldest waits, ms since the epoch */
  waiting(channel: string, count: number, oldestAtMs: number | undefined): void;
}

/** What was told of a rollout, and what is still on its way. */
export interface KeptNotices {
  readonly ledger: Ledger | undefined;
  readonly pending: readonly PendingDelivery[];
}

export interface PendingDelivery extends Delivery {
  /** Since when it waits, ms since the epoch. */
  readonly sinceMs: number;
}

/** Both reject with ClusterError, and honour the signal. */
export interface NoticeStore {
  /** Undefined: nothing is kept. */
  load(rollout: KubeObject, signal: AbortSignal): Promise<KeptNotices | undefined>;
  save(rollout: KubeObject, kept: KeptNotices, signal: AbortSignal): Promise<void>;
}
