/**
 * Who is to be told what now: what the status says, less what has been told. Pure, so that a restart, another leader
 * and a test in virtual time come to the same messages.
 */
import type { RolloutStatus } from '#api/status.ts';
import { soonest } from '#core/next-look.ts';
import { fromIso, toIso } from '#core/time.ts';
import { closings } from './closing.ts';
import { type About, compose } from './compose.ts';
import type { Fact, OpenIncident } from './fact.ts';
import { factsOf } from './facts.ts';
import { isSame, type NoticeInput } from './input.ts';
import { type Delivery, emptyLedger, type Ledger, type Opened } from './ledger.ts';
import type { NoticePolicy } from './policy.ts';
import { recipients } from './recipients.ts';
import { remind } from './reminders.ts';
import { routineOf, valuesOf } from './routine.ts';

export interface NoticePlan {
  /** The very ledger where nothing is to be told. */
  readonly ledger: Ledger | undefined;
  readonly deliveries: readonly Delivery[];
  /** When to plan again though nothing has changed. */
  readonly wakeAtMs: number | undefined;
}

/** A rollout of which nothing is known to have been told is not told its whole past. */
const PAST_MS = 10 * 60_000;

export function planNotices(input: NoticeInput): NoticePlan {
  const { about, run, ledger, policy, now } = input;
  const { status } = about;
  const { runId } = status;
  if (runId === undefined) return { ledger, deliveries: [], wakeAtMs: undefined };
  const known = ledger?.runId === runId ? ledger : emptyLedger(runId);
  const former = ledger === known || ledger === undefined ? [] : ledger.open;
  const { facts, open } = factsOf(status, run);
  const timed = { ...input, startedMs: startOf(status, now) };
  const reminding = remind(known.open, open, timed);
  const routine = routineOf({ ...input, status, values: known.values, schedule: policy.schedule });
  const all = [...facts, ...reminding.facts, ...(routine.fact === undefined ? [] : [routine.fact])];
  const told = new Set(known.told);
  const news = all.filter(({ id }) => !told.has(id));
  const isPast = (fact: Fact) =>
    ledger === undefined &&
    !open.some(({ name }) => name === fact.incident) &&
    fact.at !== '' &&
    now - fromIso(fact.at) > PAST_MS;
  const current = news.filter((fact) => !isPast(fact));
  const closed = closings([...former, ...known.open], open, current, input);
  const fresh = current.flatMap((fact) => deliveriesOf(fact, known.open, open, input));
  const deliveries = collapsed([...closed, ...fresh, ...reminding.deliveries]);
  const stillOpen = opened({ known: reminding.opened, current, fresh, open, about });
  const hasDigest = current.some(({ kind }) => kind === 'Digest');
  const isUnchanged =
    ledger === known && news.length === 0 && deliveries.length === 0 && stillOpen === known.open;
  return {
    ledger: isUnchanged
      ? ledger
      : {
          runId,
          told: all.map(({ id }) => id),
          open: stillOpen,
          values: hasDigest ? valuesOf(input.triggers) : known.values,
        },
    deliveries,
    // Of what has just been opened too.
    wakeAtMs: soonest([remind(stillOpen, open, timed).wakeAtMs, routine.nextMs], now),
  };
}

/** The rollout is gone, and with it everything that was open. */
export function closeAll(
  ledger: Ledger,
  about: About,
  policy: NoticePolicy,
  now: number,
): readonly Delivery[] {
  const input = { about, run: undefined, triggers: [], ledger, policy, now };
  return closings(ledger.open, [], [], input);
}

function deliveriesOf(
  fact: Fact,
  known: readonly Opened[],
  open: readonly OpenIncident[],
  { about, run, policy, now }: NoticeInput,
): Delivery[] {
  const incident = open.find(({ name }) => name === fact.incident);
  const before = known.find(({ name }) => name === fact.incident);
  const state = incident === undefined ? 'Closed' : 'Open';
  const openedAt = before?.message.incident?.openedAt ?? incident?.since ?? fact.at;
  const message = compose(
    fact,
    fact.at === '' ? toIso(now) : fact.at,
    fact.incident === undefined ? undefined : { state, openedAt },
    about,
  );
  const ending =
    state === 'Closed'
      ? (before?.channels ?? []).filter((one) => policy.incidentChannels.has(one))
      : [];
  const names = new Set([...recipients(fact, run, policy), ...ending]);
  return Array.from(names, (channel) => ({ channel, message }));
}

interface OpenedInput {
  readonly known: readonly Opened[];
  readonly current: readonly Fact[];
  readonly fresh: readonly Delivery[];
  readonly open: readonly OpenIncident[];
  readonly about: About;
}

/** @returns the very list where nothing has changed */
function opened({ known, current, fresh, open, about }: OpenedInput): readonly Opened[] {
  const next = open.map((incident): Opened | undefined => {
    const before = known.find((one) => isSame(one, incident));
    const facts = current.filter((fact) => fact.incident === incident.name);
    const messages = fresh.filter(({ message }) =>
      facts.some((fact) => isAbout(message.id, fact, about)),
    );
    const [first] = facts;
    if (before === undefined && first === undefined) return undefined;
    const channels = [
      ...new Set([...(before?.channels ?? []), ...messages.map((one) => one.channel)]),
    ];
    const { answeredBy } = incident;
    if (before !== undefined) {
      const isUnchanged =
        channels.length === before.channels.length && answeredBy === before.answeredBy;
      return isUnchanged ? before : { ...before, channels, answeredBy };
    }
    if (first === undefined) return undefined;
    const message = compose(first, first.at, { state: 'Open', openedAt: incident.since }, about);
    return {
      name: incident.name,
      message,
      channels,
      ...(answeredBy === undefined ? {} : { answeredBy }),
    };
  });
  const list = next.filter((one) => one !== undefined);
  const isUnchanged =
    list.length === known.length && list.every((one, index) => one === known[index]);
  return isUnchanged ? known : list;
}

function isAbout(id: string, fact: Fact, { uid, status, hash }: About): boolean {
  return id === hash(`${uid}/${status.runId ?? ''}/${fact.id}`);
}

/** A channel is told once of one thing, though two rules say so at the same time. */
function collapsed(deliveries: readonly Delivery[]): Delivery[] {
  const unique = new Map<string, Delivery>();
  for (const one of deliveries) {
    const { channel, message } = one;
    const { incident, kind, id } = message;
    const what = incident === undefined ? id : `${incident.key} ${incident.state} ${kind}`;
    const key = `${channel} ${what}`;
    if (!unique.has(key)) unique.set(key, one);
  }
  return [...unique.values()];
}

function startOf({ startedAt }: RolloutStatus, now: number): number {
  return startedAt === undefined ? now : fromIso(startedAt);
}
