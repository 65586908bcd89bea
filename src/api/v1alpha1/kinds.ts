/** The kinds of route that are known by name. Each has one fixed apiVersion; any other kind must say its own. */
import type { ResourceDescriptor } from './names.ts';

export interface RouteKind extends ResourceDescriptor {
  /** Where the weight stands, for the reference. */
  readonly weightField: string;
  /** Whether `generate` can make one. */
  readonly generated: boolean;
}

const gateway = { group: 'gateway.networking.k8s.io', version: 'v1', namespaced: true } as const;
const gatewayWeight = 'spec.rules[].backendRefs[].weight';
const traefik = {
  group: 'traefik.io',
  version: 'v1alpha1',
  namespaced: true,
  generated: false,
} as const;
const nginx = {
  group: 'k8s.nginx.org',
  version: 'v1',
  namespaced: true,
  generated: false,
} as const;

export const routeKinds = {
  HTTPRoute: {
    ...gateway,
    kind: 'HTTPRoute',
    plural: 'httproutes',
    weightField: gatewayWeight,
    generated: true,
  },
  GRPCRoute: {
    ...gateway,
    kind: 'GRPCRoute',
    plural: 'grpcroutes',
    weightField: gatewayWeight,
    generated: true,
  },
  TCPRoute: {
    ...gateway,
    kind: 'TCPRoute',
    plural: 'tcproutes',
    weightField: gatewayWeight,
    generated: false,
  },
  TLSRoute: {
    ...gateway,
    kind: 'TLSRoute',
    plural: 'tlsroutes',
    weightField: gatewayWeight,
    generated: false,
  },
  UDPRoute: {
    ...gateway,
    kind: 'UDPRoute',
    plural: 'udproutes',
    weightField: gatewayWeight,
    generated: false,
  },
  VirtualService: {
    group: 'networking.istio.io',
    version: 'v1',
    kind: 'VirtualService',
    plural: 'virtualservices',
    namespaced: true,
    weightField: 'spec.http[].route[].weight',
    generated: false,
  },
  TraefikService: {
    ...traefik,
    kind: 'TraefikService',
    plural: 'traefikservices',
    weightField: 'spec.weighted.services[].weight',
  },
  IngressRoute: {
    ...traefik,
    kind: 'IngressRoute',
    plural: 'ingressroutes',
    weightField: 'spec.routes[].services[].weight',
  },
  IngressRouteTCP: {
    ...traefik,
    kind: 'IngressRouteTCP',
    plural: 'ingressroutetcps',
    weightField: 'spec.routes[].services[].weight',
  },
  HTTPProxy: {
    group: 'projectcontour.io',
    version: 'v1',
    kind: 'HTTPProxy',
    plural: 'httpproxies',
    namespaced: true,
    weightField: 'spec.routes[].services[].weight',
    generated: false,
  },
  VirtualServer: {
    ...nginx,
    kind: 'VirtualServer',
    plural: 'virtualservers',
    weightField: 'spec.routes[].splits[].weight',
  },
  VirtualServerRoute: {
    ...nginx,
    kind: 'VirtualServerRoute',
    plural: 'virtualserverroutes',
    weightField: 'spec.subroutes[].splits[].weight',
  },
  Ingress: {
    group: 'networking.k8s.io',
    version: 'v1',
    kind: 'Ingress',
    plural: 'ingresses',
    namespaced: true,
    weightField: 'metadata.annotations[nginx.ingress.kubernetes.io/canary-weight]',
    generated: false,
  },
  MeshHTTPRoute: {
    group: 'kuma.io',
    version: 'v1alpha1',
    kind: 'MeshHTTPRoute',
    plural: 'meshhttproutes',
    namespaced: true,
    weightField: 'spec.to[].rules[].default.backendRefs[].weight',
    generated: false,
  },
  ApisixRoute: {
    group: 'apisix.apache.org',
    version: 'v2',
    kind: 'ApisixRoute',
    plural: 'apisixroutes',
    namespaced: true,
    weightField: 'spec.http[].backends[].weight',
    generated: false,
  },
} as const satisfies Record<string, RouteKind>;

export type KnownRouteKind = keyof typeof routeKinds;

export const routeKindNames = Object.keys(routeKinds) as readonly KnownRouteKind[];

export function routeKind(kind: string): RouteKind | undefined {
  return isKnownRouteKind(kind) ? routeKinds[kind] : undefined;
}

export function isKnownRouteKind(kind: string): kind is KnownRouteKind {
  return Object.hasOwn(routeKinds, kind);
}

/** `group/version` of a known kind, else what the route itself says. */
export function routeApiVersion(route: {
  readonly kind: string;
  readonly apiVersion?: string | undefined;
}): string {
  const known = routeKind(route.kind);
  return known === undefined ? (route.apiVersion ?? '') : apiVersionOf(known);
}

export function apiVersionOf(resource: Pick<ResourceDescriptor, 'group' | 'version'>): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}
