/**
 * When the metric chain is checked: at the start of a run, for a checkpoint that asks for it, and every five minutes.
 * All of it follows from the newest report and the time. Nothing is written down, so a new process checks anew.
 */
import type { ChainReport } from './chain.ts';
import { brokenIn, CHAIN_BROKEN, linksThatHold } from './chain-holds.ts';
import { type ChainFacts, reportOf } from './chain-report.ts';
import type { Action } from './decision.ts';
import type { PlanPoint } from './run-spec.ts';
import { currentPoint, dueAtMs, monitoredUntilMs } from './schedule.ts';
import { shareOf } from './share-of.ts';
import { fromIsoOptional } from './time.ts';
import type { RunView } from './view.ts';

/** The loop in which everything that watches a run is watched. */
const LOOP_MS = 5 * 60_000;
/** While something is broken a mended link is to be seen soon. */
const BROKEN_LOOP_MS = 60_000;
/** Before the first step somebody waits for it, and what is new may not have been scraped yet. */
const FIRST_LOOP_MS = 20_000;
/** After a report that is of another run, or of another clock: never one after the other without a pause. */
const AGAIN_MS = 5_000;

/** When the chain is to be checked next, ms; undefined where nobody checks, and while a check is under way. */
export function nextCheckAtMs(view: RunView): number | undefined {
  const { snapshot, now } = view;
  const { chain } = snapshot;
  if (chain === undefined || chain.checkingSinceMs !== undefined) return undefined;
  if (chain.type === 'unknown') {
    // What lies in the future was seen before the clock stepped back.
    if (chain.sinceMs > now) return now;
    if (chain.failure !== undefined) return chain.sinceMs + BROKEN_LOOP_MS;
    return isPressing(view)
      ? now
      : chain.sinceMs + Math.round(shareOf(snapshot.object.uid) * LOOP_MS);
  }
  const { checkedAtMs } = chain.report;
  if (checkedAtMs > now) return now;
  const report = reportOf(view);
  if (report === undefined) return Math.max(now, checkedAtMs + AGAIN_MS);
  const point = checkpointDue(view);
  if (point !== undefined && checkedAtMs < askedSinceMs(view, point)) return now;
  const isBroken =
    linksThatHold(view, report).length > 0 ||
    (point !== undefined && brokenIn(report).length > 0) ||
    isSilent(view) ||
    isDown(report);
  if (!isBroken) return checkedAtMs + LOOP_MS;
  const hasPassed = view.status.preflightPassedAt !== undefined;
  return checkedAtMs + (hasPassed ? BROKEN_LOOP_MS : FIRST_LOOP_MS);
}

/** The wish for a check, once one is due. */
export function dueCheck(view: RunView): Action[] {
  const atMs = nextCheckAtMs(view);
  if (atMs === undefined || atMs > view.now) return [];
  const { run, weight = 0, status } = view;
  const generation = status.runGeneration ?? 0;
  return [{ type: 'CheckChain', run, generation, weight, isPressing: isPressing(view) }];
}

/** When a checkpoint has begun to ask: a report that was begun before says nothing of what is so now. */
export function askedSinceMs({ run, status, now }: ChainFacts, point: PlanPoint): number {
  if (status.promotedPoint === point.name) return fromIsoOptional(status.promotedAt) ?? now;
  return dueAtMs(run, status, point);
}

function checkpointDue({ run, status, now }: ChainFacts): PlanPoint | undefined {
  const point = currentPoint(run, status);
  const asks = point?.requirements.includes('Preflight') === true;
  return asks && now >= dueAtMs(run, status, point) ? point : undefined;
}

/** Something waits for it: the start of the run, a point that is due, the promotion, or whatever is held for the chain. */
function isPressing(view: RunView): boolean {
  const { run, status, now, holds } = view;
  if (status.preflightPassedAt === undefined || status.monitoringDownSince !== undefined) {
    return true;
  }
  if (holds.some(({ links, reason }) => links !== undefined || reason === 'LoweredByAnother')) {
    return true;
  }
  const point = currentPoint(run, status);
  return (
    now >= (point === undefined ? monitoredUntilMs(run, status, now) : dueAtMs(run, status, point))
  );
}

/** A trigger has no reading because of the chain: why, a check may tell. */
function isSilent({ holds }: RunView): boolean {
  return holds.some(({ reason }) => reason === CHAIN_BROKEN);
}

function isDown({ health }: ChainReport): boolean {
  return health.alertmanager.state === 'Down' || health.grafana.state === 'Down';
}
