/**
 * Success: the criteria over the window since the run's start or its last extension, what else is required, and
 * how the end is moved. A judgement is asked for once and kept in the status.
 */

import { limits } from '#api/limits.ts';
import type { ExtensionStatus, RolloutStatus } from '#api/status.ts';
import type { SuccessRequirement } from '#api/success.ts';
import { firingQuery } from './alert-matchers.ts';
import { assert, assertNever } from './assert.ts';
import {
  COVERAGE_MIN,
  type CriteriaWindow,
  type CriterionVerdict,
  judgeCriterion,
} from './criteria.ts';
import type { EventDraft } from './decision.ts';
import { snapshotsComplete } from './evidence.ts';
import { fillerFor } from './fill.ts';
import { downTimeMs } from './monitoring-down.ts';
import type { RunCriterion, RunSpec } from './run-spec.ts';
import { currentPoint, dueAtMs, resolvePlan } from './schedule.ts';
import { suiteOf } from './suite-reading.ts';
import { fromIso, fromIsoOptional, spanText, tickAt, toIso } from './time.ts';
import type { RunView } from './view.ts';

export type Judgement =
  | { readonly type: 'met' }
  | { readonly type: 'missed'; readonly messages: readonly string[] }
  /** To be asked again: nothing is decided by it. */
  | { readonly type: 'unknown'; readonly messages: readonly string[] };

/** By whom an extension is that nobody asked for. */
export const EXTENDED_BY_SPEC = 'onFailure';

/** Where the window begins over which the end is judged, ms since the epoch. */
export function windowStartMs(status: RolloutStatus): number {
  const extendedAt = status.extensions?.at(-1)?.at;
  return fromIso(extendedAt ?? status.startedAt ?? toIso(0));
}

/** The criteria alone, over the time since `startMs`: for the end and for checkpoints. */
export function judgeSuccess(view: RunView, startMs: number): Judgement {
  const window = criteriaWindow(view, startMs);
  return summed(view.run.success.criteria.map((criterion) => judgeCriterion(criterion, window)));
}

/** The end: the criteria, and what `success.require` names. */
export function judgeEnd(view: RunView): Judgement {
  const startMs = windowStartMs(view.status);
  const window = criteriaWindow(view, startMs);
  const { criteria, require } = view.run.success;
  return summed([
    ...criteria.map((criterion) => judgeCriterion(criterion, window)),
    ...require.map((requirement) => judgeRequirement(requirement, view, window)),
  ]);
}

/** True when there is something to judge at the end. */
export function isJudged({ success }: RunSpec): boolean {
  return success.criteria.length + success.require.length > 0;
}

/** A miss is a miss, whatever else is not known yet. */
function summed(verdicts: readonly CriterionVerdict[]): Judgement {
  const messagesOf = (type: CriterionVerdict['type']) =>
    verdicts.flatMap((one) => (one.type === type ? [cut(one.message)] : []));
  const missed = messagesOf('missed');
  const unknown = messagesOf('unknown');
  if (missed.length > 0 && unknown.length === 0) return { type: 'missed', messages: missed };
  if (unknown.length > 0) return { type: 'unknown', messages: unknown };
  return { type: 'met' };
}

function cut(message: string): string {
  return message.slice(0, limits.messageLengthMax);
}

function criteriaWindow(view: RunView, startMs: number): CriteriaWindow {
  const { now, run, status, ask } = view;
  const endMs = tickAt(now - run.offsetMs, run.intervalMs);
  const windowMs = endMs - startMs;
  return {
    startMs,
    endMs,
    intervalMs: run.intervalMs,
    trafficSinceMs: trafficSinceMs(status),
    suiteSinceMs: (suite) => suiteOf(view.snapshot, suite)?.runs[0]?.startedAtMs,
    fill: fillerFor(run, 'canary', { weight: view.weight ?? 0, windowMs }),
    ask,
  };
}

/** Weights only ever rise or stay, so canary has had traffic since the first step that gave it some. */
function trafficSinceMs({ plan }: RolloutStatus): number | undefined {
  const first = plan?.find((point) => (point.weight ?? 0) > 0 && point.passedAt !== undefined);
  return fromIsoOptional(first?.passedAt);
}

function judgeRequirement(
  requirement: SuccessRequirement,
  view: RunView,
  window: CriteriaWindow,
): CriterionVerdict {
  switch (requirement) {
    // The rules see to these two: no run reaches its end with a Critical trigger that is not Inactive, or
    // after a rollback.
    case 'NoCriticalTriggers':
    case 'NoRollbacks':
      return { type: 'met', message: requirement };
    case 'NoCriticalAlerts':
      return judgeCriterion(criticalAlerts(view.run), window);
    case 'MonitoringOperational':
      return judgeSight(view, window);
    case 'SnapshotsComplete':
      return judgeSnapshots(view, window);
    default:
      return assertNever(requirement);
  }
}

/** Any point of the window at which a critical alert of this namespace fires: it has had its own `for`. */
function criticalAlerts({ placeholders }: RunSpec): RunCriterion {
  return {
    name: 'NoCriticalAlerts',
    measure: {
      type: 'query',
      query: firingQuery(placeholders.namespace, 'critical'),
      series: undefined,
      isArmBound: false,
      rangeMs: 0,
    },
    condition: { operator: '==', threshold: 0, unit: '', text: '== 0' },
    forMs: 0,
  };
}

function judgeSnapshots(view: RunView, { startMs }: CriteriaWindow): CriterionVerdict {
  const verdict = snapshotsComplete(view, startMs);
  if (verdict.type === 'met') return { type: 'met', message: 'complete' };
  return { type: verdict.type, message: `SnapshotsComplete: ${verdict.message}` };
}

/** Of the window 1 % may go by without readings of a Critical trigger, and 1 % with Alertmanager or Grafana down. */
function judgeSight({ status, now }: RunView, window: CriteriaWindow): CriterionVerdict {
  const { blindPassedMs = 0, blindMs = 0, blindSince } = status;
  const currentMs = blindSince === undefined ? 0 : Math.max(0, now - fromIso(blindSince));
  const windowMs = Math.max(1, window.endMs - window.startMs);
  const losses = [
    {
      what: 'Critical triggers had no reading for',
      lostMs: blindPassedMs + blindMs + currentMs,
    },
    { what: 'Alertmanager or Grafana was down for', lostMs: downTimeMs(status, now) },
  ];
  const missed = losses.filter(({ lostMs }) => lostMs > (1 - COVERAGE_MIN) * windowMs);
  if (missed.length === 0) return { type: 'met', message: 'seen' };
  const sentences = missed.map(({ what, lostMs }) => {
    // Rounded up: 1.04 % is not shown as the 1 % that is allowed.
    const percent = Math.ceil((1000 * lostMs) / windowMs) / 10;
    return `${what} ${spanText(lostMs)} of ${spanText(windowMs)} (${percent}%), 1% is allowed`;
  });
  return { type: 'missed', message: `MonitoringOperational: ${sentences.join('; ')}` };
}

export interface Extension {
  /** `onFailure`, or the person's name. */
  readonly by: string;
  readonly reason: string;
  readonly now: number;
}

/**
 * Moves the end on by `success.extendBy`, from when it is due or from now, whichever is later, and begins a new
 * window for the criteria. The end must not have been passed.
 */
export function extendEnd(
  run: RunSpec,
  status: RolloutStatus,
  { by, reason, now }: Extension,
): { readonly status: RolloutStatus; readonly message: string; readonly event: EventDraft } {
  const end = run.points.at(-1);
  assert(end?.kind === 'End' && currentPoint(run, status) !== undefined, 'the end lies ahead');
  const {
    promotedPoint,
    success: _,
    blindMs: __,
    blindPassedMs: ___,
    monitoringDownMs: ____,
    ...rest
  } = status;
  const untilMs = Math.max(now, dueAtMs(run, rest, end)) + run.success.extendByMs;
  const extension: ExtensionStatus = {
    at: toIso(now),
    by,
    reason: cut(reason),
    until: toIso(untilMs),
  };
  const isPromoted = promotedPoint !== undefined && promotedPoint !== end.name;
  const extended: RolloutStatus = {
    ...rest,
    ...(isPromoted ? { promotedPoint } : {}),
    ...(status.blindSince === undefined ? {} : { blindSince: toIso(now) }),
    ...(status.monitoringDownSince === undefined ? {} : { monitoringDownSince: toIso(now) }),
    extensions: [...(status.extensions ?? []), extension],
  };
  const message = `extended to ${toIso(untilMs)} by ${by}: ${reason}`;
  return {
    status: { ...extended, plan: resolvePlan(run, extended) },
    message,
    event: { type: 'Warning', reason: 'Extended', action: 'Judge', note: message },
  };
}

/** How often a miss may still move the end; what people have extended does not count. */
export function extensionsLeft(run: RunSpec, status: RolloutStatus): number {
  const own = (status.extensions ?? []).filter(({ by }) => by === EXTENDED_BY_SPEC);
  return Math.max(0, run.success.maxExtensions - own.length);
}
