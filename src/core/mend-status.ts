/**
 * A status is text that another version, or a hand, may have written. What cannot be read in it is dropped or
 * set anew before anything relies on it, so that no status can stop the engine.
 */
import type {
  ExtensionStatus,
  PlanPointStatus,
  RolloutStatus,
  RouteStatus,
  TriggerStatus,
  Vote,
} from '#api/status.ts';
import { firstStage, STOP_TRAFFIC } from './rollback.ts';
import { fromIso, toIso } from './time.ts';

/** Beyond the year 9999 a time has another form. */
const READABLE_MAX_MS = Date.UTC(9999, 11, 31);
const DRIFT_MAX = 1_000_000_000;
const BLIND_MAX_MS = 10 * 365 * 24 * 3_600_000;

/** Looked through and found readable: a status that stands is looked at again and again. */
const sound = new WeakSet<RolloutStatus>();

/** @returns the same object when there is nothing to mend */
export function mendStatus(status: RolloutStatus, now: number): RolloutStatus {
  if (sound.has(status)) return status;
  const mended = mendEach(status, now);
  if (mended === status) sound.add(status);
  return mended;
}

function mendEach(given: RolloutStatus, now: number): RolloutStatus {
  return [
    mendStart,
    mendBlindness,
    mendDownTime,
    mendPlan,
    mendRoutes,
    mendTriggers,
    mendRollback,
    mendSuccess,
    mendVotes,
  ].reduce((status, mend) => mend(status, now), given);
}

function isReadable(text: string | undefined): boolean {
  if (text === undefined) return false;
  const atMs = fromIso(text);
  return atMs >= 0 && atMs <= READABLE_MAX_MS;
}

function isReadableOrAbsent(text: string | undefined): boolean {
  return text === undefined || isReadable(text);
}

function isShare(weight: number): boolean {
  return weight >= 0 && weight <= 100;
}

/** Without a start nothing of the run can be dated: its clock starts anew, which delays and never hurries. */
function mendStart(status: RolloutStatus, now: number): RolloutStatus {
  if (status.runId === undefined || isReadable(status.startedAt)) return status;
  return { ...status, startedAt: toIso(now) };
}

function mendBlindness(status: RolloutStatus): RolloutStatus {
  const { blindMs, blindSince, trafficEndedAt, ...rest } = status;
  const isLengthSound = blindMs === undefined || (blindMs >= 0 && blindMs <= BLIND_MAX_MS);
  const isDated = isReadableOrAbsent(blindSince) && isReadableOrAbsent(trafficEndedAt);
  if (isLengthSound && isDated) return status;
  return {
    ...rest,
    ...(isLengthSound && blindMs !== undefined ? { blindMs } : {}),
    ...(isReadable(blindSince) && blindSince !== undefined ? { blindSince } : {}),
    ...(isReadable(trafficEndedAt) && trafficEndedAt !== undefined ? { trafficEndedAt } : {}),
  };
}

function mendDownTime(status: RolloutStatus): RolloutStatus {
  const { monitoringDownMs: ms, monitoringDownSince: since, ...rest } = status;
  const isLengthSound = ms === undefined || (ms >= 0 && ms <= BLIND_MAX_MS);
  if (isLengthSound && isReadableOrAbsent(since)) return status;
  return {
    ...rest,
    ...(isLengthSound && ms !== undefined ? { monitoringDownMs: ms } : {}),
    ...(isReadable(since) && since !== undefined ? { monitoringDownSince: since } : {}),
  };
}

/** A point that was passed nobody knows when, or at what weight, is to be passed again. */
function mendPlan(status: RolloutStatus): RolloutStatus {
  const isSound = (point: PlanPointStatus) =>
    isReadable(point.dueAt) && isReadableOrAbsent(point.passedAt) && isShare(point.weight ?? 0);
  if (status.plan === undefined || status.plan.every(isSound)) return status;
  return { ...status, plan: status.plan.filter(isSound) };
}

/** A count that is none begins anew. */
function mendRoutes(status: RolloutStatus): RolloutStatus {
  const isSound = ({ drift = 0 }: RouteStatus) => drift >= 0 && drift <= DRIFT_MAX;
  if (status.routes === undefined || status.routes.every(isSound)) return status;
  const routes = status.routes.map((route) => (isSound(route) ? route : { ...route, drift: 0 }));
  return { ...status, routes };
}

/** A trigger that cannot be dated is evaluated anew: what it has held is in Prometheus. */
function mendTriggers(status: RolloutStatus): RolloutStatus {
  const isSound = (trigger: TriggerStatus) =>
    [
      trigger.activeAt,
      trigger.firingAt,
      trigger.falseSince,
      trigger.unknownSince,
      trigger.acknowledgedAt,
      trigger.sharedSince,
      trigger.sharedUntil,
    ].every(isReadableOrAbsent) &&
    (trigger.gapMs ?? 0) >= 0 &&
    (trigger.gapMs ?? 0) <= BLIND_MAX_MS &&
    (trigger.state !== 'Firing' || trigger.firingAt !== undefined) &&
    (trigger.responses ?? []).every(({ at }) => isReadable(at));
  if (status.triggers === undefined || status.triggers.every(isSound)) return status;
  return { ...status, triggers: status.triggers.filter(isSound) };
}

/** A vote that cannot be dated does not count; a promotion that cannot be has been now. */
function mendVotes(status: RolloutStatus, now: number): RolloutStatus {
  const { approvals, promotedAt } = status;
  const isSound = ({ at, expiresAt }: Vote) => isReadable(at) && isReadableOrAbsent(expiresAt);
  const dated = isReadableOrAbsent(promotedAt) ? status : { ...status, promotedAt: toIso(now) };
  if (approvals === undefined || approvals.every(isSound)) return dated;
  return { ...dated, approvals: approvals.filter(isSound) };
}

/** A rollback is never forgotten; one that cannot be dated has begun now. */
function mendRollback(status: RolloutStatus, now: number): RolloutStatus {
  const { rollback } = status;
  if (rollback === undefined) return status;
  const { pagedAt, ...rest } = rollback;
  const { startedAt, slaDeadline, hooks = [] } = rest;
  const isSound =
    isReadable(startedAt) &&
    isReadable(slaDeadline) &&
    isReadableOrAbsent(pagedAt) &&
    [...rest.stages, ...hooks].every(isDated) &&
    rest.stages.some(({ name }) => name === STOP_TRAFFIC);
  if (isSound) return status;
  const begunAt = isReadable(startedAt) ? startedAt : toIso(now);
  const stages = rest.stages.filter(isDated);
  const isBegun = stages.some(({ name }) => name === STOP_TRAFFIC);
  return {
    ...status,
    rollback: {
      ...rest,
      ...(isReadable(pagedAt) && pagedAt !== undefined ? { pagedAt } : {}),
      startedAt: begunAt,
      slaDeadline: isReadable(slaDeadline) ? slaDeadline : toIso(now),
      // A stage that cannot be dated is gone through again, and a hook by its name is still run once.
      stages: isBegun ? stages : [firstStage(begunAt), ...stages],
      ...(rest.hooks === undefined ? {} : { hooks: hooks.filter(isDated) }),
    },
  };
}

function isDated(entry: { readonly startedAt: string; readonly finishedAt?: string | undefined }) {
  return isReadable(entry.startedAt) && isReadableOrAbsent(entry.finishedAt);
}

/** A window whose beginning cannot be read is judged anew, and an extension that cannot be dated was none. */
function mendSuccess(status: RolloutStatus): RolloutStatus {
  const { success, extensions = [], blindPassedMs, ...rest } = status;
  const isJudgedSound =
    success === undefined || (isReadable(success.judgedAt) && isReadable(success.since));
  const isExtendedSound = extensions.every(isExtensionSound);
  const isBlindSound = blindPassedMs === undefined || isSpan(blindPassedMs);
  if (isJudgedSound && isExtendedSound && isBlindSound) return status;
  return {
    ...rest,
    ...(isJudgedSound && success !== undefined ? { success } : {}),
    ...(status.extensions === undefined ? {} : { extensions: extensions.filter(isExtensionSound) }),
    ...(isBlindSound && blindPassedMs !== undefined ? { blindPassedMs } : {}),
  };
}

function isExtensionSound({ at, until }: ExtensionStatus): boolean {
  return isReadable(at) && isReadable(until);
}

function isSpan(ms: number): boolean {
  return ms >= 0 && ms <= BLIND_MAX_MS;
}
