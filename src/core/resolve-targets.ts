/** Routes and flag of a spec as targets of a router. Everything a rollout names is in its own namespace. */
import { routeApiVersion, routeKindNames } from '#api/kinds.ts';
import type { ResolveInput } from './resolve.ts';
import type { RouteTarget } from './run-spec.ts';

/** Kinds that this version can steer. */
const steered = ['HTTPRoute', 'GRPCRoute'];

export function resolveTargets(input: ResolveInput, problems: string[]): RouteTarget[] {
  const { namespace, spec } = input;
  const { stable, canary, routes, featureFlag } = spec.traffic;
  const targets = routes.flatMap((route, index): RouteTarget[] => {
    if (!steered.includes(route.kind)) {
      const known = routeKindNames.some((kind) => kind === route.kind);
      const why = known ? 'is not steered by this version' : 'is not known';
      problems.push(
        `spec.traffic.routes[${index}].kind: "${route.kind}" ${why}; steered are ${steered.join(', ')}`,
      );
      return [];
    }
    const apiVersion = route.apiVersion ?? routeApiVersion(route) ?? '';
    return [
      {
        namespace,
        name: route.name,
        kind: route.kind,
        apiVersion,
        stable,
        canary,
        flag: undefined,
      },
    ];
  });
  if (featureFlag === undefined) return targets;
  const { configMap, key, format, flag, restart } = featureFlag;
  if ((restart ?? []).length > 0) {
    problems.push(
      'spec.traffic.featureFlag.restart: restarting workloads is not carried out by this version; leave it out',
    );
  }
  return [
    ...targets,
    {
      namespace,
      name: configMap,
      kind: 'ConfigMap',
      apiVersion: 'v1',
      stable: undefined,
      canary: undefined,
      flag: { key, format, flag },
    },
  ];
}
