/**
 * The trigger every rollout has: canary without Ready endpoints. Pods that crash export nothing, so no
 * query of the user's would ever see them. Its history is the status alone: EndpointSlices keep none.
 */
import { parseCondition } from '#api/condition-text.ts';
import type { TriggerStatus } from '#api/status.ts';
import type { RunSpec, RunTrigger } from './run-spec.ts';
import { clockText, fromIsoOptional, spanText, toIso } from './time.ts';
import type { TriggerOutcome } from './trigger.ts';

export const CANARY_DOWN = 'canary-down';

/** One for each run, which needs it at every look. */
const made = new WeakMap<RunSpec, RunTrigger>();

export function canaryDownTrigger(run: RunSpec): RunTrigger {
  const trigger = made.get(run) ?? makeTrigger(run);
  made.set(run, trigger);
  return trigger;
}

function makeTrigger(run: RunSpec): RunTrigger {
  return {
    name: CANARY_DOWN,
    severity: 'Critical',
    measure: { type: 'query', query: '', series: undefined, isArmBound: true, rangeMs: 0 },
    condition: parseCondition('== 0'),
    forMs: run.canaryDown.forMs,
    judge: { type: 'Threshold' },
    keepFiringForMs: 0,
    noData: 'Ignore',
    noDataForMs: 0,
    ladder: [{ action: run.canaryDown.action, afterMs: 0 }],
  };
}

/**
 * @param ready Ready endpoints of canary; undefined where there is no Service or it is not known yet
 * @param carriesTraffic whether canary's weight is above 0
 */
export function advanceCanaryDown(
  run: RunSpec,
  previous: TriggerStatus | undefined,
  world: {
    readonly now: number;
    readonly ready: number | undefined;
    readonly carriesTraffic: boolean;
  },
): TriggerOutcome {
  const trigger = canaryDownTrigger(run);
  // Not known is no news: what was known stands, and nothing new is concluded from it.
  if (world.carriesTraffic && world.ready === undefined && previous !== undefined) {
    return { trigger, status: previous, reading: undefined, wakeAtMs: undefined };
  }
  const isDown = world.carriesTraffic && world.ready === 0;
  if (!isDown) {
    return { trigger, status: inactive(previous), reading: undefined, wakeAtMs: undefined };
  }
  // An instant in the future was written before the clock stepped back.
  const activeAtMs = Math.min(world.now, fromIsoOptional(previous?.activeAt) ?? world.now);
  const firingAtMs = activeAtMs + trigger.forMs;
  const isFiring = world.now >= firingAtMs;
  const state = isFiring ? 'Firing' : 'Pending';
  const status: TriggerStatus = {
    name: CANARY_DOWN,
    severity: 'Critical',
    state,
    activeAt: toIso(activeAtMs),
    ...(isFiring ? { firingAt: toIso(firingAtMs) } : {}),
    value: '0',
    reason: 'NoReadyEndpoint',
    message: isFiring
      ? `canary has had no Ready endpoint for ${spanText(trigger.forMs)} since ${clockText(activeAtMs)}`
      : `canary has had no Ready endpoint since ${clockText(activeAtMs)}`,
  };
  return {
    trigger,
    status: isSameEntry(previous, status) ? previous : status,
    reading: undefined,
    wakeAtMs: isFiring ? undefined : firingAtMs,
  };
}

function isSameEntry(
  previous: TriggerStatus | undefined,
  next: TriggerStatus,
): previous is TriggerStatus {
  return (
    previous?.state === next.state &&
    previous.activeAt === next.activeAt &&
    previous.firingAt === next.firingAt
  );
}

function inactive(previous: TriggerStatus | undefined): TriggerStatus {
  if (previous?.state === 'Inactive') return previous;
  return { name: CANARY_DOWN, severity: 'Critical', state: 'Inactive', reason: 'EndpointsReady' };
}
