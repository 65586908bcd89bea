/** The operator's own say on who is told what, and how soon people must look and answer. */
import type { NotificationKind } from '#api/notify.ts';
import type { Severity } from '#core/run-spec.ts';

/** As an entry of `spec.notify`. */
export interface Subscription {
  readonly channel: string;
  /** Undefined: everything. */
  readonly events?: readonly NotificationKind[] | undefined;
  readonly minSeverity?: Severity | undefined;
}

export interface Routing {
  /** For rollouts without `spec.notify`. */
  readonly default: readonly Subscription[];
  /** Names of channels by responder, as triggers name them. */
  readonly responders: Readonly<Record<string, readonly string[]>>;
  /** Called where nobody has answered, and where a trigger's responder is not known. */
  readonly releaseOwner: readonly string[];
}

/** A part of a run, counted from its start. */
export interface Watch {
  readonly untilMs: number;
  readonly lookEveryMs: number;
  readonly digestEveryMs: number;
  readonly answerWithinMs: { readonly Critical: number; readonly Warning: number };
}

export interface NoticePolicy {
  /** Channels that keep an incident open until it is closed, which a mail does not. */
  readonly incidentChannels: ReadonlySet<string>;
  readonly channels: ReadonlySet<string>;
  readonly routing: Routing;
  /** In order of time; the last one's times to answer hold for as long as a run lasts. */
  readonly schedule: readonly Watch[];
}

const ranks: Readonly<Record<Severity, number>> = { Info: 0, Warning: 1, Critical: 2 };

export function wants(
  { events, minSeverity = 'Info' }: Subscription,
  kind: NotificationKind,
  severity: Severity,
): boolean {
  return (events?.includes(kind) ?? true) && ranks[severity] >= ranks[minSeverity];
}

/** The part of the schedule that a moment of the run lies in; the last one goes on for its times to answer. */
export function watchAt(
  schedule: readonly Watch[],
  sinceStartMs: number,
): { readonly watch: Watch; readonly isOver: boolean } | undefined {
  const watch = schedule.find(({ untilMs }) => sinceStartMs < untilMs);
  if (watch !== undefined) return { watch, isOver: false };
  const last = schedule.at(-1);
  return last && { watch: last, isOver: true };
}
