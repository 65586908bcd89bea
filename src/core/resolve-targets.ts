/** Routes and flag of a spec as targets of a router, and who restarts with the flag. Everything is in the rollout's own namespace. */
import { routeApiVersion, routeKindNames } from '#api/kinds.ts';
import type { ResolveInput } from './resolve.ts';
import type { RouteTarget, RunRestart } from './run-spec.ts';

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
  const { configMap, key, format, flag } = featureFlag;
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

/** Kinds whose controllers replace pods when the template changes. */
const restarted: readonly string[] = ['Deployment', 'StatefulSet', 'DaemonSet'];

export function resolveRestarts(
  { namespace, spec }: ResolveInput,
  problems: string[],
): RunRestart[] {
  const { featureFlag } = spec.traffic;
  if (featureFlag === undefined) return [];
  const { configMap, key, flag } = featureFlag;
  const path = [configMap, key, ...(flag === undefined ? [] : [flag])].join('/');
  return featureFlag.restart.flatMap(({ kind, name }, index) => {
    if (restarted.includes(kind)) return [{ namespace, kind, name, flag: path }];
    problems.push(
      `spec.traffic.featureFlag.restart[${index}].kind: "${kind}" cannot be restarted; allowed are ${restarted.join(', ')}`,
    );
    return [];
  });
}
