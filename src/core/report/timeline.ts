/**
 * What happened, in order: what was told at the time, and what the status knows of it where the telling was lost
 * with a process that died.
 */
import type { RolloutStatus } from '#api/status.ts';
import type { EventRecord, SnapshotRecord } from '#core/record.ts';
import { fromIso } from '#core/time.ts';
import type { ReportedHold, ReportedSnapshots, ReportedTelling, TimelineEntry } from './data.ts';

/** A fact of the status, and what was told if the process that saw it lived long enough. */
interface Fact extends TimelineEntry {
  readonly toldAs: readonly string[];
}

/** Of what was told and what is known of the same, this far apart at most, one is enough. */
const SAME_MS = 5_000;
/** A report stays readable, and within one object; the middle of a longer one is left out. */
const HEAD_MAX = 300;
const TAIL_MAX = 700;

export function timelineOf(
  status: RolloutStatus,
  events: readonly EventRecord[],
  gaps: ReportedSnapshots['gaps'],
): TimelineEntry[] {
  const told = events.map(({ at, reason, note }) => ({ at, what: reason, text: note }));
  const facts = factsOf(status).filter(
    (fact) =>
      !events.some(
        ({ at, reason }) =>
          fact.toldAs.includes(reason) && Math.abs(fromIso(at) - fromIso(fact.at)) <= SAME_MS,
      ),
  );
  const missing = gaps.map(({ from, to, fromAt }) => ({
    at: fromAt,
    what: 'SnapshotsMissing',
    text: from === to ? `snapshot ${from} is missing` : `snapshots ${from} to ${to} are missing`,
  }));
  const all = [...told, ...facts, ...missing]
    .map(({ at, what, text }) => ({ at, what, text }))
    .toSorted((a, b) => fromIso(a.at) - fromIso(b.at));
  return shortened(all);
}

function shortened(all: readonly TimelineEntry[]): TimelineEntry[] {
  const count = all.length - HEAD_MAX - TAIL_MAX;
  const [first] = all.slice(HEAD_MAX);
  if (count <= 0 || first === undefined) return [...all];
  const left = { at: first.at, what: 'LeftOut', text: `${count} entries are left out here` };
  return [...all.slice(0, HEAD_MAX), left, ...all.slice(-TAIL_MAX)];
}

function factsOf(status: RolloutStatus): Fact[] {
  const { rollback, runId = '', revision = '' } = status;
  const started: Fact[] = at(status.startedAt, {
    what: 'RunStarted',
    text: `run ${runId} of revision ${revision} started`,
    toldAs: ['RunStarted'],
  });
  const points = (status.plan ?? []).flatMap(({ name, kind, passedAt, weight }) =>
    at(passedAt, {
      what: `${kind}Passed`,
      text: weight === undefined ? `${name} passed` : `step ${name} reached: ${weight}%`,
      toldAs: ['StepEntered', 'CheckpointPassed', 'EndReached'],
    }),
  );
  const firings = (status.triggers ?? []).flatMap(({ name, firingAt, message }) =>
    at(firingAt, {
      what: 'TriggerFired',
      text: message ?? `${name} fired`,
      toldAs: ['TriggerFired'],
    }),
  );
  const decisions = (status.decisions ?? []).flatMap((one) =>
    at(one.decidedAt, {
      what: 'Decision',
      text: `${one.by} decided ${one.decision}: ${one.outcome}${one.reason === undefined ? '' : ` (${one.reason})`}`,
      toldAs: [],
    }),
  );
  const begun = at(rollback?.startedAt, {
    what: 'RollbackStarted',
    text: rollback?.message ?? '',
    toldAs: ['RollbackStarted'],
  });
  const stages = (rollback?.stages ?? []).flatMap(({ name, outcome, finishedAt, message }) =>
    at(finishedAt, { what: 'StageEnded', text: `${name} ${outcome}: ${message}`, toldAs: [] }),
  );
  const ended = at(status.finishedAt, {
    what: 'RunEnded',
    text: status.history?.[0]?.message ?? status.message ?? 'the run ended',
    toldAs: ['Succeeded', 'RolledBack'],
  });
  return [...started, ...points, ...firings, ...decisions, ...begun, ...stages, ...ended];
}

function at(time: string | undefined, fact: Omit<Fact, 'at'>): Fact[] {
  return time === undefined ? [] : [{ at: time, ...fact }];
}

/** What was told, by reason. */
export function tellingsOf(events: readonly EventRecord[]): ReportedTelling[] {
  const byReason = new Map<string, ReportedTelling>();
  for (const { reason, kind, at: time } of events) {
    const known = byReason.get(reason);
    byReason.set(
      reason,
      known === undefined
        ? { reason, kind, count: 1, firstAt: time, lastAt: time }
        : { ...known, count: known.count + 1, lastAt: time },
    );
  }
  return [...byReason.values()];
}

/** From the first hold to the moment at which nothing held any more, with all that held in between. */
export function heldOf(events: readonly EventRecord[], endAtMs: number): ReportedHold[] {
  const held: ReportedHold[] = [];
  let open: { from: string; why: string[] } | undefined;
  const end = (to: string | undefined): void => {
    if (open === undefined) return;
    const forMs = Math.max(0, (to === undefined ? endAtMs : fromIso(to)) - fromIso(open.from));
    held.push({ from: open.from, ...(to === undefined ? {} : { to }), forMs, why: open.why });
    open = undefined;
  };
  for (const { reason, note, at: time } of events) {
    if (reason === 'Held') {
      open ??= { from: time, why: [] };
      if (!open.why.includes(note)) open.why.push(note);
    }
    if (reason === 'HoldEnded' || reason === 'RollbackStarted') end(time);
  }
  end(undefined);
  return held;
}

/** Canary's share wherever it was another than the time before. */
export function weightsOf(
  records: readonly SnapshotRecord[],
): { readonly at: string; readonly weight: number }[] {
  const changes: { readonly at: string; readonly weight: number }[] = [];
  for (const { at: time, weight } of records) {
    if (weight !== undefined && changes.at(-1)?.weight !== weight)
      changes.push({ at: time, weight });
  }
  return changes;
}
