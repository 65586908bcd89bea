/** Whether every gateway or mesh that a route names has taken up its present generation. */
import type { RouteProblem } from '#ports/traffic-router.ts';
import { routeReasons } from './reasons.ts';
import type { ParentRef, ParentStatus, RouteShape } from './route-shape.ts';

export interface Acceptance {
  readonly settled: boolean;
  readonly problems: readonly RouteProblem[];
}

/** Both are Core in the Gateway API; there is no condition that says the data plane has them. */
const REQUIRED_CONDITIONS = ['Accepted', 'ResolvedRefs'];

/**
 * A parent counts once one controller has both conditions true for this generation. Entries of
 * parents that the spec no longer names are left-overs and say nothing. While a controller is merely
 * late the route is unsettled without a problem, so that no status is written for half a second's wait.
 */
export function acceptanceOf(shape: RouteShape): Acceptance {
  if (shape.parentRefs.length === 0) {
    return {
      settled: true,
      problems: [
        {
          reason: routeReasons.noParents,
          message: 'spec.parentRefs is empty: no gateway or mesh serves this route',
          blocking: false,
        },
      ],
    };
  }
  const parents = shape.parentRefs.map((ref) => parentState(ref, shape));
  return {
    settled: parents.every((parent) => parent.settled),
    problems: parents.flatMap((parent) => parent.problems),
  };
}

function parentState(ref: ParentRef, shape: RouteShape): Acceptance {
  const name = `${ref.kind ?? 'Gateway'} ${ref.namespace ?? shape.namespace}/${ref.name}${ref.sectionName === undefined ? '' : ` section ${ref.sectionName}`}`;
  const key = parentKey(ref, shape.namespace);
  const answers = shape.parents.filter(
    (parent) => parentKey(parent.parentRef, shape.namespace) === key,
  );
  if (answers.length === 0) {
    return unsettled(`no controller has answered for ${name}`);
  }
  if (answers.some((parent) => isAccepted(parent, shape.generation))) {
    return { settled: true, problems: [] };
  }
  const refusal = answers.flatMap((parent) => refusalsOf(parent, shape.generation))[0];
  return refusal === undefined
    ? { settled: false, problems: [] }
    : unsettled(`${name}: ${refusal}`);
}

function unsettled(message: string): Acceptance {
  return {
    settled: false,
    problems: [{ reason: routeReasons.notAccepted, message, blocking: true }],
  };
}

function isAccepted(parent: ParentStatus, generation: number): boolean {
  return REQUIRED_CONDITIONS.every((type) =>
    currentConditions(parent, generation).some(
      (condition) => condition.type === type && condition.status === 'True',
    ),
  );
}

function refusalsOf(parent: ParentStatus, generation: number): string[] {
  return currentConditions(parent, generation)
    .filter((condition) => REQUIRED_CONDITIONS.includes(condition.type))
    .filter((condition) => condition.status !== 'True')
    .map(
      ({ type, status, reason, message }) =>
        `${type} is ${status} (${reason ?? 'no reason'}${message ? `: ${message}` : ''})`,
    );
}

function currentConditions(parent: ParentStatus, generation: number) {
  return (parent.conditions ?? []).filter(
    (condition) => (condition.observedGeneration ?? 0) >= generation,
  );
}

/** Controllers copy the reference as written, but the schema's defaults may stand in one place only. */
function parentKey(ref: ParentRef, namespace: string): string {
  return JSON.stringify([
    ref.group ?? 'gateway.networking.k8s.io',
    ref.kind ?? 'Gateway',
    ref.namespace ?? namespace,
    ref.name,
    ref.sectionName ?? '',
    ref.port ?? 0,
  ]);
}
