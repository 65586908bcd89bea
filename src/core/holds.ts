/**
 * What speaks against going on. Holds stand whether or not a point is due, and make the phase Held; rise
 * blockers are passing states that only forbid a rise, and are named in the status once a rise is due.
 */
import type { Hold, RolloutStatus } from '#api/status.ts';
import type { Answer } from './answer.ts';
import { CANARY_DOWN } from './builtin-triggers.ts';
import { firingCauses, responseTo, silenceOf } from './causes.ts';
import { brokenChain, chainHeldSince, unprovedChain, withoutDoubles } from './chain-holds.ts';
import type { Because } from './decision.ts';
import { activeFreezes, freezeSentence } from './freeze.ts';
import { holdsByLadder } from './ladder.ts';
import type { RunSpec } from './run-spec.ts';
import type { Snapshot } from './snapshot.ts';
import { failingSuites } from './suites.ts';
import { fromIso, fromIsoOptional, toIso } from './time.ts';
import type { TriggerOutcome } from './trigger.ts';

/** Prometheus and we must agree on the time this closely (engine.md, "Time"). */
export const CLOCK_SKEW_MAX_MS = 10_000;

export const TRIGGER_UNKNOWN = 'TriggerUnknown';
const FROZEN = 'Frozen';
export const CLOCK_SKEW = 'ClockSkew';
const TRIGGER_NOT_INACTIVE = 'TriggerNotInactive';

export interface Facts {
  readonly snapshot: Snapshot;
  readonly now: number;
  readonly run: RunSpec;
  readonly status: RolloutStatus;
  readonly triggers: readonly TriggerOutcome[];
  readonly weight: number | undefined;
}

type Finder = (facts: Facts) => readonly Omit<Hold, 'since'>[];

const holdFinders: readonly Finder[] = [
  paused,
  firingHolds,
  missingReadings,
  clockSkew,
  routeConflict,
  routeProblems,
  stableDown,
  failingSuites,
  brokenChain,
  olderVersion,
];

const riseBlockerFinders: readonly Finder[] = [
  frozen,
  clockUnproved,
  criticalNotInactive,
  endpointsNotReady,
  stableUnderscaled,
  routesNotSettled,
  unprovedChain,
];

/** In a fixed order; `since` is kept from the status while a hold of the same reason and origin stands. */
export function findHolds(facts: Facts): Hold[] {
  return withoutDoubles(dated(holdFinders, facts));
}

export function findRiseBlockers(facts: Facts): Hold[] {
  return dated(riseBlockerFinders, facts);
}

/** An end state goes on being asserted, but in no freeze, and nobody is sent to a canary that is not there. */
export function findEndedBlockers(facts: Facts): Hold[] {
  return dated([frozen, endpointsNotReady], facts).filter((hold) => hold.by !== 'stable');
}

/** Those that say of a Critical trigger that it is not known to be Inactive: these end no run well either. */
export function criticalBlockers(blockers: readonly Hold[]): Hold[] {
  return blockers.filter(
    ({ reason }) => reason === TRIGGER_UNKNOWN || reason === TRIGGER_NOT_INACTIVE,
  );
}

/** One sentence for several holds. */
export function holdSentence(holds: readonly Hold[]): string {
  return holds.map((hold) => hold.message).join('; ');
}

export function dateHold(hold: Omit<Hold, 'since'>, status: RolloutStatus, now: number): Hold {
  const known = status.holds?.find((one) => one.reason === hold.reason && one.by === hold.by);
  return {
    reason: hold.reason,
    by: hold.by,
    since: known?.since ?? chainHeldSince(hold, status) ?? toIso(now),
    message: hold.message,
    ...(hold.links === undefined ? {} : { links: hold.links }),
  };
}

function dated(finders: readonly Finder[], facts: Facts): Hold[] {
  return finders.flatMap((find) =>
    find(facts).map((hold) => dateHold(hold, facts.status, facts.now)),
  );
}

/** Those that say that the moment is in a freeze window: these stop a promotion too. */
export function freezeBlockers(blockers: readonly Hold[]): Hold[] {
  return blockers.filter(({ reason }) => reason === FROZEN);
}

/** Under a broken edit the recorded spec still says whether the run is paused. */
function paused({ snapshot, run, status }: Facts): Omit<Hold, 'since'>[] {
  const holds = [];
  const { wanted } = snapshot;
  if (wanted.type === 'ok' ? wanted.run.paused : run.paused) {
    holds.push({ reason: 'Paused', by: 'spec.paused', message: 'paused by spec.paused' });
  }
  if (status.pausedBy !== undefined) {
    const { by, reason } = status.pausedBy;
    const message = `paused by ${by}${reason === undefined ? '' : `: ${reason}`}`;
    holds.push({ reason: 'Paused', by, message });
  }
  return holds;
}

/** The ladder's own hold, and the one before the ladder where it is the service and not the canary. */
function firingHolds({ triggers, now }: Facts): Omit<Hold, 'since'>[] {
  return triggers.flatMap((outcome) =>
    firingCauses(outcome, now)
      .filter(({ type }) => responseTo[type] !== 'ladder' || holdsByLadder(outcome.status))
      .map((cause) => ({ ...because(cause), by: outcome.trigger.name })),
  );
}

/** Unknown for longer than `noDataFor`, where the trigger's policy is to hold. */
function missingReadings({ triggers, now, run }: Facts): Omit<Hold, 'since'>[] {
  return triggers.flatMap((outcome) => {
    const { trigger, status } = outcome;
    const silence = silenceOf(outcome);
    if (silence === undefined || trigger.noData !== 'Hold') return [];
    const unknownForMs = now - run.offsetMs - (fromIsoOptional(status.unknownSince) ?? now);
    const isHeld = responseTo[silence.type] !== 'goOn' && unknownForMs >= trigger.noDataForMs;
    return isHeld ? [{ ...because(silence), by: trigger.name }] : [];
  });
}

function because({ reason, message }: Because): Because {
  return { reason, message };
}

/** A clock that was off is off until an answer says otherwise: a failed one tells nothing of the time. */
function clockSkew({ snapshot, status }: Facts): Omit<Hold, 'since'>[] {
  const skews = [...snapshot.answers.values()].flatMap((answer) => skewOf(answer));
  const isOff =
    skews.length === 0
      ? status.holds?.some(({ reason }) => reason === CLOCK_SKEW)
      : skews.some((skewMs) => Math.abs(skewMs) > CLOCK_SKEW_MAX_MS);
  if (isOff !== true) return [];
  const message = `Prometheus' clock and the operator's differ by more than ${CLOCK_SKEW_MAX_MS / 1000}s`;
  return [{ reason: CLOCK_SKEW, by: 'clock', message }];
}

/** Freezes, approvals and the plan itself go by our clock: while every answer fails nobody says that it is right. */
function clockUnproved({ snapshot }: Facts): Omit<Hold, 'since'>[] {
  const answers = [...snapshot.answers.values()];
  const isFailing = answers.some(({ type }) => type === 'error');
  if (!isFailing || answers.some((answer) => skewOf(answer).length > 0)) return [];
  const message =
    "Prometheus has answered nothing that can be used, so nobody says that the operator's clock is right";
  return [{ reason: CLOCK_SKEW, by: 'clock', message }];
}

function skewOf(answer: Answer): number[] {
  return answer.type === 'error' || answer.skewMs === undefined ? [] : [answer.skewMs];
}

function routeConflict({ snapshot }: Facts): Omit<Hold, 'since'>[] {
  if (snapshot.conflict === undefined) return [];
  const message = `GenesisRollout ${snapshot.conflict} is older and already steers one of these routes`;
  return [{ reason: 'RouteConflict', by: snapshot.conflict, message }];
}

function routeProblems({ snapshot }: Facts): Omit<Hold, 'since'>[] {
  return snapshot.routes.flatMap(({ target, reading }) => {
    const by = `${target.kind}/${target.name}`;
    if (reading.type === 'missing') {
      return [{ reason: 'RouteNotFound', by, message: reading.message }];
    }
    if (reading.type === 'refused')
      return [{ reason: reading.reason, by, message: reading.message }];
    return reading.problems
      .filter((problem) => problem.blocking)
      .map((problem) => ({ reason: problem.reason, by, message: problem.message }));
  });
}

function stableDown({ snapshot, run }: Facts): Omit<Hold, 'since'>[] {
  if (snapshot.ready.stable !== 0) return [];
  const service = run.stable?.service ?? 'stable';
  const message = `Service ${service} has no Ready endpoint: stable is down`;
  return [{ reason: 'StableDown', by: 'stable-down', message }];
}

/**
 * Before the first step, canary already serves more than that step gives it, and not because of an
 * unfinished run of ours: the step would send traffic back to something older. A person must say so.
 */
function olderVersion({ run, status, weight }: Facts): Omit<Hold, 'since'>[] {
  const reason = 'WouldServeOlderVersion';
  const first = run.points.find((point) => point.kind === 'Step');
  const hasBegun = status.step !== undefined || status.rollback !== undefined;
  const isLifted = status.acknowledgedHolds?.includes(reason) ?? false;
  if (hasBegun || isLifted || status.replacedRevision !== undefined) return [];
  if (first === undefined || weight === undefined || weight <= (first.weight ?? 0)) return [];
  const message = `canary serves ${weight}% now and step ${first.name} would give it ${first.weight}%: name the Services the other way round, or resume`;
  return [{ reason, by: 'traffic', message }];
}

/** Another writer took weight away, and it may not be given back while something speaks against a rise. */
export function standingDrift({ status, now, weight }: Facts, blockers: readonly Hold[]): Hold {
  const by = 'traffic';
  const against = blockers.length === 0 ? '' : `; against it: ${holdSentence(blockers)}`;
  const message = `another writer lowered canary to ${weight}%; it is raised again when nothing speaks against it, or after resume${against}`;
  return dateHold({ reason: 'LoweredByAnother', by, message }, status, now);
}

/** Pending is not enough; Unknown neither, unless the trigger ignores missing data and has waited for it. */
function criticalNotInactive({ triggers, now, run }: Facts): Omit<Hold, 'since'>[] {
  return triggers.flatMap(({ trigger, status, reading }) => {
    // The built-in trigger has no reading; any other without one has not been asked at this tick.
    const isAsked = reading !== undefined || trigger.name === CANARY_DOWN;
    const isInactive = status.state === 'Inactive' && status.reason !== 'NotEvaluated' && isAsked;
    if (trigger.severity !== 'Critical' || isInactive) return [];
    const unknownForMs =
      status.unknownSince === undefined ? 0 : now - run.offsetMs - fromIso(status.unknownSince);
    const isIgnored =
      status.state === 'Unknown' &&
      trigger.noData === 'Ignore' &&
      unknownForMs >= trigger.noDataForMs;
    if (isIgnored) return [];
    const by = trigger.name;
    if (!isAsked) {
      return [{ reason: TRIGGER_UNKNOWN, by, message: `${by} has not been asked at this tick` }];
    }
    const reason = status.state === 'Unknown' ? TRIGGER_UNKNOWN : TRIGGER_NOT_INACTIVE;
    return [{ reason, by, message: status.message ?? `${by} has not been evaluated yet` }];
  });
}

function frozen({ run, now }: Facts): Omit<Hold, 'since'>[] {
  return activeFreezes(run.freezes, now).map((freeze) => ({
    reason: FROZEN,
    by: freeze.window.name,
    message: freezeSentence(freeze),
  }));
}

function endpointsNotReady({ snapshot, run }: Facts): Omit<Hold, 'since'>[] {
  return (['stable', 'canary'] as const).flatMap((arm) => {
    const service = run[arm]?.service;
    const ready = snapshot.ready[arm];
    if (service === undefined || (ready ?? 0) > 0) return [];
    const message =
      ready === undefined
        ? `how many Ready endpoints Service ${service} has is not known yet`
        : `Service ${service} has no Ready endpoint`;
    return [{ reason: arm === 'canary' ? 'CanaryNotReady' : 'StableNotReady', by: arm, message }];
  });
}

function stableUnderscaled({ snapshot, status }: Facts): Omit<Hold, 'since'>[] {
  const atStart = status.stableReadyAtStart ?? 0;
  const ready = snapshot.ready.stable;
  if (ready === undefined || ready === 0 || ready >= atStart) return [];
  const message = `stable has ${ready} Ready endpoints, ${atStart} at the start of the run`;
  return [{ reason: 'StableUnderscaled', by: 'stable', message }];
}

function routesNotSettled({ snapshot }: Facts): Omit<Hold, 'since'>[] {
  return snapshot.routes.flatMap(({ target, reading }) => {
    if (reading.type !== 'read' || reading.settled) return [];
    const why = reading.problems.map((problem) => problem.message).join('; ');
    const message = `${target.kind} ${target.name} is not accepted by its gateway${why && `: ${why}`}`;
    return [{ reason: 'RouteNotAccepted', by: `${target.kind}/${target.name}`, message }];
  });
}
