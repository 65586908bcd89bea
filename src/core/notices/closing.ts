/** What is told when an incident is over: to those who keep it open, and to those who have asked to hear of its end. */
import type { NotificationKind } from '#api/notify.ts';
import type { RolloutStatus } from '#api/status.ts';
import { toIso } from '#core/time.ts';
import { compose } from './compose.ts';
import { type Fact, incidentNames, type OpenIncident } from './fact.ts';
import type { NoticeInput } from './input.ts';
import type { Delivery, Opened } from './ledger.ts';
import { recipients } from './recipients.ts';

/** @param news facts of this look: one that tells of the end itself makes another message needless */
export function closings(
  told: readonly Opened[],
  open: readonly OpenIncident[],
  news: readonly Fact[],
  input: NoticeInput,
): Delivery[] {
  return told
    .filter(({ name, message }) => {
      const isOpen = open.some(
        (one) => one.name === name && one.since === message.incident?.openedAt,
      );
      return !isOpen && !news.some(({ incident }) => incident === name && isEnd(name, open));
    })
    .flatMap((one) => closing(one, input));
}

/** A fact about an incident that is no longer open is the word of its end. */
function isEnd(name: string, open: readonly OpenIncident[]): boolean {
  return !open.some((one) => one.name === name);
}

function closing(opened: Opened, { about, run, policy, now }: NoticeInput): Delivery[] {
  const { name, message, channels } = opened;
  const { status } = about;
  const isFormer = message.runId !== status.runId;
  const kind = kindOf(name, message.kind);
  const fact: Fact = {
    id: `closed/${name}/${message.incident?.openedAt ?? ''}`,
    kind,
    severity: message.severity,
    at: toIso(now),
    subject: message.subject,
    what: whatOf(name, message.subject),
    text: isFormer ? endText(status) : textOf(name, status),
    runbookUrl: message.runbookUrl,
    incident: name,
  };
  const { incident: before, runId, revision } = message;
  const composed = compose(
    fact,
    fact.at,
    { state: 'Closed', openedAt: before?.openedAt ?? message.at },
    isFormer ? { ...about, status: { runId, revision } } : about,
  );
  const keepers = channels.filter((channel) => policy.incidentChannels.has(channel));
  // With the end of a run everything ends: that is one message, not one for each trigger.
  const isQuiet = isFormer || status.finishedAt !== undefined || status.rollback !== undefined;
  const called = isQuiet ? [] : channels.filter((channel) => policy.channels.has(channel));
  const asked = isQuiet ? [] : recipients(fact, run, policy);
  const names = new Set([...keepers, ...(kind === 'TriggerResolved' ? called : []), ...asked]);
  return Array.from(names, (channel) => ({ channel, message: composed }));
}

function kindOf(name: string, opening: NotificationKind): NotificationKind {
  if (name === incidentNames.rollback) return 'RollbackFinished';
  if (name.startsWith('trigger/')) return 'TriggerResolved';
  return opening === 'Paused' ? 'Resumed' : 'Released';
}

function whatOf(name: string, subject: string): string {
  if (name === incidentNames.rollback) return 'the rollback is over';
  return name.startsWith('trigger/') ? `trigger ${subject} no longer fires` : `${subject} is over`;
}

function endText({ runId }: RolloutStatus): string {
  return runId === undefined ? 'the rollout was deleted' : 'a newer revision has replaced this run';
}

function textOf(name: string, status: RolloutStatus): string {
  const trigger = status.triggers?.find((one) => incidentNames.trigger(one.name) === name);
  if (trigger?.message !== undefined) return trigger.message;
  const rest = (status.holds ?? []).map(({ message }) => message);
  return rest.length === 0 ? 'nothing holds any more' : `still held: ${rest.join('; ')}`;
}
