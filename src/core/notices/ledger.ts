/** What has been told of a run: kept beside the rollout, so that a restart neither loses nor repeats. */
import type { Message } from './message.ts';

/** An incident that people were told of, until they are told that it is over. */
export interface Opened {
  readonly name: string;
  /** What it was opened with, for those who want to hear it again and again. */
  readonly message: Message;
  readonly channels: readonly string[];
  readonly answeredBy?: string | undefined;
  /** When somebody was reminded last. */
  readonly remindedAt?: string | undefined;
}

/** A message on its way through a channel. */
export interface Delivery {
  readonly channel: string;
  readonly message: Message;
}

export interface Ledger {
  readonly runId: string;
  /** Ids of facts of this run. What the status no longer says is taken out, so this stays small. */
  readonly told: readonly string[];
  readonly open: readonly Opened[];
  /** The readings of the last digest, for the trends of the next. */
  readonly values: Readonly<Record<string, number>>;
}

export function emptyLedger(runId: string): Ledger {
  return { runId, told: [], open: [], values: {} };
}
