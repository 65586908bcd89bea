/**
 * One trigger, one evaluation. States as in a Prometheus alert, plus Unknown:
 *
 *   Inactive ──true──▶ Pending ──held for its time──▶ Firing
 *      ▲  ▲──false──────┘                                │
 *      └──────false (after keepFiringFor)────────────────┘
 *   Inactive or a hold with too long a gap ──no reading──▶ Unknown ──reading──▶ any of the above
 *
 * The hold is proved by a range query when a condition is first seen true, and once more over its whole
 * length just before the trigger fires. The status entry only changes when something a person would
 * want to know changes, so a steady state writes nothing.
 */
import { compareText, formatValue, holds } from '#api/condition-text.ts';
import type { TriggerStatus } from '#api/status.ts';
import type { Ask } from './answer.ts';
import { assertNever } from './assert.ts';
import { gapLimitMs, type HoldProof, proveHold, type Truth } from './hold-proof.ts';
import { type FilledMeasure, fillMeasure, type Reading, readAt, readWindow } from './reading.ts';
import type { RunTrigger } from './run-spec.ts';
import { clockText, fromIso, fromIsoOptional, spanText, toIso } from './time.ts';

export interface TriggerContext {
  /** Prometheus time up to which data can be asked for: `now` minus `analysis.offset`, in ms. */
  readonly horizonMs: number;
  readonly intervalMs: number;
  readonly startedAtMs: number;
  /** False where canary gets no traffic by plan: then an empty answer of an arm-bound query is expected. */
  readonly isTrafficExpected: boolean;
  readonly fill: (text: string) => string;
  readonly ask: Ask;
}

export interface TriggerOutcome {
  readonly trigger: RunTrigger;
  readonly status: TriggerStatus;
  /** The newest reading, for metrics and snapshots; undefined when nothing was asked yet. */
  readonly reading: Reading | undefined;
  /** Prometheus time at which to look again, apart from the next tick. */
  readonly wakeAtMs: number | undefined;
}

/** The newest point of the evaluation grid that can be asked for. */
export function tickAt(horizonMs: number, intervalMs: number): number {
  return Math.floor(horizonMs / intervalMs) * intervalMs;
}

export function advanceTrigger(
  trigger: RunTrigger,
  previous: TriggerStatus | undefined,
  context: TriggerContext,
): TriggerOutcome {
  const before = previous ?? initialStatus(trigger);
  const measure = fillMeasure(trigger.measure, context.fill);
  const atMs = evaluationTime(trigger, before, context);
  const reading = readAt(measure, atMs, context.ask);
  if (reading === undefined) {
    return { trigger, status: before, reading, wakeAtMs: undefined };
  }
  const step = { trigger, before, measure, atMs, context };
  const status = nextStatus(step, reading);
  return { trigger, status, reading, wakeAtMs: nextLook(trigger, status) };
}

interface Evaluation {
  readonly trigger: RunTrigger;
  readonly before: TriggerStatus;
  readonly measure: FilledMeasure;
  readonly atMs: number;
  readonly context: TriggerContext;
}

function initialStatus(trigger: RunTrigger): TriggerStatus {
  return {
    name: trigger.name,
    severity: trigger.severity,
    state: 'Inactive',
    reason: 'NotEvaluated',
  };
}

/** Normally the grid; a pending trigger is looked at at the very moment it will have held. */
function evaluationTime(
  trigger: RunTrigger,
  before: TriggerStatus,
  context: TriggerContext,
): number {
  const tickMs = tickAt(context.horizonMs, context.intervalMs);
  const dueMs = pendingDueAt(trigger, before);
  return dueMs !== undefined && dueMs > tickMs && dueMs <= context.horizonMs ? dueMs : tickMs;
}

function pendingDueAt(trigger: RunTrigger, status: TriggerStatus): number | undefined {
  if (status.state !== 'Pending' || status.activeAt === undefined) return undefined;
  return fromIso(status.activeAt) + (status.gapMs ?? 0) + trigger.forMs;
}

function nextLook(trigger: RunTrigger, status: TriggerStatus): number | undefined {
  if (status.state === 'Firing' && status.falseSince !== undefined) {
    return fromIso(status.falseSince) + trigger.keepFiringForMs;
  }
  return pendingDueAt(trigger, status);
}

function nextStatus(step: Evaluation, reading: Reading): TriggerStatus {
  switch (reading.type) {
    case 'value':
      return holds(step.trigger.condition, reading.value)
        ? whenTrue(step, reading.value)
        : whenFalse(step, reading.value);
    case 'noTraffic':
    case 'noData':
      if (step.trigger.measure.isArmBound && !step.context.isTrafficExpected) {
        return whenNothingIsExpected(step);
      }
      return whenUnknown(step, unknownReason(reading), reading.message);
    case 'error':
      return whenUnknown(step, unknownReason(reading), reading.message);
    default:
      return assertNever(reading);
  }
}

function unknownReason(reading: Exclude<Reading, { type: 'value' }>): string {
  if (reading.type === 'noTraffic') return 'NoTraffic';
  if (reading.type === 'noData') return 'ChainBroken';
  return reading.fault === 'badQuery' ? 'BadQuery' : 'PrometheusDown';
}

/** The entry stays as it is, value and all, while state, reason and the instants stay the same. */
function changed(before: TriggerStatus, after: TriggerStatus): TriggerStatus {
  const isSame =
    before.state === after.state &&
    before.reason === after.reason &&
    before.activeAt === after.activeAt &&
    before.firingAt === after.firingAt &&
    before.falseSince === after.falseSince &&
    before.unknownSince === after.unknownSince &&
    (before.gapMs ?? 0) === (after.gapMs ?? 0);
  return isSame ? before : after;
}

function base(trigger: RunTrigger): Pick<TriggerStatus, 'name' | 'severity'> {
  return { name: trigger.name, severity: trigger.severity };
}

function whenFalse(step: Evaluation, value: number): TriggerStatus {
  const { trigger, before, atMs } = step;
  const since = fromIsoOptional(before.falseSince) ?? atMs;
  if (before.state === 'Firing' && atMs < since + trigger.keepFiringForMs) {
    const { unknownSince: _, ...rest } = before;
    return changed(before, { ...rest, falseSince: toIso(since) });
  }
  return changed(before, {
    ...base(trigger),
    state: 'Inactive',
    reason: 'ConditionFalse',
    value: valueText(value),
    message: `${trigger.name} is ${formatValue(value, trigger.condition.unit)}, not ${trigger.condition.text}`,
  });
}

function whenNothingIsExpected(step: Evaluation): TriggerStatus {
  return changed(step.before, {
    ...base(step.trigger),
    state: 'Inactive',
    reason: 'NoTrafficExpected',
    message: `${step.trigger.name}: canary gets no traffic at weight 0, so no reading is expected`,
  });
}

function whenTrue(step: Evaluation, value: number): TriggerStatus {
  const { trigger, before, atMs, context } = step;
  if (before.state === 'Firing') {
    const { falseSince: _, unknownSince: __, ...rest } = before;
    return changed(before, rest);
  }
  const boundMs = context.startedAtMs + trigger.measure.rangeMs;
  const dueMs = pendingDueAt(trigger, before);
  const isProved = before.reason !== 'HoldUnproved';
  if (dueMs !== undefined && atMs < dueMs && isProved) {
    const { unknownSince: _, ...rest } = before;
    return changed(before, rest);
  }
  const knownMs = isProved ? fromIsoOptional(before.activeAt) : undefined;
  const startMs = Math.max(boundMs, knownMs ?? atMs - trigger.forMs);
  if (startMs >= atMs) return pending(step, value, { activeAtMs: startMs, gapMs: 0 });
  const proof = proveFrom(step, startMs, boundMs);
  // Without the proof nothing fires: the entry waits for the range query's answer.
  if (proof === 'unanswered') return before;
  if (proof === 'failed') return unproved(step, value);
  if (proof === undefined) return pending(step, value, { activeAtMs: atMs, gapMs: 0 });
  if (proof.firingAtMs !== undefined && proof.firingAtMs <= atMs) {
    return firing(step, value, proof.activeAtMs, proof.firingAtMs);
  }
  return pending(step, value, proof);
}

/** The range query of the hold; the newest reading, already known to be true, closes it. */
function proveFrom(
  step: Evaluation,
  startMs: number,
  boundMs: number,
): HoldProof | undefined | 'unanswered' | 'failed' {
  const { trigger, measure, atMs, context } = step;
  const stepMs = context.intervalMs;
  const window = { startMs: tickAt(startMs, stepMs), endMs: tickAt(atMs, stepMs), stepMs };
  const readings = readWindow(measure, window, context.ask);
  if (readings === undefined) return 'unanswered';
  if (readings.every(({ reading }) => reading.type === 'error')) return 'failed';
  const points: Truth[] = truths(readings, trigger);
  const known = points.filter((point) => point.atMs < atMs);
  return proveHold([...known, { atMs, truth: 'true' }], {
    boundMs,
    forMs: trigger.forMs,
    intervalMs: stepMs,
  });
}

/** With `noData: Breach`, what has been unknown for longer than `noDataFor` counts as true from then on. */
function truths(
  readings: readonly { readonly atMs: number; readonly reading: Reading }[],
  trigger: RunTrigger,
): Truth[] {
  let unknownSinceMs: number | undefined;
  return readings.map(({ atMs, reading }) => {
    if (reading.type === 'value') {
      unknownSinceMs = undefined;
      return { atMs, truth: holds(trigger.condition, reading.value) ? 'true' : 'false' };
    }
    unknownSinceMs ??= atMs;
    const isBreach = trigger.noData === 'Breach' && atMs >= unknownSinceMs + trigger.noDataForMs;
    return { atMs, truth: isBreach ? 'true' : 'unknown' };
  });
}

function pending(
  step: Evaluation,
  value: number,
  hold: { readonly activeAtMs: number; readonly gapMs: number },
): TriggerStatus {
  const { trigger, before, atMs } = step;
  if (trigger.forMs === 0 && hold.activeAtMs <= atMs) {
    return firing(step, value, hold.activeAtMs, hold.activeAtMs);
  }
  return changed(before, {
    ...base(trigger),
    state: 'Pending',
    activeAt: toIso(hold.activeAtMs),
    ...(hold.gapMs > 0 ? { gapMs: hold.gapMs } : {}),
    value: valueText(value),
    reason: 'ConditionTrue',
    message: `${trigger.name} ${compareText(trigger.condition, value)} since ${clockText(hold.activeAtMs)}; fires when it has held for ${spanText(trigger.forMs)}`,
  });
}

/** True now, but Prometheus would not say since when: ask again at every tick, and lose no time already proved. */
function unproved(step: Evaluation, value: number): TriggerStatus {
  const { trigger, before, atMs } = step;
  if (before.state === 'Pending') return before;
  return changed(before, {
    ...base(trigger),
    state: 'Pending',
    activeAt: before.activeAt ?? toIso(atMs),
    value: valueText(value),
    reason: 'HoldUnproved',
    message: `${trigger.name} ${compareText(trigger.condition, value)} at ${clockText(atMs)}; the range query that would say since when failed`,
  });
}

function firing(
  step: Evaluation,
  value: number,
  activeAtMs: number,
  firingAtMs: number,
): TriggerStatus {
  const { trigger, before, measure } = step;
  const query = measure.type === 'query' ? measure.query : `${measure.bad} / ${measure.total}`;
  const held = `for ${spanText(trigger.forMs)} since ${clockText(activeAtMs)}`;
  return changed(before, {
    ...base(trigger),
    state: 'Firing',
    activeAt: toIso(activeAtMs),
    firingAt: toIso(firingAtMs),
    value: valueText(value),
    reason: 'ConditionHeld',
    message: `${trigger.name} ${compareText(trigger.condition, value)} ${held} (query ${query.trim()})`,
  });
}

function whenUnknown(step: Evaluation, reason: string, message: string): TriggerStatus {
  const { trigger, before, atMs } = step;
  const unknownSinceMs = fromIsoOptional(before.unknownSince) ?? atMs;
  const unknownSince = toIso(unknownSinceMs);
  if (before.state === 'Firing') return changed(before, { ...before, unknownSince });
  const breachAtMs = unknownSinceMs + trigger.noDataForMs;
  if (trigger.noData === 'Breach' && atMs >= breachAtMs) {
    return whenAbsenceIsBreach(step, { unknownSince, breachAtMs, reason, message });
  }
  const isGap = before.state === 'Pending' && atMs - unknownSinceMs <= gapLimitMs(trigger.forMs);
  if (isGap) return changed(before, { ...before, unknownSince });
  return changed(before, {
    ...base(trigger),
    state: 'Unknown',
    // Kept so that the proof goes back to it if Prometheus turns out to have seen what we could not.
    ...(before.activeAt === undefined ? {} : { activeAt: before.activeAt }),
    unknownSince,
    reason,
    message: `${trigger.name}: ${message}`,
  });
}

function whenAbsenceIsBreach(
  step: Evaluation,
  absence: {
    readonly unknownSince: string;
    readonly breachAtMs: number;
    readonly reason: string;
    readonly message: string;
  },
): TriggerStatus {
  const { trigger, before, atMs } = step;
  const activeAtMs = Math.max(
    before.state === 'Pending' ? fromIso(before.activeAt ?? absence.unknownSince) : 0,
    absence.breachAtMs,
  );
  const isHeld = atMs >= activeAtMs + trigger.forMs;
  return changed(before, {
    ...base(trigger),
    state: isHeld ? 'Firing' : 'Pending',
    activeAt: toIso(activeAtMs),
    ...(isHeld ? { firingAt: toIso(activeAtMs + trigger.forMs) } : {}),
    unknownSince: absence.unknownSince,
    reason: 'NoDataIsBreach',
    message: `${trigger.name}: no reading since ${absence.unknownSince} (${absence.message}), which noData: Breach makes a breach`,
  });
}

function valueText(value: number): string {
  return String(Number(value.toPrecision(6)));
}
