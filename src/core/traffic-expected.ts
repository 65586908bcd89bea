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
  /**
   * Some route does, and all did in this step. While a step is being entered one alone may carry nothing, and waiting for
   * what it says would keep the others from ever following.
   */
  readonly isLeftOnSome: boolean;
  /** Since when no route has; undefined: some route does, or none ever did in this run. */
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
    isLeftOnSome: isStepReached(status) && (highest ?? desired ?? 0) > 0,
    endedAtMs: fromIsoOptional(status.trafficEndedAt),
  };
}

/** What was known of canary was known at a moment when it had traffic, though it has none any more. */
export function isBeforeEnd({ endedAtMs }: CanaryTraffic, atMs: number): boolean {
  return endedAtMs !== undefined && atMs < endedAtMs;
}

/** Silence at `atMs` is no news only where canary had no traffic then, and none that it has spoken of. */
export function isReadingExpected(
  traffic: CanaryTraffic,
  before: TriggerStatus,
  atMs: number,
): boolean {
  if (traffic.isOnEvery || isBeforeEnd(traffic, atMs)) return true;
  const hasSpoken = before.state !== 'Inactive' || before.reason === 'ConditionFalse';
  return traffic.isLeftOnSome && hasSpoken;
}

/** Every route had the weight of the current step. */
export function isStepReached({ plan, step }: RolloutStatus): boolean {
  const entry = plan?.find((one) => one.kind === 'Step' && one.name === step);
  return entry?.passedAt !== undefined;
}

/** @returns the status with the moment at which canary was first seen without the traffic it had in this run */
export function withTrafficEnd(
  status: RolloutStatus,
  weight: number | undefined,
  now: number,
): RolloutStatus {
  const { trafficEndedAt, ...rest } = status;
  if (weight === undefined) return status;
  if (weight > 0) return trafficEndedAt === undefined ? status : rest;
  // An instant in the future was written before the clock stepped back.
  const isKnown = trafficEndedAt !== undefined && fromIso(trafficEndedAt) <= now;
  const hasEnded = trafficEndedAt !== undefined || (status.weight ?? 0) > 0;
  return isKnown || !hasEnded ? status : { ...status, trafficEndedAt: toIso(now) };
}
