/** One thing that is so and that people may want to know, and one that somebody should answer. */
import type { NotificationKind } from '#api/notify.ts';
import type { Severity } from '#core/run-spec.ts';

/** Who is called besides those who have asked for it. */
export type Called = 'responder' | 'releaseOwner';

export interface Fact {
  /** Unique within the run, and the same whenever it is read. */
  readonly id: string;
  readonly kind: NotificationKind;
  readonly severity: Severity;
  readonly at: string;
  readonly subject: string;
  /** What is so, for the title. */
  readonly what: string;
  readonly text: string;
  readonly calls?: Called;
  readonly responder?: string | undefined;
  readonly runbookUrl?: string | undefined;
  /** The incident that it opens or goes on with. */
  readonly incident?: string;
  readonly body?: string;
}

/** Something that is so and that somebody should answer. */
export interface OpenIncident {
  readonly name: string;
  readonly severity: Severity;
  readonly since: string;
  /** Who has acknowledged it, or decided something since. */
  readonly answeredBy: string | undefined;
  /** The engine itself says when its answer is overdue. */
  readonly hasOwnDeadline: boolean;
}

export const incidentNames = {
  trigger: (name: string) => `trigger/${name}`,
  hold: (reason: string) => `hold/${reason}`,
  rollback: 'rollback',
} as const;

/** One for each opening, whether the engine or the schedule says that it is overdue. */
export function overdueFact(
  incident: string,
  since: string,
  { subject, text, severity, responder, runbookUrl }: Omit<Fact, 'id' | 'kind' | 'at' | 'what'>,
): Omit<Fact, 'at'> {
  return {
    id: `overdue/${incident}/${since}`,
    kind: 'ResponseOverdue',
    severity,
    subject,
    what: `nobody has answered ${subject}`,
    text: `nobody has answered in time: ${text}`,
    calls: 'releaseOwner',
    responder,
    runbookUrl,
    incident,
  };
}

export function severityOf(text: string): Severity {
  return text === 'Critical' || text === 'Info' ? text : 'Warning';
}
