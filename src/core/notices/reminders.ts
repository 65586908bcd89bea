/** What has been told and not been answered: acknowledged, escalated to the release owner, told again. */

import { soonest } from '#core/next-look.ts';
import { fromIso, fromIsoOptional, spanText, toIso } from '#core/time.ts';
import { type Fact, type OpenIncident, overdueFact } from './fact.ts';
import { isSame, type NoticeInput } from './input.ts';
import type { Delivery, Opened } from './ledger.ts';
import type { Message } from './message.ts';
import { watchAt } from './policy.ts';

export interface Reminding {
  /** Answers that are overdue by the schedule. */
  readonly facts: readonly Fact[];
  readonly deliveries: readonly Delivery[];
  /** The very list where nothing has changed. */
  readonly opened: readonly Opened[];
  readonly wakeAtMs: number | undefined;
}

interface Reminder {
  readonly opened: Opened;
  readonly fact?: Fact;
  readonly deliveries: readonly Delivery[];
  readonly wakeAtMs?: number;
}

export function remind(
  told: readonly Opened[],
  open: readonly OpenIncident[],
  input: NoticeInput & { readonly startedMs: number },
): Reminding {
  const all = told.map((one): Reminder => {
    const incident = open.find((other) => isSame(one, other));
    return incident === undefined
      ? { opened: one, deliveries: [] }
      : reminder(one, incident, input);
  });
  const opened = all.map((one) => one.opened);
  return {
    facts: all.flatMap(({ fact }) => fact ?? []),
    deliveries: all.flatMap(({ deliveries }) => deliveries),
    opened: opened.every((one, index) => one === told[index]) ? told : opened,
    wakeAtMs: soonest(all.map(({ wakeAtMs }) => wakeAtMs)),
  };
}

function reminder(
  opened: Opened,
  incident: OpenIncident,
  input: NoticeInput & { readonly startedMs: number },
): Reminder {
  const { policy, now, startedMs } = input;
  const { severity, answeredBy } = incident;
  if (answeredBy !== undefined) {
    const isNew = opened.answeredBy === undefined;
    return { opened, deliveries: isNew ? acknowledgements(opened, answeredBy, input) : [] };
  }
  const watch = watchAt(policy.schedule, fromIso(incident.since) - startedMs)?.watch;
  if (severity === 'Info' || watch === undefined) return { opened, deliveries: [] };
  const dueMs = fromIso(incident.since) + watch.answerWithinMs[severity];
  if (now < dueMs) return { opened, deliveries: [], wakeAtMs: dueMs };
  const fact = incident.hasOwnDeadline
    ? {}
    : {
        fact: {
          ...overdueFact(incident.name, incident.since, termsOf(opened.message)),
          at: toIso(dueMs),
        },
      };
  const everyMs = watchAt(policy.schedule, now - startedMs)?.watch.lookEveryMs ?? watch.lookEveryMs;
  const lastMs = fromIsoOptional(opened.remindedAt) ?? dueMs;
  if (now < lastMs + everyMs)
    return { opened, ...fact, deliveries: [], wakeAtMs: lastMs + everyMs };
  const at = toIso(now);
  const message = again(opened.message, at, input);
  return {
    opened: { ...opened, remindedAt: at },
    ...fact,
    deliveries: opened.channels
      .filter((channel) => policy.channels.has(channel))
      .map((channel) => ({ channel, message })),
    wakeAtMs: now + everyMs,
  };
}

/** A person has it in hand: those who keep incidents stop calling others. */
function acknowledgements(
  { message, channels }: Opened,
  answeredBy: string,
  { policy, about }: NoticeInput,
): Delivery[] {
  const { incident } = message;
  if (incident === undefined) return [];
  const acknowledged: Message = {
    ...message,
    id: about.hash(`${message.id}/acknowledged`),
    incident: { ...incident, state: 'Acknowledged', acknowledgedBy: answeredBy },
  };
  return channels
    .filter((channel) => policy.incidentChannels.has(channel))
    .map((channel) => ({ channel, message: acknowledged }));
}

/** What the escalation says is what the opening said. */
function termsOf({ subject, text, severity, runbookUrl }: Message) {
  return { subject, text, severity, runbookUrl };
}

function again(message: Message, at: string, { about, now }: NoticeInput): Message {
  const openMs = now - fromIso(message.incident?.openedAt ?? message.at);
  return {
    ...message,
    id: about.hash(`${message.id}/again/${at}`),
    title: `${message.title} (unanswered for ${spanText(openMs)})`,
  };
}
