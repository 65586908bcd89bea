/** One route or flag of a virtual cluster: how it is read, and what a write makes of it. */
import type { Action } from '#core/decision.ts';
import type { RouteProblem, RouteReading } from '#core/route-reading.ts';
import type { RouteTarget } from '#core/run-spec.ts';

export interface VirtualRoute {
  readonly name: string;
  mode: 'read' | 'missing' | 'refused';
  /** Share of the Service that was canary when the world was made. */
  weight: number;
  uniform: boolean;
  settled: boolean;
  writtenBy: string;
  owned: boolean;
  mark: string | undefined;
  isolated: boolean;
  problems: readonly RouteProblem[];
  resourceVersion: number;
}

export type RouteAction = Extract<Action, { readonly target: RouteTarget }>;

export function virtualRoute(name: string, given: Partial<VirtualRoute>): VirtualRoute {
  return {
    name,
    mode: 'read',
    weight: 0,
    uniform: true,
    settled: true,
    writtenBy: 'kubectl',
    owned: false,
    mark: undefined,
    isolated: false,
    problems: [],
    resourceVersion: 1,
    ...given,
  };
}

/** Blue and green may change roles: then canary's share is the other Service's. */
export function readVirtualRoute(route: VirtualRoute, isSwapped: boolean): RouteReading {
  const { name, mode, uniform, settled, writtenBy, owned, mark, problems } = route;
  if (mode === 'missing') return { type: 'missing', message: `${name} is not there` };
  if (mode === 'refused') {
    return { type: 'refused', reason: 'ThirdBackend', message: `${name} is refused` };
  }
  return {
    type: 'read',
    weight: shareOf(route.weight, isSwapped),
    uniform,
    settled,
    writtenBy,
    owned,
    rolledBackRun: mark,
    isolated: route.isolated,
    resourceVersion: String(route.resourceVersion),
    problems: route.isolated ? [...problems, isolatedProblem(name)] : problems,
  };
}

/**
 * As the real router has it: a raise is guarded by resourceVersion, lowering to 0 never is.
 *
 * @param seen what the decision was made from
 * @returns the weight written, where one was
 */
export function writeVirtualRoute(
  route: VirtualRoute,
  action: RouteAction,
  seen: RouteReading | undefined,
  isSwapped: boolean,
): number | undefined {
  const isStale = seen?.type !== 'read' || seen.resourceVersion !== String(route.resourceVersion);
  const isRise = action.type === 'SetWeight' && action.weight > 0;
  if ((isStale || route.isolated) && isRise) return undefined;
  if (isStale && action.type === 'Rejoin') return undefined;
  route.resourceVersion += 1;
  if (action.type === 'Isolate') {
    Object.assign(route, { weight: 0, uniform: true, isolated: true, owned: true });
    // Who is pinned to a backend that is gone is let go.
    route.problems = route.problems.filter(({ reason }) => reason !== 'SessionPersistence');
    return undefined;
  }
  if (action.type === 'Rejoin') {
    route.isolated = false;
    return undefined;
  }
  if (action.type === 'Release') {
    route.owned = false;
    route.mark = undefined;
    route.isolated = false;
    route.weight = shareOf(action.declared, isSwapped);
    return undefined;
  }
  const isMoving = shareOf(route.weight, isSwapped) !== action.weight || !route.uniform;
  route.weight = shareOf(action.weight, isSwapped);
  if (action.rollbackOf !== undefined) route.mark = action.rollbackOf;
  else if (isMoving) route.mark = undefined;
  if (!isMoving) return undefined;
  Object.assign(route, { owned: true, writtenBy: 'genesis', uniform: true });
  return action.weight;
}

function isolatedProblem(name: string): RouteProblem {
  return { reason: 'Isolated', message: `${name}: a rollback has removed canary`, blocking: true };
}

function shareOf(weight: number, isSwapped: boolean): number {
  return isSwapped ? 100 - weight : weight;
}
