/** What every router has in common: where it reads, which of its writes insist, and how it lets go. */
import type { Cluster, KubeObject, Resource } from '#ports/cluster.ts';
import type { Logger } from '#ports/logger.ts';
import type {
  RouteReading,
  RouteTarget,
  RouteWrite,
  TrafficRouter,
} from '#ports/traffic-router.ts';
import {
  dropOwnership,
  type Outcome,
  type PatchTarget,
  type Plan,
  patchOnce,
  patchUntilItStands,
} from './writing.ts';

/** One kind of object as a place where traffic is split. All pure: an object goes in, words or a patch come out. */
export interface Splitter {
  reading(object: KubeObject, target: RouteTarget): RouteReading;
  /** Raising is guarded and may be refused; to 0 it is neither. */
  weights(
    object: KubeObject,
    target: RouteTarget,
    goal: { readonly weight: number; readonly rollbackOf: string | undefined },
  ): Plan;
  isolation(object: KubeObject, target: RouteTarget): Plan;
  /** Guarded: canary back with weight 0 where `isolation` took it from. */
  rejoining(object: KubeObject, target: RouteTarget): Plan;
  /** Guarded: the declared weights, and no annotation of ours. */
  declaration(object: KubeObject, target: RouteTarget, declared: number): Plan;
}

export interface RouterOptions {
  readonly cluster: Cluster;
  readonly logger: Logger;
  readonly resource: Resource;
  readonly splitter: Splitter;
}

export function createRouter({
  cluster,
  logger,
  resource,
  splitter,
}: RouterOptions): TrafficRouter {
  const patchTarget = (target: RouteTarget, signal: AbortSignal): PatchTarget => {
    const key = { namespace: target.namespace, name: target.name };
    return { cluster, logger, resource, key, signal };
  };
  const toWrite = (outcome: Outcome, target: RouteTarget): RouteWrite =>
    outcome.type === 'done'
      ? { type: 'written', reading: splitter.reading(outcome.object, target) }
      : outcome;
  // By the object as it is cached, so a reading lives as long as the state of the route that it was read from.
  const readings = new WeakMap<KubeObject, WeakMap<RouteTarget, RouteReading>>();
  const readOnce = (object: KubeObject, target: RouteTarget): RouteReading => {
    const ofObject = readings.get(object) ?? new WeakMap<RouteTarget, RouteReading>();
    const reading = ofObject.get(target) ?? splitter.reading(object, target);
    readings.set(object, ofObject.set(target, reading));
    return reading;
  };
  return {
    read(target) {
      const object = cluster.cached(resource, target);
      if (object !== undefined) return readOnce(object, target);
      const message = `${resource.kind} ${target.namespace}/${target.name} is not there`;
      return { type: 'missing', message };
    },
    async setWeight(target, weight, { signal, rollbackOf }) {
      const patch = weight === 0 ? patchUntilItStands : patchOnce;
      const plan = (object: KubeObject) => splitter.weights(object, target, { weight, rollbackOf });
      return toWrite(await patch(patchTarget(target, signal), plan), target);
    },
    async isolate(target, signal) {
      const plan = (object: KubeObject) => splitter.isolation(object, target);
      return toWrite(await patchUntilItStands(patchTarget(target, signal), plan), target);
    },
    async rejoin(target, signal) {
      const plan = (object: KubeObject) => splitter.rejoining(object, target);
      return toWrite(await patchOnce(patchTarget(target, signal), plan), target);
    },
    async release(target, declared, signal) {
      const plan = (object: KubeObject) => splitter.declaration(object, target, declared);
      const restored = await patchOnce(patchTarget(target, signal), plan);
      if (restored.type !== 'done') return restored;
      return toWrite(await dropOwnership(patchTarget(target, signal)), target);
    },
  };
}
