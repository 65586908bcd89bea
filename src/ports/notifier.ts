/** Telling people: what a message is, which channels there are, and what a channel makes of a message. */
import type { NotificationKind } from '#api/notify.ts';
import type { Severity } from '#core/run-spec.ts';

/** What one thing that needs an answer is known by, over all messages about it. */
export interface Incident {
  /** The same from opening to closing, in every process. */
  readonly key: string;
  readonly state: 'Open' | 'Acknowledged' | 'Closed';
  readonly openedAt: string;
  readonly acknowledgedBy?: string;
}

export interface MessageDetail {
  readonly label: string;
  readonly value: string;
}

/** Whole by itself, so that it can be kept and sent by another process. */
export interface Message {
  /** Names the fact, not the try: equal for every repetition. At most 64 letters of [0-9a-f]. */
  readonly id: string;
  readonly kind: NotificationKind;
  readonly severity: Severity;
  /** Since when it is so. */
  readonly at: string;
  readonly namespace: string;
  readonly rollout: string;
  readonly revision: string;
  readonly runId: string;
  /** The trigger, step, checkpoint or reason that it is about; empty for the run as a whole. */
  readonly subject: string;
  /** A line: whom it is about, and what is so. */
  readonly title: string;
  /** The decision's own sentence. */
  readonly text: string;
  readonly details: readonly MessageDetail[];
  /** Further lines, Markdown: a checklist, a report. */
  readonly body?: string;
  readonly runbookUrl?: string;
  readonly incident?: Incident;
}

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
