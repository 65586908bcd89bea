/**
 * The only place where a weight is computed. Rules change the status; `steer` compares what the status
 * asks for with what the routes say and names the writes that close the gap.
 */
import type { RolloutStatus, RouteStatus } from '#api/status.ts';
import { assert } from './assert.ts';
import type { Action, EventDraft } from './decision.ts';
import type { RunSpec } from './run-spec.ts';
import type { RouteObservation } from './snapshot.ts';
import type { RunView } from './view.ts';

/**
 * Canary's share that the status asks for, in percent: 0 in a rollback, else the weight of the current
 * step. Before the first step nothing is asked for, so nothing is written, unless this run replaced an
 * unfinished one: that one's traffic goes back to stable first.
 */
export function desiredWeight(run: RunSpec, status: RolloutStatus): number | undefined {
  if (status.rollback !== undefined) return 0;
  const step = run.points.find((point) => point.kind === 'Step' && point.name === status.step);
  if (step === undefined) return status.replacedRevision === undefined ? undefined : 0;
  const weight = step.weight ?? 0;
  assert(weight >= 0 && weight <= 100, `weight ${weight} lies within 0 and 100`);
  return weight;
}

/** The highest share on any route: what a rollback must bring to 0. Undefined while no route can be read. */
export function observedWeight(routes: readonly RouteObservation[]): number | undefined {
  const weights = routes.flatMap(({ reading }) =>
    reading.type === 'read' ? [reading.weight] : reading.type === 'missing' ? [0] : [],
  );
  return weights.length === 0 ? undefined : Math.max(...weights);
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
  const desired = desiredWeight(view.run, status);
  const parts = view.snapshot.routes.map((route) =>
    steerOne(view, route, status, { desired, mayRise }),
  );
  return {
    routes: parts.map((part) => part.route),
    actions: parts.flatMap((part) => part.actions),
    events: parts.flatMap((part) => part.events),
  };
}

interface Aim {
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
  const rollbackOf = status.rollback === undefined ? undefined : view.runId;
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
  const wasDeclaredByOther = reading.writtenBy !== undefined && !reading.owned;
  const route: RouteStatus = {
    ...identity,
    weight: reading.weight,
    declared: drifted || wasDeclaredByOther ? reading.weight : (known?.declared ?? reading.weight),
    drift: (known?.drift ?? 0) + (drifted ? 1 : 0),
  };
  const events = drifted ? [driftEvent(route, aim.desired, reading.writtenBy)] : [];
  if (aim.desired === undefined) return { route, actions: [], events };
  const isThere = reading.weight === aim.desired && reading.uniform;
  const lowers = reading.weight > aim.desired || !reading.uniform;
  const write: Action = { type: 'SetWeight', target, weight: aim.desired, rollbackOf };
  return { route, actions: isThere || (!lowers && !aim.mayRise) ? [] : [write], events };
}

/** Drift: it stood where we wanted it, and now it does not. */
function isDrift(
  known: RouteStatus | undefined,
  reading: { readonly weight: number },
  desired: number | undefined,
): boolean {
  return desired !== undefined && known?.weight === desired && reading.weight !== desired;
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
