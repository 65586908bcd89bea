/**
 * One snapshot record: everything that was measured at one moment. The engine drafts it from what a look has read
 * anyway; what no trigger asks is asked afterwards, so that no decision ever waits for a record.
 */
import type { RolloutStatus } from '#api/status.ts';
import type { Answer, Ask, MetricQuestion } from './answer.ts';
import { questionKey } from './answer.ts';
import { assert, assertNever } from './assert.ts';
import { reportOf } from './chain-report.ts';
import { fillerFor } from './fill.ts';
import { type FilledMeasure, fillMeasure, type Reading, readAt } from './reading.ts';
import { suiteOf } from './suite-reading.ts';
import type { SuiteRun } from './suite-state.ts';
import { tickAt, toIso } from './time.ts';
import type { RunView } from './view.ts';

/** A value, or why there is none. Infinite values are text, since JSON has none. */
export type RecordedReading =
  | { readonly value: number | string }
  | { readonly none: 'noTraffic' | 'noData' | 'error'; readonly message: string };

export interface RecordedTrigger {
  readonly name: string;
  readonly severity: string;
  readonly state: string;
  readonly reading?: RecordedReading;
}

/** The newest run of a suite, whether or not it has a result. */
export interface RecordedSuite {
  readonly name: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly outcome: SuiteRun['outcome'];
}

export interface RecordedAlert {
  readonly name: string;
  readonly severity?: string;
  readonly count: number | string;
}

export type Health = 'Up' | 'Down' | 'NotAsked' | 'NotConfigured';

export interface RecordedHealth {
  readonly prometheus: Health;
  readonly alertmanager: Health;
  readonly grafana: Health;
}

export interface SnapshotRecord {
  readonly type: 'snapshot';
  readonly index: number;
  /** When it was due, and when it was made. */
  readonly dueAt: string;
  readonly at: string;
  readonly phase: string;
  readonly step?: string;
  /** Canary's share as read back, in percent. */
  readonly weight?: number;
  readonly metrics: Readonly<Record<string, RecordedReading>>;
  readonly triggers: readonly RecordedTrigger[];
  /** Suites that have run in this run of the rollout. */
  readonly suites: readonly RecordedSuite[];
  /** Undefined when Prometheus did not tell. */
  readonly alerts?: readonly RecordedAlert[];
  readonly health: RecordedHealth;
}

/** Something that happened, as it was told to people. */
export interface EventRecord {
  readonly type: 'event';
  readonly at: string;
  readonly kind: 'Normal' | 'Warning';
  readonly reason: string;
  readonly note: string;
}

/** One run of a suite, kept when it has ended. */
export interface SuiteRecord extends RecordedSuite {
  readonly type: 'suite';
}

export type EvidenceLine = SnapshotRecord | EventRecord | SuiteRecord;

/** When what a line tells of was so, ISO 8601; of a snapshot, when it was due. */
export function momentOf(line: EvidenceLine): string {
  switch (line.type) {
    case 'snapshot':
      return line.dueAt;
    case 'event':
      return line.at;
    case 'suite':
      return line.finishedAt;
    default:
      return assertNever(line);
  }
}

/** What is known of a record at the moment it is due, and what is still to be asked. */
export interface RecordDraft {
  readonly base: Omit<SnapshotRecord, 'metrics' | 'alerts' | 'health'>;
  readonly metrics: readonly { readonly name: string; readonly measure: FilledMeasure }[];
  readonly alertsQuery: string;
  readonly startedAtMs: number;
  /** The point of the evaluation grid at which all is read, ms. */
  readonly atMs: number;
  /** What this look has been answered. */
  readonly answers: ReadonlyMap<string, Answer>;
  /** What the newest check of the chain says of the other systems. */
  readonly others: Omit<RecordedHealth, 'prometheus'>;
}

export function draftRecord(
  view: RunView,
  status: RolloutStatus,
  moment: { readonly index: number; readonly dueAtMs: number },
): RecordDraft {
  const { run, now, snapshot, weight } = view;
  const windowMs = now - view.startedAtMs;
  const fill = fillerFor(run, 'canary', { weight: weight ?? 0, windowMs });
  return {
    base: {
      type: 'snapshot',
      index: moment.index,
      dueAt: toIso(moment.dueAtMs),
      at: toIso(now),
      phase: status.phase ?? '',
      ...(status.step === undefined ? {} : { step: status.step }),
      ...(weight === undefined ? {} : { weight }),
      triggers: view.triggers.map(({ trigger, status: state, reading }) => ({
        name: trigger.name,
        severity: trigger.severity,
        state: state.state,
        ...(reading === undefined ? {} : { reading: recorded(reading) }),
      })),
      suites: run.suites.flatMap(({ name }) => newestRun(view, name)),
    },
    metrics: run.metrics.map(({ name, measure }) => ({
      name,
      measure: fillMeasure(measure, fill),
    })),
    alertsQuery: alertsQuery(view),
    startedAtMs: view.startedAtMs,
    atMs: tickAt(now - run.offsetMs, run.intervalMs),
    answers: snapshot.answers,
    others: othersOf(view),
  };
}

/** Where nobody checks the chain nobody has an address of theirs either. */
function othersOf(view: RunView): RecordDraft['others'] {
  if (view.snapshot.chain === undefined) {
    return { alertmanager: 'NotConfigured', grafana: 'NotConfigured' };
  }
  const health = reportOf(view)?.health;
  return {
    alertmanager: health?.alertmanager.state ?? 'NotAsked',
    grafana: health?.grafana.state ?? 'NotAsked',
  };
}

function newestRun({ snapshot }: RunView, name: string): RecordedSuite[] {
  const newest = suiteOf(snapshot, name)?.runs.at(-1);
  if (newest === undefined) return [];
  const { startedAtMs, finishedAtMs, outcome } = newest;
  return [{ name, startedAt: toIso(startedAtMs), finishedAt: toIso(finishedAtMs), outcome }];
}

/** What is to be asked before the record is whole; nothing that the look has asked already. */
export function questionsOf(draft: RecordDraft): readonly MetricQuestion[] {
  const open = new Map<string, MetricQuestion>();
  readAll(draft, (question) => {
    const key = questionKey(question);
    const answer = draft.answers.get(key);
    if (answer === undefined) open.set(key, question);
    return answer;
  });
  return [...open.values()];
}

/** @param answers to {@link questionsOf}, by `questionKey`; one that is absent counts as not answered in time */
export function completeRecord(
  draft: RecordDraft,
  answers: ReadonlyMap<string, Answer>,
): SnapshotRecord {
  const asked: Answer[] = [];
  const { metrics, alerts } = readAll(draft, (question) => {
    const key = questionKey(question);
    const answer = draft.answers.get(key) ?? answers.get(key) ?? unanswered;
    asked.push(answer);
    return answer;
  });
  const prometheus = healthOf([...asked, ...metricAnswers(draft)]);
  return {
    ...draft.base,
    metrics,
    ...(alerts === undefined ? {} : { alerts }),
    health: { prometheus, ...draft.others },
  };
}

const unanswered: Answer = {
  type: 'error',
  fault: 'timeout',
  message: 'no answer before the record was written',
};

function readAll(
  draft: RecordDraft,
  askMetric: (question: MetricQuestion) => Answer | undefined,
): {
  readonly metrics: Readonly<Record<string, RecordedReading>>;
  readonly alerts: readonly RecordedAlert[] | undefined;
} {
  const ask: Ask = (question) => {
    assert(question.type === 'instant', 'a metric that is recorded is asked for one instant');
    return askMetric(question);
  };
  const metrics = draft.metrics.map(({ name, measure }) => {
    const reading = readAt(measure, draft.atMs, ask);
    return [name, recorded(reading ?? { type: 'noData', message: 'not asked' })] as const;
  });
  const answer = ask({ type: 'instant', query: draft.alertsQuery, atMs: draft.atMs });
  const alerts =
    answer?.type === 'samples'
      ? answer.samples.map(({ labels, value }) => ({
          name: labels['alertname'] ?? '',
          ...(labels['severity'] === undefined ? {} : { severity: labels['severity'] }),
          count: inJson(value),
        }))
      : undefined;
  return { metrics: Object.fromEntries(metrics), alerts };
}

/** Alerts of this namespace. The same text for every rollout in it, so it is asked once. */
function alertsQuery({ run }: RunView): string {
  const namespace = JSON.stringify(run.placeholders.namespace);
  return `count by (alertname, severity) (ALERTS{alertstate="firing",namespace=${namespace}})`;
}

function recorded(reading: Reading): RecordedReading {
  if (reading.type !== 'value') return { none: reading.type, message: reading.message };
  return { value: inJson(reading.value) };
}

function inJson(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

/** Probes are answered by others. */
function metricAnswers({ answers }: RecordDraft): readonly Answer[] {
  return [...answers].flatMap(([key, answer]) => (/^[ir] /.test(key) ? [answer] : []));
}

/** Up when it has answered anything, a refusal of one query included. */
function healthOf(answers: readonly Answer[]): Health {
  if (answers.length === 0) return 'NotAsked';
  const isUp = answers.some(
    (answer) =>
      answer.type !== 'error' || answer.fault === 'badQuery' || answer.fault === 'partial',
  );
  return isUp ? 'Up' : 'Down';
}
