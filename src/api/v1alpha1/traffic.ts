/** `spec.workload` and `spec.traffic`: whom traffic is split between, and where the weight is written. */
import { z } from 'zod';
import { isKnownRouteKind, routeApiVersion, routeKindNames, routeKinds } from './kinds.ts';
import { limits } from './limits.ts';
import { atomicList, foreign, keyedList, name, objectName, port, text } from './scalars.ts';
import { celList, celString, type Finding, type Plain, twins, withTwins } from './twin.ts';

export const workloadSchema = z
  .object({
    kind: z.enum(['Deployment']).describe('The kind of the workload.'),
    name: z
      .string()
      .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
      .min(1)
      .max(limits.workloadNameLengthMax)
      .describe('Its name: `<name>-stable` and `<name>-canary` are made from it.'),
  })
  .describe(
    'The Deployment that is rolled out: it is the canary, and the operator keeps a stable copy of it. Immutable. Without it only traffic is moved.',
  );

const backendSchema = z.object({
  service: name('The name of the Service.'),
  port: port('The port of the Service.'),
});

const parentRefSchema = z.object({
  group: text('The group of the parent.', 253).optional(),
  kind: text('The kind of the parent.', 63).optional(),
  namespace: objectName('The namespace of the parent.').optional(),
  name: objectName('The name of the Gateway (or, for a mesh, of the Service).'),
  sectionName: text('The listener of the parent.', 253).optional(),
  port: port('The port of the parent.').optional(),
});

const generateSchema = z
  .object({
    parentRefs: atomicList(parentRefSchema, limits.parentRefsMax, 1).describe(
      'The Gateways the route is attached to.',
    ),
    hostnames: atomicList(text('A host name.', 253), limits.hostnamesMax)
      .describe('The host names it answers for.')
      .default([]),
    matches: atomicList(foreign('A match as the Gateway API has it.'), limits.matchesMax)
      .describe('Which requests it takes, as in the Gateway API. Without it: all.')
      .optional(),
  })
  .describe(
    'Has the operator create and own the route: the surest way under GitOps. For HTTPRoute and GRPCRoute.',
  );

const routeObject = z.object({
  kind: text(
    'HTTPRoute, GRPCRoute, VirtualService, TraefikService, IngressRoute, HTTPProxy, VirtualServer, Ingress …',
    63,
  ),
  name: objectName('The name of the route, in the namespace of the rollout.'),
  apiVersion: text('Only for kinds that are not in the table of known kinds.', 253).optional(),
  generate: generateSchema.optional(),
});

export type Route = Plain<z.output<typeof routeObject>>;

const knownApiVersions = routeKindNames
  .map((kind) => `${celString(kind)}: ${celString(routeApiVersion({ kind }))}`)
  .join(', ');
const generatedKinds = routeKindNames.filter((kind) => routeKinds[kind].generated);

export const routeTwins = twins<Route>(
  {
    name: 'route-kind-known',
    cel: {
      rule: `has(self.apiVersion) || self.kind in ${celList(routeKindNames)}`,
      message: `a kind that is not known needs apiVersion; known are ${routeKindNames.join(', ')}`,
      messageExpression: `'kind "' + self.kind + '" is not known and needs apiVersion; known are ${routeKindNames.join(', ')}'`,
      fieldPath: '.kind',
    },
    check: (route) =>
      route.apiVersion !== undefined || isKnownRouteKind(route.kind)
        ? []
        : [
            {
              path: ['kind'],
              message: `kind ${JSON.stringify(route.kind)} is not known and needs apiVersion; known are ${routeKindNames.join(', ')}`,
            },
          ],
  },
  {
    name: 'route-api-version-fixed',
    cel: {
      rule: `!has(self.apiVersion) || !(self.kind in {${knownApiVersions}}) || {${knownApiVersions}}[self.kind] == self.apiVersion`,
      message: 'each known kind has one fixed apiVersion; leave apiVersion out',
      messageExpression: `'apiVersion of kind ' + self.kind + ' is ' + {${knownApiVersions}}[self.kind] + ', not "' + self.apiVersion + '"; leave it out'`,
      fieldPath: '.apiVersion',
    },
    check: (route) => {
      if (route.apiVersion === undefined || !isKnownRouteKind(route.kind)) return [];
      const fixed = routeApiVersion(route);
      if (route.apiVersion === fixed) return [];
      const message = `apiVersion of kind ${route.kind} is ${fixed}, not ${JSON.stringify(route.apiVersion)}; leave it out`;
      return [{ path: ['apiVersion'], message }];
    },
  },
  {
    name: 'generate-gateway-routes-only',
    cel: {
      rule: `!has(self.generate) || self.kind in ${celList(generatedKinds)}`,
      message: `generate is for ${generatedKinds.join(' and ')} only`,
      messageExpression: `'generate is for ${generatedKinds.join(' and ')} only, not for "' + self.kind + '"'`,
      fieldPath: '.generate',
    },
    check: (route) =>
      route.generate === undefined || generatedKinds.some((kind) => kind === route.kind)
        ? []
        : [
            {
              path: ['generate'],
              message: `generate is for ${generatedKinds.join(' and ')} only, not for ${JSON.stringify(route.kind)}`,
            },
          ],
  },
);

const restartSchema = z.object({
  kind: z.enum(['Deployment', 'StatefulSet', 'DaemonSet']).describe('The kind of the workload.'),
  name: objectName('Its name.'),
});

const featureFlagObject = z.object({
  configMap: objectName('The ConfigMap that holds the flag.'),
  key: z
    .string()
    .regex(/^[-._a-zA-Z0-9]+$/)
    .max(253)
    .describe('The key within it.'),
  format: z
    .enum(['Percent', 'Flagd'])
    .describe(
      '`Percent`: the value is the number. `Flagd`: the value is a flagd document whose `flag` gets fractional weights.',
    ),
  flag: text('The flag within a flagd document.', 253).optional(),
  restart: keyedList(restartSchema, ['kind', 'name'], limits.restartsMax)
    .describe(
      'Workloads that read the flag only at their start, and are restarted after each change, by the annotation `genesis.dev/flag-weights` on their pod template. A step begins when their pods are replaced.',
    )
    .default([]),
});

export type FeatureFlag = Plain<z.output<typeof featureFlagObject>>;

export const featureFlagTwins = twins<FeatureFlag>({
  name: 'flag-names-its-flag',
  cel: {
    rule: "(self.format == 'Flagd') == has(self.flag)",
    message: 'format Flagd needs flag, the name of the flag; format Percent has none',
    messageExpression:
      "'format ' + self.format + (self.format == 'Flagd' ? ' needs flag, the name of the flag' : ' has no flag: leave flag out')",
  },
  check: ({ format, flag }) => {
    if ((format === 'Flagd') === (flag !== undefined)) return [];
    const message = `format ${format} ${format === 'Flagd' ? 'needs flag, the name of the flag' : 'has no flag: leave flag out'}`;
    return [{ path: ['flag'], message }];
  },
});

const trafficObject = z
  .object({
    stable: backendSchema
      .describe('The version that serves now. With `workload`: `<name>-stable`.')
      .optional(),
    canary: backendSchema.describe('The new version. With `workload`: `<name>-canary`.').optional(),
    routes: keyedList(withTwins(routeObject, routeTwins), ['kind', 'name'], limits.routesMax)
      .describe('The routes that split traffic between the two. All move together.')
      .default([]),
    featureFlag: withTwins(featureFlagObject, featureFlagTwins)
      .describe('The same weight as a percentage of a feature flag. Routes, a flag, or both.')
      .optional(),
  })
  .describe('Whom traffic is split between, and where the weight is written.');

export type Traffic = Plain<z.output<typeof trafficObject>>;
export type Backend = NonNullable<Traffic['stable']>;

export const trafficTwins = twins<Traffic>(
  {
    name: 'traffic-goes-somewhere',
    cel: {
      rule: 'has(self.routes) && size(self.routes) > 0 || has(self.featureFlag)',
      message:
        'traffic needs at least one entry in routes, or a featureFlag, or both; it has neither',
    },
    check: ({ routes, featureFlag }) =>
      routes.length > 0 || featureFlag !== undefined
        ? []
        : [
            {
              path: [],
              message:
                'traffic needs at least one entry in routes, or a featureFlag, or both; it has neither',
            },
          ],
  },
  {
    name: 'two-services',
    cel: {
      rule: '!has(self.stable) || !has(self.canary) || self.stable.service != self.canary.service',
      message: 'stable and canary must be two Services',
      messageExpression:
        "'stable and canary must be two Services; both are \"' + self.stable.service + '\"'",
      fieldPath: '.canary.service',
    },
    check: ({ stable, canary }): Finding[] =>
      stable === undefined || canary === undefined || stable.service !== canary.service
        ? []
        : [
            {
              path: ['canary', 'service'],
              message: `stable and canary must be two Services; both are ${JSON.stringify(canary.service)}`,
            },
          ],
  },
);

export const trafficSchema = withTwins(trafficObject, trafficTwins);
