/**
 * HTTPRoute and GRPCRoute: canary's share in every rule whose backendRefs name both Services, and in
 * no other rule. `rules` and `backendRefs` are atomic lists, so weights are written by JSON patch: an
 * apply would take the whole of `rules`, and its release would delete backends.
 */
import type { Cluster, KubeObject, Resource } from '#ports/cluster.ts';
import type {
  RouteReading,
  RouteTarget,
  RouteWrite,
  TrafficRouter,
} from '#ports/traffic-router.ts';
import { acceptanceOf } from './acceptance.ts';
import {
  declaredPlan,
  isolatePlan,
  isUnreached,
  noSplit,
  type PlanInput,
  weightPlan,
} from './gateway-plan.ts';
import { lastWriter } from './ownership.ts';
import { routeReasons } from './reasons.ts';
import { parseRoute } from './route-shape.ts';
import { findSplits, percentOf, splitProblems } from './split.ts';
import {
  dropOwnership,
  type Outcome,
  type PatchTarget,
  type Plan,
  patchOnce,
  patchUntilItStands,
} from './writing.ts';

export interface GatewayApiOptions {
  readonly cluster: Cluster;
  readonly resource: Resource;
  readonly fieldManager: string;
}

/** `rules` is atomic, so whoever changed a weight owns the whole list. */
const WEIGHTS_OWNER = ['f:spec', 'f:rules'];

export function createGatewayApiRouter(options: GatewayApiOptions): TrafficRouter {
  const { cluster, resource, fieldManager } = options;
  const patchTarget = (target: RouteTarget, signal: AbortSignal): PatchTarget => ({
    cluster,
    resource,
    key: { namespace: target.namespace, name: target.name },
    fieldManager,
    signal,
  });
  return {
    read(target) {
      const object = cluster.cached(resource, target);
      if (object !== undefined) return readRoute(object, target);
      const message = `${target.kind} ${target.namespace}/${target.name} is not there`;
      return { type: 'missing', message };
    },
    async setWeight(target, weight, signal) {
      const patch = weight === 0 ? patchUntilItStands : patchOnce;
      const plan = planWith(target, (input) => weightPlan(input, weight));
      return toWrite(await patch(patchTarget(target, signal), plan), target);
    },
    async isolate(target, signal) {
      const plan = planWith(target, isolatePlan);
      return toWrite(await patchUntilItStands(patchTarget(target, signal), plan), target);
    },
    async release(target, declared, signal) {
      const plan = planWith(target, (input) => declaredPlan(input, declared));
      const restored = await patchOnce(patchTarget(target, signal), plan);
      if (restored.type !== 'done') return restored;
      return toWrite(await dropOwnership(patchTarget(target, signal)), target);
    },
  };
}

function toWrite(outcome: Outcome, target: RouteTarget): RouteWrite {
  if (outcome.type !== 'done') return outcome;
  return { type: 'written', reading: readRoute(outcome.object, target) };
}

/** Reads the object afresh for each plan: the live one may differ from the cached one. */
function planWith(target: RouteTarget, plan: (input: PlanInput) => Plan) {
  return (object: KubeObject): Plan => {
    const input = inputOf(object, target);
    return 'reason' in input ? { type: 'refused', ...input } : plan(input);
  };
}

function inputOf(
  object: KubeObject,
  { stable, canary }: RouteTarget,
): PlanInput | { readonly reason: string; readonly message: string } {
  const name = `${object.kind} ${object.metadata.namespace}/${object.metadata.name}`;
  if (stable === undefined || canary === undefined) {
    const message = `${name} needs traffic.stable and traffic.canary`;
    return { reason: routeReasons.invalidTarget, message };
  }
  const shape = parseRoute(object);
  if (typeof shape === 'string') {
    return { reason: routeReasons.malformed, message: `${name}: ${shape}` };
  }
  return { object, shape, pair: { stable: stable.service, canary: canary.service } };
}

/** What the object says of this target: canary's share over all rules that name both Services. */
function readRoute(object: KubeObject, target: RouteTarget): RouteReading {
  const input = inputOf(object, target);
  if ('reason' in input) return { type: 'refused', ...input };
  const splits = findSplits(input.shape, input.pair);
  const problems = splitProblems(splits);
  if (splits.both.length === 0) {
    const why = noSplit(input, splits);
    if (!isUnreached(input, splits)) return { type: 'refused', ...why };
    problems.push({ ...why, blocking: true });
  }
  const percents = splits.both.map(percentOf);
  const acceptance = acceptanceOf(input.shape);
  return {
    type: 'read',
    weight: Math.max(0, ...percents),
    uniform: new Set(percents).size <= 1,
    settled: acceptance.settled,
    writtenBy: lastWriter(object, WEIGHTS_OWNER),
    resourceVersion: object.metadata.resourceVersion ?? '',
    problems: [...problems, ...acceptance.problems],
  };
}
