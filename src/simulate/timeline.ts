/** What happened, as lines: one for each change that a person would want to know of, at the instant it happened. */
import type { RolloutStatus } from '#api/status.ts';
import type { EventDraft } from '#core/decision.ts';
import type { ReportSource } from '#core/evidence.ts';
import type { ExpectKind } from './scenario.ts';

export interface Line {
  readonly atMs: number;
  /** `world` is what the scenario itself does. */
  readonly kind: ExpectKind | 'world';
  /** The phase, the reason, the name: what a line of `expect` compares. */
  readonly value: string | number;
  readonly state?: string;
  readonly by?: string;
  /** The sentence that the status, the event and the notification say. */
  readonly message?: string;
}

/** What one written look has changed. */
export interface Change {
  readonly atMs: number;
  readonly before: RolloutStatus;
  readonly after: RolloutStatus;
  readonly events: readonly EventDraft[];
}

export function linesOf(change: Change): Line[] {
  const { atMs, before, after } = change;
  const told = change.events.map(
    ({ reason, note }): Line => ({ atMs, kind: 'event', value: reason, message: note }),
  );
  return [
    ...triggerLines(atMs, before, after),
    ...holdLines(change),
    ...phaseLines(change),
    ...pointLines(change),
    ...stageLines(change),
    ...decisionLines(change),
    ...told,
  ];
}

/** The report of a run that has ended is final; one before may still grow. */
export function reportLines(written: readonly ReportSource[]): Line[] {
  return written.map(({ atMs, status, isFinal }) => ({
    atMs,
    kind: 'report',
    value: (isFinal ? status.history?.[0]?.outcome : undefined) ?? status.phase ?? '',
    state: isFinal ? 'Final' : 'Interim',
  }));
}

function phaseLines({ atMs, before, after }: Change): Line[] {
  const lines: Line[] = [];
  const message = after.message === undefined ? {} : { message: after.message };
  if (before.phase !== after.phase) {
    lines.push({ atMs, kind: 'phase', value: after.phase ?? '', ...message });
  }
  if (before.step !== after.step && after.step !== undefined) {
    lines.push({ atMs, kind: 'step', value: after.step });
  }
  return lines;
}

function holdLines({ atMs, before, after }: Change): Line[] {
  const had = before.holds ?? [];
  const has = after.holds ?? [];
  const isSame = (a: { reason: string; by: string }, b: { reason: string; by: string }) =>
    a.reason === b.reason && a.by === b.by;
  const begun = has.filter((hold) => !had.some((one) => isSame(one, hold)));
  const ended = had.filter((hold) => !has.some((one) => isSame(one, hold)));
  return [
    ...begun.map(
      ({ reason, by, message }): Line => ({ atMs, kind: 'hold', value: reason, by, message }),
    ),
    ...ended.map(({ reason, by }): Line => ({ atMs, kind: 'released', value: reason, by })),
  ];
}

function triggerLines(atMs: number, before: RolloutStatus, after: RolloutStatus): Line[] {
  return (after.triggers ?? []).flatMap(({ name, state, message }): Line[] => {
    const was = before.triggers?.find((one) => one.name === name)?.state ?? 'Inactive';
    if (was === state) return [];
    return [
      { atMs, kind: 'trigger', value: name, state, ...(message === undefined ? {} : { message }) },
    ];
  });
}

function pointLines({ atMs, before, after }: Change): Line[] {
  if (before.runId !== after.runId) return [];
  return (after.plan ?? []).flatMap((point): Line[] => {
    const was = before.plan?.find((one) => one.name === point.name && one.kind === point.kind);
    const isPassed = point.passedAt !== undefined && was?.passedAt === undefined;
    return isPassed ? [{ atMs, kind: 'passed', value: point.name }] : [];
  });
}

function stageLines({ atMs, before, after }: Change): Line[] {
  return (after.rollback?.stages ?? []).flatMap((stage): Line[] => {
    const was = before.rollback?.stages.find((one) => one.name === stage.name);
    if (was !== undefined && was.outcome === stage.outcome) return [];
    const { name, outcome, message } = stage;
    const said = message === undefined ? {} : { message };
    return [{ atMs, kind: 'stage', value: name, state: outcome, ...said }];
  });
}

function decisionLines({ atMs, before, after }: Change): Line[] {
  const had = before.decisions ?? [];
  return (after.decisions ?? [])
    .filter(
      (one) =>
        !had.some(
          (old) =>
            old.decidedAt === one.decidedAt && old.by === one.by && old.decision === one.decision,
        ),
    )
    .map(
      ({ decision, by, outcome, reason }): Line => ({
        atMs,
        kind: 'decision',
        value: decision,
        by,
        state: outcome,
        ...(reason === undefined ? {} : { message: reason }),
      }),
    );
}
