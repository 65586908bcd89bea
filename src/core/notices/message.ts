/** What people are told: whole by itself, so that it can be kept and sent by another process. */
import type { NotificationKind } from '#api/notify.ts';
import type { Severity } from '#core/run-spec.ts';

/** What one thing that needs an answer is known by, over all messages about it. */
export interface Incident {
  /** The same from opening to closing, in every process. */
  readonly key: string;
  readonly state: 'Open' | 'Acknowledged' | 'Closed';
  readonly openedAt: string;
  readonly acknowledgedBy?: string | undefined;
}

export interface MessageDetail {
  readonly label: string;
  readonly value: string;
}

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
  readonly body?: string | undefined;
  readonly runbookUrl?: string | undefined;
  readonly incident?: Incident | undefined;
}
