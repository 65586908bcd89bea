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
import type { TriggerStatus } from '#api/status.ts';
import { assertNever } from './assert.ts';
import { causeOfSilence } from './causes.ts';
import { gapLimitMs } from './hold-proof.ts';
import { proveFrom } from './hold-window.ts';
import { type FilledMeasure, fillMeasure, measureText, type Reading, readAt } from './reading.ts';
import type { RunTrigger } from './run-spec.ts';
import { clockText, fromIso, fromIsoOptional, spanText, tickAt, toIso } from './time.ts';
import {
  type CanaryTraffic,
  hasJustEnded,
  isBeforeEnd,
  isReadingExpected,
} from './traffic-expected.ts';
import { type JudgeContext, judge, type Verdict } from './verdict.ts';

export interface TriggerContext extends JudgeContext {
  /** Prometheus time up to which data can be asked for: `now` minus `analysis.offset`, in ms. */
  readonly horizonMs: number;
  readonly intervalMs: number;
  readonly startedAtMs: number;
  /** Where canary gets no traffic an empty answer of an arm-bound query is expected. */
  readonly traffic: CanaryTraffic;
  /** Canary had traffic in this step until another writer took it away: what was known of it stays known. */
  readonly isTrafficTakenAway?: boolean;
}

export interface TriggerOutcome {
  readonly trigger: RunTrigger;
  readonly status: TriggerStatus;
  /** The newest reading, for metrics and snapshots; undefined when nothing was asked yet. */
  readonly reading: Reading | undefined;
  /** Prometheus time at which to look again, apart from the next tick. */
  readonly wakeAtMs: number | undefined;
  /** Prometheus time of that reading. */
  readonly readAtMs?: number;
  /** What stable says of the same condition, where it is asked: `stable 7% > 0.5%`. */
  readonly stable?: string;
  /** What was found out for a rung with `when`, by the rung's own text, at the look that carried it out. */
  readonly findings?: ReadonlyMap<string, string>;
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
  const step = { trigger, before, measure, atMs, context };
  if (reading === undefined) {
    // What the judge asks besides is asked in the same round.
    judgeAt(step, 0, atMs);
    return { trigger, status: before, reading, wakeAtMs: undefined };
  }
  const status = nextStatus(step, reading);
  return { trigger, status, reading, readAtMs: atMs, wakeAtMs: nextLook(trigger, status) };
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

/**
 * Normally the grid; a pending trigger is looked at at the very moment it will have held, and what was seen at
 * such a moment is not taken back by the older point of the grid.
 */
function evaluationTime(
  trigger: RunTrigger,
  before: TriggerStatus,
  { horizonMs, intervalMs }: TriggerContext,
): number {
  const tickMs = tickAt(horizonMs, intervalMs);
  const seenFalseMs = before.state === 'Inactive' ? fromIsoOptional(before.falseSince) : undefined;
  const momentMs = nextLook(trigger, before) ?? seenFalseMs;
  return momentMs !== undefined && momentMs > tickMs && momentMs <= horizonMs ? momentMs : tickMs;
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
      return whenJudged(step, reading.value);
    case 'noTraffic':
    case 'noData':
    case 'error':
      return whenSilent(step, reading);
    default:
      return assertNever(reading);
  }
}

function whenSilent(step: Evaluation, reading: Exclude<Reading, { type: 'value' }>): TriggerStatus {
  const { trigger, before, atMs, context } = step;
  const { intervalMs, ask } = context;
  const asked = { measure: step.measure, rangeMs: trigger.measure.rangeMs, atMs, intervalMs, ask };
  const isExpected =
    !trigger.measure.isArmBound || isReadingExpected(context.traffic, before, asked);
  // Asked for in this round.
  if (isExpected === undefined) return before;
  const cause = causeOfSilence(reading, isExpected);
  if (cause.type === 'noTrafficExpected') return whenNothingIsExpected(step);
  // Not a silence of canary's that is left: the next evaluation is about a moment without traffic.
  const isPassing = trigger.measure.isArmBound && isBeforeEnd(context.traffic, atMs);
  if (isPassing && reading.type !== 'error' && before.reason === 'NotEvaluated') return before;
  return whenUnknown(step, cause.reason, cause.message);
}

function whenJudged(step: Evaluation, value: number): TriggerStatus {
  const verdict = judgeAt(step, value, step.atMs);
  // Without all its answers nothing changes: they have been asked for.
  if (verdict === undefined) return step.before;
  if (verdict.type === 'unknown') return nextStatus(step, verdict.reading);
  const found = { value, verdict };
  return verdict.isTrue ? whenTrue(step, found) : whenFalse(step, found);
}

function judgeAt(step: Evaluation, value: number, atMs: number): Verdict | undefined {
  const { trigger, before, context } = step;
  const isStanding = before.state === 'Pending' || before.state === 'Firing';
  return judge({ trigger, value, atMs, isStanding }, context);
}

/** A reading that has been judged. */
interface Finding {
  readonly value: number;
  readonly verdict: Extract<Verdict, { readonly type: 'judged' }>;
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

function whenFalse(step: Evaluation, { value, verdict }: Finding): TriggerStatus {
  const { trigger, before, atMs, context } = step;
  if (before.state === 'Firing') {
    // A clock that steps back undoes nothing: this reading is older than the firing.
    if (atMs < (fromIsoOptional(before.firingAt) ?? atMs)) return before;
    const sinceMs = Math.min(atMs, fromIsoOptional(before.falseSince) ?? atMs);
    if (atMs < sinceMs + trigger.keepFiringForMs) {
      const { unknownSince: _, ...rest } = before;
      return changed(before, { ...rest, falseSince: toIso(sinceMs) });
    }
  }
  const isKnown = before.state === 'Inactive' && before.reason === 'ConditionFalse';
  if (isKnown && before.unknownSince === undefined) return before;
  const isOffGrid = atMs > tickAt(atMs, context.intervalMs);
  return changed(before, {
    ...base(trigger),
    state: 'Inactive',
    ...(isOffGrid ? { falseSince: toIso(atMs) } : {}),
    reason: 'ConditionFalse',
    value: valueText(value),
    message: verdict.says,
  });
}

function whenNothingIsExpected(step: Evaluation): TriggerStatus {
  const { trigger, before, atMs, context } = step;
  // A breach or a silence does not heal because somebody has taken the traffic away: going back to it
  // without a good reading would be a rise without data.
  if (context.isTrafficTakenAway === true && before.state !== 'Inactive') return before;
  const isStanding = before.state === 'Pending' || before.state === 'Firing';
  if (isStanding && hasJustEnded(context.traffic, atMs, gapLimitMs(trigger.forMs))) {
    // Nobody waits for a reading now.
    const { unknownSince: _, ...rest } = before;
    return changed(before, rest);
  }
  return changed(before, {
    ...base(trigger),
    state: 'Inactive',
    reason: 'NoTrafficExpected',
    message: `${trigger.name}: canary gets no traffic at weight 0, so no reading is expected`,
  });
}

function whenTrue(step: Evaluation, found: Finding): TriggerStatus {
  const { trigger, before, atMs, context } = step;
  if (before.state === 'Firing') {
    const { falseSince: _, unknownSince: __, ...rest } = before;
    return changed(before, rest);
  }
  const boundMs = boundOf(step);
  const dueMs = pendingDueAt(trigger, before);
  const knownMs = fromIsoOptional(before.activeAt);
  // An instant in the future is the bound, or was written before the clock stepped back.
  const isStanding = knownMs !== undefined && knownMs <= Math.max(atMs, boundMs);
  if (dueMs !== undefined && atMs < dueMs && isStanding && before.reason !== 'HoldUnproved') {
    const { unknownSince: _, ...rest } = before;
    return changed(before, rest);
  }
  const fromMs = Math.max(boundMs, Math.min(knownMs ?? atMs, atMs - trigger.forMs));
  if (fromMs >= atMs) return pending(step, found, { activeAtMs: fromMs, gapMs: 0 });
  const window = {
    ...step,
    fromMs,
    boundMs,
    intervalMs: context.intervalMs,
    judgeAt: (value: number, pointMs: number) => judgeAt(step, value, pointMs),
  };
  const proof = proveFrom(window, context.ask);
  // Without the proof nothing fires: the entry waits for the range query's answer.
  if (proof === undefined) return before;
  if ('type' in proof) return unproved(step, found, proof.message);
  if (proof.firingAtMs !== undefined && proof.firingAtMs <= atMs) {
    return firing(step, found, proof.activeAtMs, proof.firingAtMs);
  }
  return pending(step, found, proof);
}

/** Nothing from before the run counts; a block never reaches back before it. */
function boundOf({ trigger, context }: Evaluation): number {
  return trigger.judge.type === 'Sequential'
    ? (context.arms?.sinceMs ?? context.startedAtMs)
    : context.startedAtMs + trigger.measure.rangeMs;
}

function pending(
  step: Evaluation,
  found: Finding,
  hold: { readonly activeAtMs: number; readonly gapMs: number },
): TriggerStatus {
  const { trigger, before, atMs } = step;
  if (trigger.forMs === 0 && hold.activeAtMs <= atMs) {
    return firing(step, found, hold.activeAtMs, hold.activeAtMs);
  }
  return changed(before, {
    ...base(trigger),
    state: 'Pending',
    activeAt: toIso(hold.activeAtMs),
    ...(hold.gapMs > 0 ? { gapMs: hold.gapMs } : {}),
    value: valueText(found.value),
    reason: 'ConditionTrue',
    message: `${found.verdict.says} since ${clockText(hold.activeAtMs)}; fires when it has held for ${spanText(trigger.forMs)}`,
  });
}

/**
 * True now, but Prometheus would not say since when: it stays Pending, which forbids a rise, and counts as
 * without a reading. Asked again at every tick; once it is answered no time that was held is lost.
 */
function unproved(step: Evaluation, { value, verdict }: Finding, failure: string): TriggerStatus {
  const { trigger, before, atMs } = step;
  const unknownSince = before.unknownSince ?? toIso(atMs);
  if (before.state === 'Pending') return changed(before, { ...before, unknownSince });
  return changed(before, {
    ...base(trigger),
    state: 'Pending',
    activeAt: before.activeAt ?? toIso(atMs),
    unknownSince,
    value: valueText(value),
    reason: 'HoldUnproved',
    message: `${verdict.says} at ${clockText(atMs)}; since when is not known: ${failure}`,
  });
}

function firing(
  step: Evaluation,
  { value, verdict }: Finding,
  activeAtMs: number,
  firingAtMs: number,
): TriggerStatus {
  const { trigger, before, measure } = step;
  // Evidence says itself since when it was gathered.
  const isOfItself = trigger.judge.type === 'Sequential' && trigger.forMs === 0;
  const held = isOfItself ? '' : ` for ${spanText(trigger.forMs)} since ${clockText(activeAtMs)}`;
  return changed(before, {
    ...base(trigger),
    state: 'Firing',
    activeAt: toIso(activeAtMs),
    firingAt: toIso(firingAtMs),
    value: valueText(value),
    reason: 'ConditionHeld',
    message: `${verdict.says}${held} (${measureText(measure)})`,
  });
}

function whenUnknown(step: Evaluation, reason: string, message: string): TriggerStatus {
  const { trigger, before, atMs } = step;
  const unknownSinceMs = Math.min(atMs, fromIsoOptional(before.unknownSince) ?? atMs);
  const unknownSince = toIso(unknownSinceMs);
  if (before.state === 'Firing') return changed(before, { ...before, unknownSince });
  const breachAtMs = unknownSinceMs + trigger.noDataForMs;
  if (trigger.noData === 'Breach' && atMs >= breachAtMs) {
    return whenAbsenceIsBreach(step, { unknownSince, breachAtMs, message });
  }
  const isGap = before.state === 'Pending' && atMs - unknownSinceMs <= gapLimitMs(trigger.forMs);
  if (isGap) return changed(before, { ...before, unknownSince });
  return changed(before, {
    ...base(trigger),
    state: 'Unknown',
    // Kept so that the proof goes back to it if Prometheus turns out to have seen what we could not.
    ...(before.activeAt === undefined ? {} : { activeAt: before.activeAt }),
    // That it has spoken at all.
    ...(before.value === undefined ? {} : { value: before.value }),
    unknownSince,
    reason,
    message: `${trigger.name}: ${message}`,
  });
}

/**
 * What was held before the readings ended stays held, the time until absence became a breach is a gap in
 * it. Prometheus cannot be asked for what it does not have, so the entry itself is the proof here.
 */
function whenAbsenceIsBreach(
  step: Evaluation,
  absence: {
    readonly unknownSince: string;
    readonly breachAtMs: number;
    readonly message: string;
  },
): TriggerStatus {
  const { trigger, before, atMs } = step;
  const hold = holdBeforeAbsence(step, absence.breachAtMs);
  const firingAtMs = hold.activeAtMs + hold.gapMs + trigger.forMs;
  const isHeld = atMs >= firingAtMs;
  return changed(before, {
    ...base(trigger),
    state: isHeld ? 'Firing' : 'Pending',
    activeAt: toIso(hold.activeAtMs),
    ...(hold.gapMs > 0 ? { gapMs: hold.gapMs } : {}),
    ...(isHeld ? { firingAt: toIso(firingAtMs) } : {}),
    unknownSince: absence.unknownSince,
    ...(before.value === undefined ? {} : { value: before.value }),
    reason: 'NoDataIsBreach',
    message: `${trigger.name}: no reading since ${absence.unknownSince} (${absence.message}), which noData: Breach makes a breach`,
  });
}

function holdBeforeAbsence(
  { trigger, before }: Evaluation,
  breachAtMs: number,
): { readonly activeAtMs: number; readonly gapMs: number } {
  const activeAtMs = fromIsoOptional(before.activeAt);
  const fresh = { activeAtMs: breachAtMs, gapMs: 0 };
  if (before.state !== 'Pending' || activeAtMs === undefined || activeAtMs > breachAtMs)
    return fresh;
  const gapMs = before.gapMs ?? 0;
  if (before.reason === 'NoDataIsBreach') return { activeAtMs, gapMs };
  const isTooLong = trigger.noDataForMs > gapLimitMs(trigger.forMs);
  return isTooLong ? fresh : { activeAtMs, gapMs: gapMs + trigger.noDataForMs };
}

function valueText(value: number): string {
  return String(Number(value.toPrecision(6)));
}
