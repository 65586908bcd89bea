/** From the end of a run, its spec and its records to the report: pure, so that anybody can make it again. */

import type { RollbackStage, RolloutStatus } from '#api/status.ts';
import { assertNever } from '#core/assert.ts';
import { type ReportSource, snapshotIntervalMs } from '#core/evidence.ts';
import type { EventRecord, EvidenceLine, SnapshotRecord } from '#core/record.ts';
import type { Measure, RunSpec } from '#core/run-spec.ts';
import { fromIso, fromIsoOptional, toIso } from '#core/time.ts';
import type {
  Report,
  ReportedFiring,
  ReportedPoint,
  ReportedRollback,
  ReportedStage,
  TriggerTerms,
} from './data.ts';
import { digestOf } from './digest.ts';
import { markdownOf } from './markdown.ts';
import { withoutSecrets } from './secrets.ts';
import { heldOf, tellingsOf, timelineOf, weightsOf } from './timeline.ts';

export interface MadeReport {
  readonly data: Report;
  readonly markdown: string;
}

/** @param lines everything that was kept of the run, in any order */
export function makeReport(source: ReportSource, lines: readonly EvidenceLine[]): MadeReport {
  const data = withoutSecrets(reportData(source, lines));
  return { data, markdown: markdownOf(data) };
}

function reportData(source: ReportSource, lines: readonly EvidenceLine[]): Report {
  const { run, status, atMs } = source;
  const startedAtMs = fromIsoOptional(status.startedAt) ?? atMs;
  const endedAtMs = fromIsoOptional(status.finishedAt);
  const untilMs = endedAtMs ?? atMs;
  const records = snapshotsOf(lines);
  const events = eventsOf(lines);
  const intervalMs = snapshotIntervalMs(run, status);
  const snapshots = digestOf(records, { startedAtMs, endedAtMs: untilMs, intervalMs });
  const last = status.history?.find(({ runId }) => runId === status.runId);
  return {
    kind: status.rollback === undefined ? 'Success' : 'Incident',
    isFinal: source.isFinal,
    madeAt: toIso(atMs),
    namespace: source.namespace,
    rollout: source.name,
    revision: status.revision ?? run.revision,
    runId: status.runId ?? '',
    startedAt: toIso(startedAtMs),
    ...(endedAtMs === undefined ? {} : { endedAt: toIso(endedAtMs) }),
    tookMs: Math.max(0, untilMs - startedAtMs),
    outcome: last?.outcome ?? status.phase ?? 'Unknown',
    message: last?.message ?? status.message ?? '',
    ...(status.rollback === undefined ? {} : { rollback: rollbackOf(run, status.rollback, atMs) }),
    fired: firedOf(run, status),
    triggers: run.triggers.map((trigger) => ({
      ...termsOf(run, trigger.name),
      state: stateOf(status, trigger.name)?.state ?? 'Inactive',
    })),
    plan: pointsOf(run, status),
    weights: weightsOf(records),
    checkpoints: (status.checkpoints ?? []).map(({ name, outcome, passedAt, message }) => ({
      name,
      outcome,
      ...(passedAt === undefined ? {} : { at: passedAt }),
      message,
    })),
    decisions: (status.decisions ?? []).map(({ decision, by, decidedAt, reason, outcome }) => ({
      at: decidedAt,
      decision,
      by,
      ...(reason === undefined ? {} : { reason }),
      outcome,
    })),
    ...(status.success === undefined ? {} : { success: judgedOf(status.success) }),
    extensions: (status.extensions ?? []).map(({ at, by, reason, until }) => ({
      at,
      by,
      reason,
      until,
    })),
    criteria: run.success.criteria.map(({ name, measure, condition, forMs }) => ({
      name,
      source: sourceOf(measure),
      condition: condition.text,
      forMs,
    })),
    required: [...run.success.require],
    held: heldOf(events, untilMs),
    snapshots,
    told: tellingsOf(events),
    timeline: timelineOf(status, events, snapshots.gaps),
  };
}

function judgedOf({
  outcome,
  judgedAt,
  since,
  missed,
}: NonNullable<RolloutStatus['success']>): NonNullable<Report['success']> {
  return { outcome, judgedAt, since, missed };
}

function snapshotsOf(lines: readonly EvidenceLine[]): SnapshotRecord[] {
  return lines
    .flatMap((line) => (line.type === 'snapshot' ? [line] : []))
    .toSorted((a, b) => a.index - b.index);
}

function eventsOf(lines: readonly EvidenceLine[]): EventRecord[] {
  return lines
    .flatMap((line) => (line.type === 'event' ? [line] : []))
    .toSorted((a, b) => fromIso(a.at) - fromIso(b.at));
}

function stateOf(status: RolloutStatus, name: string) {
  return status.triggers?.find((one) => one.name === name);
}

/** In a rollback the one that asked for it stands first. */
function firedOf(run: RunSpec, status: RolloutStatus): ReportedFiring[] {
  const cause = status.rollback?.trigger;
  return (status.triggers ?? [])
    .flatMap(({ name, firingAt, activeAt, value, message }): ReportedFiring[] =>
      firingAt === undefined
        ? []
        : [
            {
              ...termsOf(run, name),
              ...(value === undefined ? {} : { value }),
              ...(activeAt === undefined ? {} : { activeAt }),
              firingAt,
              message: message ?? `${name} fired`,
            },
          ],
    )
    .toSorted((a, b) => Number(b.name === cause) - Number(a.name === cause));
}

function termsOf(run: RunSpec, name: string): TriggerTerms {
  const trigger = run.triggers.find((one) => one.name === name);
  if (trigger === undefined) {
    const { forMs } = run.canaryDown;
    const source = 'Ready endpoints of canary';
    return { name, severity: 'Critical', source, condition: '== 0', forMs };
  }
  return {
    name,
    severity: trigger.severity,
    source: sourceOf(trigger.measure),
    condition: trigger.condition.text,
    forMs: trigger.forMs,
  };
}

function sourceOf(measure: Measure): string {
  switch (measure.type) {
    case 'query':
      return measure.query.trim();
    case 'ratio':
      return `${measure.bad.trim()} / ${measure.total.trim()}`;
    case 'probe':
      return `GET ${measure.url} answers ${measure.expectStatus}`;
    case 'suite':
      return `${measure.of} of suite ${measure.suite}`;
    default:
      return assertNever(measure);
  }
}

function pointsOf(run: RunSpec, status: RolloutStatus): ReportedPoint[] {
  return (status.plan ?? []).map(({ name, kind, weight, dueAt, passedAt }) => {
    const planned = run.points.find((point) => point.name === name && point.kind === kind);
    return {
      name,
      kind,
      ...(weight === undefined ? {} : { weight }),
      ...(planned === undefined ? {} : { plannedMs: planned.atMs }),
      dueAt,
      ...(passedAt === undefined ? {} : { passedAt }),
    };
  });
}

function rollbackOf(
  run: RunSpec,
  rollback: NonNullable<RolloutStatus['rollback']>,
  atMs: number,
): ReportedRollback {
  const { trigger, reason, message, startedAt, completedAt, withinSla, outcome } = rollback;
  return {
    ...(trigger === undefined ? {} : { trigger }),
    reason,
    message,
    startedAt,
    ...(completedAt === undefined ? {} : { completedAt }),
    tookMs: Math.max(0, (fromIsoOptional(completedAt) ?? atMs) - fromIso(startedAt)),
    slaMs: run.rollback.slaMs,
    ...(withinSla === undefined ? {} : { withinSla }),
    outcome: outcome ?? 'Running',
    stages: rollback.stages.map((stage) => stageOf(run, stage)),
  };
}

function stageOf(run: RunSpec, stage: RollbackStage): ReportedStage {
  const { name, startedAt, finishedAt, outcome, message } = stage;
  const budgetMs = budgetOf(run.rollback, name);
  return {
    name,
    startedAt,
    ...(finishedAt === undefined
      ? {}
      : { finishedAt, tookMs: Math.max(0, fromIso(finishedAt) - fromIso(startedAt)) }),
    ...(budgetMs === undefined ? {} : { budgetMs }),
    outcome,
    message,
  };
}

function budgetOf(rollback: RunSpec['rollback'], stage: string): number | undefined {
  switch (stage) {
    case 'StopTraffic':
      return rollback.stopTrafficMs;
    case 'Verify':
      return rollback.verifyMs;
    case 'Restore':
      return rollback.restoreMs;
    case 'Stabilize':
      return rollback.stabilizeMs;
    case 'Report':
      return rollback.reportMs;
    default:
      return undefined;
  }
}
