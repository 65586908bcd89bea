/**
 * Whether canary is expected to speak at all: by where the routes lead now, by when it lost the traffic it had, and by
 * whether it has spoken before.
 */
import type { RolloutStatus, TriggerStatus } from '#api/status.ts';
import type { RouteObservation } from './snapshot.ts';
import { fromIso, fromIsoOptional, toIso } from './time.ts';
import { lowestWeight } from './traffic.ts';

export interface CanaryTraffic {
  /** Every route leads to it. */
  readonly isOnEvery: boolean;
  /** Some route does; that one alone may carry nothing. */
  readonly isOnSome: boolean;
  /** Every route had the weight of the current step. */
  readonly isReached: boolean;
  /** Since when some route has lost what it had; undefined: every route leads to it, or it never had traffic in this run. */
  readonly endedAtMs: number | undefined;
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
    endedAtMs: fromIsoOptional(status.trafficEndedAt),
  };
}

/** What was known of canary was known at a moment when it had traffic, though it has none any more. */
export function isBeforeEnd({ endedAtMs }: CanaryTraffic, atMs: number): boolean {
  return endedAtMs !== undefined && atMs < endedAtMs;
}

/** Silence at `atMs` is no news only where canary had no traffic then, or perhaps none, and has not spoken of any. */
export function isReadingExpected(
  traffic: CanaryTraffic,
  before: TriggerStatus,
  atMs: number,
): boolean {
  if (traffic.isOnEvery || isBeforeEnd(traffic, atMs)) return true;
  if (!traffic.isOnSome) return false;
  // Of what is left to it there is no telling; a person's resume forgets what it has said.
  if (traffic.isReached) return before.state !== 'Inactive' || before.reason === 'ConditionFalse';
  // The first of several routes has brought readings while the others were still to follow.
  return traffic.endedAtMs === undefined && before.value !== undefined;
}

/** Every route had the weight of the current step. */
export function isStepReached({ plan, step }: RolloutStatus): boolean {
  const entry = plan?.find((one) => one.kind === 'Step' && one.name === step);
  return entry?.passedAt !== undefined;
}

/** @returns the status with the moment at which a route was first seen without the traffic that it had in this run */
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
  const hasEnded =
    trafficEndedAt !== undefined || hadAll || (highest === 0 && (status.weight ?? 0) > 0);
  return isKnown || !hasEnded ? status : { ...status, trafficEndedAt: toIso(now) };
}
