/**
 * The only place where a weight is computed. Rules change the status; `steer` compares what the status
 * asks for with what the routes say and names the writes that close the gap.
 */

import { fieldManager } from '#api/names.ts';
import type { RolloutStatus, RouteStatus } from '#api/status.ts';
import { assert } from './assert.ts';
import type { Action, EventDraft } from './decision.ts';
import type { RouteReading } from './route-reading.ts';
import type { RunSpec } from './run-spec.ts';
import { lastPassedStep, plannedWeight } from './schedule.ts';
import type { RouteObservation, Snapshot } from './snapshot.ts';
import type { RunView } from './view.ts';

/**
 * Canary's share that the status asks for, in percent: 0 in a rollback, else the weight of the current
 * step, or of the last one passed where an edit has taken the current one out of the plan. Before the first step nothing is asked for, so nothing is written, unless this run replaced an
 * unfinished one: that one's traffic goes back to stable first.
 */
export function desiredWeight(run: RunSpec, status: RolloutStatus): number | undefined {
  if (isRolledBack(status)) return 0;
  if (status.step === undefined) return status.replacedRevision === undefined ? undefined : 0;
  const current = run.points.find((point) => point.kind === 'Step' && point.name === status.step);
  const step = current ?? lastPassedStep(run, status);
  const weight = step === undefined ? 0 : (plannedWeight(status, step) ?? 0);
  assert(weight >= 0 && weight <= 100, `weight ${weight} lies within 0 and 100`);
  return weight;
}

/** Whether a share is more than the run has asked for, or than there is: what another writer has sent there allows nothing. */
export function isRise({ run, status, weight: read = 0 }: Asked, weight: number): boolean {
  return weight > Math.min(read, desiredWeight(run, status) ?? read);
}

type Asked = Pick<RunView, 'run' | 'status' | 'weight'>;

/** True from the decision to roll back on, for the rest of the run. */
export function isRolledBack(status: RolloutStatus): boolean {
  const { phase, rollback } = status;
  return rollback !== undefined || phase === 'RollingBack' || phase === 'RolledBack';
}

/** Of two rollouts on one route the older steers it; the younger only ever completes a rollback. */
export function isSteering({ conflict }: Snapshot, status: RolloutStatus): boolean {
  const isUnderWay = isRolledBack(status) && status.rollback?.completedAt === undefined;
  return conflict === undefined || isUnderWay;
}

/** True when another spec would leave behind a route of this one, or turn its Services round. */
export function isOtherTraffic(run: RunSpec, other: RunSpec): boolean {
  return run.targets.some(
    (target) => !other.targets.some((one) => JSON.stringify(one) === JSON.stringify(target)),
  );
}

/** The highest share on any route: what a rollback must bring to 0. Undefined while no route can be read. */
export function observedWeight(routes: readonly RouteObservation[]): number | undefined {
  const weights = routes.flatMap(({ reading }) =>
    reading.type === 'read' ? [reading.weight] : reading.type === 'missing' ? [0] : [],
  );
  return weights.length === 0 ? undefined : Math.max(...weights);
}

/** The lowest share on any route that leads anywhere; undefined while none can be read. */
export function lowestWeight(routes: readonly RouteObservation[]): number | undefined {
  const weights = weightsRead(routes);
  return weights.length === 0 ? undefined : Math.min(...weights);
}

/** The highest share on any route that is there; a route that is gone says nothing of who wants what. */
export function highestRead(routes: readonly RouteObservation[]): number | undefined {
  const weights = weightsRead(routes);
  return weights.length === 0 ? undefined : Math.max(...weights);
}

function weightsRead(routes: readonly RouteObservation[]): number[] {
  return routes.flatMap(({ reading }) => (reading.type === 'read' ? [reading.weight] : []));
}

/** True when every route says exactly this weight; a route that is gone carries nothing, so it says 0. */
export function allRead(routes: readonly RouteObservation[], weight: number): boolean {
  return routes.every(({ reading }) =>
    reading.type === 'read'
      ? reading.weight === weight && reading.uniform
      : reading.type === 'missing' && weight === 0,
  );
}

export interface Steering {
  readonly routes: readonly RouteStatus[];
  readonly actions: readonly Action[];
  readonly events: readonly EventDraft[];
}

/**
 * Brings every route to the weight that `status` asks for. Lowering is always allowed; a rise only while
 * nothing speaks against it, also when it merely puts back what another writer changed.
 *
 * @param mayRise whether holds and rise blockers are empty
 */
export function steer(view: RunView, status: RolloutStatus, mayRise: boolean): Steering {
  const isOurs = isSteering(view.snapshot, status);
  const desired = isOurs ? desiredWeight(view.run, status) : undefined;
  const parts = view.snapshot.routes.map((route) =>
    steerOne(view, route, status, { isOurs, desired, mayRise }),
  );
  return {
    routes: parts.map((part) => part.route),
    actions: parts.flatMap((part) => part.actions),
    events: parts.flatMap((part) => part.events),
  };
}

interface Aim {
  readonly isOurs: boolean;
  readonly desired: number | undefined;
  readonly mayRise: boolean;
}

function steerOne(
  view: RunView,
  { target, reading }: RouteObservation,
  status: RolloutStatus,
  aim: Aim,
): { route: RouteStatus; actions: Action[]; events: EventDraft[] } {
  const known = status.routes?.find((one) => one.kind === target.kind && one.name === target.name);
  const identity = { kind: target.kind, name: target.name };
  const rollbackOf = isRolledBack(status) ? view.runId : undefined;
  if (reading.type !== 'read') {
    const route = { ...known, ...identity, problem: reading.message };
    // A route that cannot be read may still carry canary traffic: a rollback tries all the same.
    const tries = reading.type === 'refused' && rollbackOf !== undefined;
    const lower: Action = { type: 'SetWeight', target, weight: 0, rollbackOf };
    return { route, actions: tries ? [lower] : [], events: [] };
  }
  if (known?.released === true) {
    const release: Action = { type: 'Release', target, declared: reading.weight };
    return { route: known, actions: reading.owned ? [release] : [], events: [] };
  }
  const drifted = isDrift(known, reading, aim.desired);
  const declared = declaredWeight(known, reading, drifted);
  const problem = reading.problems.map((one) => one.message).join('; ');
  const route: RouteStatus = {
    ...identity,
    weight: reading.weight,
    ...(declared === undefined ? {} : { declared }),
    drift: (known?.drift ?? 0) + (drifted ? 1 : 0),
    ...(problem === '' ? {} : { problem }),
  };
  const events = drifted ? [driftEvent(route, aim.desired, reading.writtenBy)] : [];
  // What an earlier run's rollback has cut off comes back, with weight 0, for the run that starts now.
  if (reading.isolated && aim.isOurs && rollbackOf === undefined) {
    return { route, actions: [{ type: 'Rejoin', target }], events };
  }
  if (aim.desired === undefined) return { route, actions: [], events };
  const isThere = reading.weight === aim.desired && reading.uniform;
  // Where the rules disagree below the mark, writing the mark is a rise for some of them.
  const lowers = reading.weight > aim.desired || aim.desired === 0;
  const write: Action = { type: 'SetWeight', target, weight: aim.desired, rollbackOf };
  return { route, actions: isThere || (!lowers && !aim.mayRise) ? [] : [write], events };
}

/**
 * What others want the route to say: what they wrote last. What we wrote ourselves tells nothing of it, so
 * where nothing else is known the route is never let go.
 */
function declaredWeight(
  known: RouteStatus | undefined,
  reading: Extract<RouteReading, { readonly type: 'read' }>,
  drifted: boolean,
): number | undefined {
  const isTheirs = reading.writtenBy !== undefined && reading.writtenBy !== fieldManager;
  if (isTheirs || drifted) return reading.weight;
  return known?.declared ?? (reading.owned ? undefined : reading.weight);
}

/** Drift: it stood where we wanted it, and now another has put it elsewhere. */
function isDrift(
  known: RouteStatus | undefined,
  reading: { readonly weight: number; readonly writtenBy: string | undefined },
  desired: number | undefined,
): boolean {
  const stoodThere = desired !== undefined && known?.weight === desired;
  return stoodThere && reading.weight !== desired && reading.writtenBy !== fieldManager;
}

function driftEvent(
  route: RouteStatus,
  desired: number | undefined,
  writer: string | undefined,
): EventDraft {
  return {
    type: 'Warning',
    reason: 'TrafficDrift',
    action: 'SetWeight',
    note: `${writer ?? 'another writer'} changed ${route.kind} ${route.name} to ${route.weight}% canary; ${desired}% is asserted again`,
  };
}

/** A rollback of this run has written a route, whatever the status knows of it. */
export function bearsMark(routes: readonly RouteObservation[], runId: string | undefined): boolean {
  return routes.some(({ reading }) => reading.type === 'read' && reading.rolledBackRun === runId);
}
