/**
 * HTTPRoute and GRPCRoute: canary's share in every rule whose backendRefs name both Services, and in
 * no other rule. `rules` and `backendRefs` are atomic lists, so weights are written by JSON patch: an
 * apply would take the whole of `rules`, and its release would delete backends.
 */
import type { KubeObject } from '#ports/cluster.ts';
import type { RouteReading, RouteTarget } from '#ports/traffic-router.ts';
import { acceptanceOf } from './acceptance.ts';
import {
  declaredPlan,
  isIsolated,
  isolatePlan,
  isUnreached,
  noSplit,
  type PlanInput,
  rejoinPlan,
  weightPlan,
} from './gateway-plan.ts';
import { findSplits, sharesOf, splitProblems } from './gateway-rules.ts';
import { rolledBackRunOf } from './marks.ts';
import { isOwned, lastWriter } from './ownership.ts';
import { routeReasons } from './reasons.ts';
import { parseRoute } from './route-shape.ts';
import type { Splitter } from './router.ts';
import { percentOf } from './shares.ts';
import type { Plan, Refusal } from './writing.ts';

/** `rules` is atomic, so whoever changed a weight owns the whole list. */
const WEIGHTS_OWNER = ['f:spec', 'f:rules'];

export const gatewayApiSplitter: Splitter = {
  reading: readRoute,
  weights: (object, target, { weight, rollbackOf }) =>
    planned(object, target, (input) =>
      weightPlan(input, weight, { rollbackOf, writer: lastWriter(object, WEIGHTS_OWNER) }),
    ),
  isolation: (object, target) => planned(object, target, isolatePlan),
  rejoining: (object, target) => planned(object, target, rejoinPlan),
  declaration: (object, target, declared) =>
    planned(object, target, (input) => declaredPlan(input, declared)),
};

/** What the object says of this target: canary's share over all rules that name both Services. */
function readRoute(object: KubeObject, target: RouteTarget): RouteReading {
  const input = inputOf(object, target);
  if ('type' in input) return input;
  const splits = findSplits(input.shape, input.pair);
  const problems = splitProblems(splits);
  if (splits.both.length === 0) {
    const why = noSplit(input, splits);
    if (!isUnreached(input, splits)) return { type: 'refused', ...why };
    problems.push({ ...why, blocking: true });
  }
  const percents = splits.both.map((split) => percentOf(sharesOf(split)));
  const acceptance = acceptanceOf(input.shape);
  return {
    type: 'read',
    weight: Math.max(0, ...percents),
    uniform: new Set(percents).size <= 1,
    settled: acceptance.settled,
    writtenBy: lastWriter(object, WEIGHTS_OWNER),
    owned: isOwned(object),
    rolledBackRun: rolledBackRunOf(object, input.pair.canary),
    isolated: isIsolated(input, splits),
    resourceVersion: object.metadata.resourceVersion ?? '',
    problems: [...problems, ...acceptance.problems],
  };
}

function planned(object: KubeObject, target: RouteTarget, plan: (input: PlanInput) => Plan): Plan {
  const input = inputOf(object, target);
  return 'type' in input ? input : plan(input);
}

function inputOf(object: KubeObject, { stable, canary }: RouteTarget): PlanInput | Refusal {
  const name = `${object.kind} ${object.metadata.namespace}/${object.metadata.name}`;
  if (stable === undefined || canary === undefined) {
    const message = `${name} needs traffic.stable and traffic.canary`;
    return { type: 'refused', reason: routeReasons.invalidTarget, message };
  }
  const shape = parseRoute(object);
  if (typeof shape === 'string') {
    return { type: 'refused', reason: routeReasons.malformed, message: `${name}: ${shape}` };
  }
  return { object, shape, pair: { stable: stable.service, canary: canary.service } };
}
