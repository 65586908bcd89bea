/**
 * Whether canary is expected to speak at all: by where the routes lead now, by when it lost the traffic it had, and by
 * whether it has spoken before.
 */
import type { RolloutStatus, TriggerStatus } from '#api/status.ts';
import type { Ask } from './answer.ts';
import { type FilledMeasure, readWindow } from './reading.ts';
import type { RouteObservation } from './snapshot.ts';
import { fromIso, fromIsoOptional, tickAt, toIso } from './time.ts';
import { isRolledBack, lowestWeight } from './traffic.ts';

export interface CanaryTraffic {
  /** Every route leads to it. */
  readonly isOnEvery: boolean;
  /** Some route does; that one alone may carry nothing. */
  readonly isOnSome: boolean;
  /** Every route had the weight of the current step. */
  readonly isReached: boolean;
  /** Before this nobody began to enter the current step; undefined where the plan does not have it any more. */
  readonly stepDueAtMs: number | undefined;
  /** Since when some route has lost what it had; undefined: every route leads to it, or it never had traffic in this run. */
  readonly endedAtMs: number | undefined;
  /** The run is rolled back: what canary did is on record, and it never rises again. */
  readonly isOver: boolean;
}

/**
 * What the routes say counts, not what is asked for: a step whose write failed has no traffic yet, and waiting for its
 * readings would keep the write from ever being tried again. Where none can be read, what is asked for.
 */
export function canaryTraffic(
  routes: readonly RouteObservation[],
  status: RolloutStatus,
  weights: { readonly highest: number | undefined; readonly desired: number | undefined },
): CanaryTraffic {
  const { highest, desired } = weights;
  return {
    isOnEvery: (lowestWeight(routes) ?? desired ?? 0) > 0,
    isOnSome: (highest ?? desired ?? 0) > 0,
    isReached: isStepReached(status),
    stepDueAtMs: fromIsoOptional(currentStep(status)?.dueAt),
    endedAtMs: fromIsoOptional(status.trafficEndedAt),
    isOver: isRolledBack(status),
  };
}

/** What was known of canary was known at a moment when it had traffic, though it has none any more. */
export function isBeforeEnd({ endedAtMs }: CanaryTraffic, atMs: number): boolean {
  return endedAtMs !== undefined && atMs < endedAtMs;
}

/** Without traffic what had been held has a gap, which resets nothing while it is not longer than the limit. */
export function hasJustEnded(
  { endedAtMs, isOver }: CanaryTraffic,
  atMs: number,
  limitMs: number,
): boolean {
  return !isOver && endedAtMs !== undefined && atMs - endedAtMs <= limitMs;
}

/** What was asked, and found no reading. */
interface Asked {
  readonly measure: FilledMeasure;
  /** How far the query looks back. */
  readonly rangeMs: number;
  readonly atMs: number;
  readonly intervalMs: number;
  readonly ask: Ask;
}

/**
 * Silence is no news only where canary had no traffic then, or perhaps none, and has not spoken of any.
 *
 * @returns undefined while it is not answered whether it has
 */
export function isReadingExpected(
  traffic: CanaryTraffic,
  before: TriggerStatus,
  asked: Asked,
): boolean | undefined {
  const { endedAtMs } = traffic;
  if (traffic.isOnEvery || isBeforeEnd(traffic, asked.atMs)) return true;
  if (!traffic.isOnSome) return false;
  // Of what is left to it there is no telling; a person's resume forgets what it has said.
  if (traffic.isReached) return before.state !== 'Inactive' || before.reason === 'ConditionFalse';
  // One of several routes has brought readings while the others were still to follow. What was said before one of them
  // was lowered may have come by that one, and an entry does not tell when it was last confirmed.
  if (endedAtMs === undefined && before.value !== undefined) return true;
  // Nor does it tell what was said while nobody looked.
  const sinceMs = endedAtMs ?? traffic.stepDueAtMs;
  return sinceMs !== undefined && hasSpokenSince(sinceMs, asked);
}

/** By queries that look back on nothing earlier. Who cannot be asked may have heard it. */
function hasSpokenSince(sinceMs: number, asked: Asked): boolean | undefined {
  const { measure, rangeMs, atMs, intervalMs, ask } = asked;
  const startMs = tickAt(sinceMs + rangeMs, intervalMs) + intervalMs;
  if (startMs > atMs) return false;
  const readings = readWindow(measure, { startMs, endMs: atMs, stepMs: intervalMs }, ask);
  if (readings === undefined) return undefined;
  return 'type' in readings || readings.some(({ reading }) => reading.type === 'value');
}

/** Every route had the weight of the current step. */
export function isStepReached(status: RolloutStatus): boolean {
  return currentStep(status)?.passedAt !== undefined;
}

function currentStep({ plan, step }: RolloutStatus) {
  return plan?.find((one) => one.kind === 'Step' && one.name === step);
}

/** @returns the status with the moment at which the first route, or at last all of them, were first seen without the traffic that they had in this run */
export function withTrafficEnd(
  status: RolloutStatus,
  routes: readonly RouteObservation[],
  weights: { readonly highest: number | undefined; readonly now: number },
): RolloutStatus {
  const { highest, now } = weights;
  const { trafficEndedAt, ...rest } = status;
  const lowest = lowestWeight(routes) ?? highest;
  if (highest === undefined || lowest === undefined) return status;
  if (lowest > 0) return trafficEndedAt === undefined ? status : rest;
  // An instant in the future was written before the clock stepped back.
  const isKnown = trafficEndedAt !== undefined && fromIso(trafficEndedAt) <= now;
  const known = status.routes ?? [];
  const hadAll = known.length > 0 && known.every((route) => (route.weight ?? 0) > 0);
  // What the routes that were left have brought until now says nothing of what any one of them brings.
  const hasLostLast = highest === 0 && (status.weight ?? 0) > 0;
  const hasEnded = trafficEndedAt !== undefined || hadAll || hasLostLast;
  return (isKnown && !hasLostLast) || !hasEnded
    ? status
    : { ...status, trafficEndedAt: toIso(now) };
}
