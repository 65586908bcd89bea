/** The objects on which the contract of traffic routers is tried, with all that a router must leave alone. */
import type { KubeObject, ObjectKey, Resource } from '#ports/cluster.ts';
import type { RouteTarget } from '#ports/traffic-router.ts';
import { routeResources } from '#routers/index.ts';
import type { RouterSubject } from './traffic-router.contract.ts';

const stable = { service: 'shop-stable', port: 80 };
const canary = { service: 'shop-canary', port: 80 };

function resourceNamed(kind: string): Resource {
  const resource = routeResources.find((one) => one.kind === kind);
  if (resource === undefined) throw new Error(`no router serves ${kind}`);
  return resource;
}

function routeTarget(kind: string, key: ObjectKey): RouteTarget {
  const apiVersion = 'gateway.networking.k8s.io/v1';
  return { ...key, kind, apiVersion, stable, canary, flag: undefined };
}

function header(name: string) {
  return {
    requestHeaderModifier: { set: [{ name, value: 'yes' }] },
    type: 'RequestHeaderModifier',
  };
}

/** Two rules are split; one belongs to stable alone, one to a mirror, and one to somebody else. */
function httpRules(weight: number): object[] {
  const split = [
    { name: stable.service, port: 80, weight: 100 - weight, filters: [header('x-arm-stable')] },
    { name: canary.service, port: 80, weight, filters: [header('x-arm-canary')] },
  ];
  const mirror = {
    requestMirror: { backendRef: { name: canary.service, port: 80 } },
    type: 'RequestMirror',
  };
  return [
    {
      matches: [{ path: { type: 'PathPrefix', value: '/admin' } }],
      backendRefs: [{ name: stable.service, port: 80 }],
    },
    {
      matches: [{ path: { type: 'PathPrefix', value: '/api' } }],
      backendRefs: split,
      timeouts: { request: '10s' },
    },
    {
      matches: [{ path: { type: 'Exact', value: '/old' } }],
      filters: [mirror],
      backendRefs: [{ name: 'legacy', port: 80, weight: 3 }],
    },
    { matches: [{ path: { type: 'PathPrefix', value: '/' } }], backendRefs: split.toReversed() },
  ];
}

function grpcRules(weight: number): object[] {
  return [
    {
      matches: [{ method: { service: 'shop.Cart', type: 'Exact' } }],
      backendRefs: [
        { name: canary.service, port: 80, weight },
        { name: stable.service, port: 80, weight: 100 - weight },
      ],
    },
    {
      matches: [{ method: { service: 'shop.Admin', type: 'Exact' } }],
      backendRefs: [{ name: stable.service, port: 80, weight: 5 }],
    },
  ];
}

function routeSubject(kind: string, rulesFor: (weight: number) => object[]): RouterSubject {
  return {
    name: kind,
    resource: resourceNamed(kind),
    isolationIsWeightZero: false,
    manifest: (key, weight) => ({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind,
      metadata: {
        ...key,
        labels: { team: 'shop' },
        annotations: { 'example.com/note': 'keep me' },
      },
      spec: {
        hostnames: ['shop.example.com'],
        parentRefs: [{ name: 'public', sectionName: 'https' }],
        rules: rulesFor(weight),
      },
    }),
    target: (key) => routeTarget(kind, key),
    withoutWeights: (object) =>
      [object['spec'], object.metadata.labels, object.metadata.annotations].map(blotWeights),
    reachesCanary: (object) =>
      backendsOf(object).some((ref) => ref.name === canary.service && ref.weight > 0),
  };
}

/** Of the rules that are split; the one of somebody else keeps its weight. */
function blotWeights(value: unknown): unknown {
  const text = JSON.stringify(value, (_key, inner: unknown) => {
    const isOurs = isBackend(inner) && [stable.service, canary.service].includes(inner.name);
    return isOurs ? { ...inner, weight: 'blotted' } : inner;
  });
  return JSON.parse(text);
}

function backendsOf(object: KubeObject): { name: string; weight: number }[] {
  const found: { name: string; weight: number }[] = [];
  JSON.stringify(object['spec'], (_key, inner: unknown) => {
    if (isBackend(inner)) found.push(inner);
    return inner;
  });
  return found;
}

function isBackend(value: unknown): value is { name: string; weight: number } {
  return typeof value === 'object' && value !== null && 'name' in value && 'weight' in value;
}

const notes = '# written by hand\nkey = value\n';

/** Spaces, comments' worth of oddities and escapes that a rewrite would lose. */
function flagdText(weight: number): string {
  return `{
   "$schema": "https://flagd.dev/schema/v0/flags.json",
   "flags": {
      "other": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off", "targeting": {"fractional": [["on", 5], ["off", 95]]}},
      "new\\u002dcart": {
         "state":"ENABLED", "variants":{ "on" : true, "off":false },
         "defaultVariant": "off",
         "targeting": { "if": [ {"ends_with": [{"var":"email"}, "@example.com"]}, "on",
             { "fractional": [ {"cat": [{"var": "$flagd.flagKey"}, {"var": "userId"}]}, [ "on", ${weight} ], ["off",${100 - weight}] ] } ] },
         "metadata": {"big": 1e3, "float": 1.0}
      }
   }
}
`;
}

function flagSubject(format: 'Percent' | 'Flagd'): RouterSubject {
  const key = format === 'Percent' ? 'rollout/percent' : 'flags.json';
  const dataKey = format === 'Percent' ? 'cart_percent' : key;
  const textFor = (weight: number) => (format === 'Percent' ? `${weight}\n` : flagdText(weight));
  const flag = { key: dataKey, format, flag: format === 'Flagd' ? 'new-cart' : undefined };
  const dataOf = (object: KubeObject) => Object.entries(object['data'] ?? {});
  return {
    name: `ConfigMap as ${format}`,
    resource: resourceNamed('ConfigMap'),
    isolationIsWeightZero: true,
    manifest: (at, weight) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { ...at, labels: { team: 'shop' } },
      data: { [dataKey]: textFor(weight), 'notes.txt': notes, 'rollout.percent': '77' },
    }),
    target: (at) => ({
      ...at,
      kind: 'ConfigMap',
      apiVersion: 'v1',
      stable: undefined,
      canary: undefined,
      flag,
    }),
    withoutWeights: (object) => [
      object.metadata.labels,
      dataOf(object).map(([name, text]) =>
        name === dataKey ? [name, blotNumbers(String(text))] : [name, text],
      ),
    ],
    reachesCanary: (object) => {
      const text = String(dataOf(object).find(([name]) => name === dataKey)?.[1]);
      return text !== textFor(0);
    },
  };
}

/** The two numbers of our flag's buckets, or the percentage. */
function blotNumbers(text: string): string {
  if (!text.includes('"flags"')) return text.replace(/\d+/, '#');
  return text.replace(/\[ "on", \d+ \], \["off",\d+\]/, '#');
}

export const routerSubjects: readonly RouterSubject[] = [
  routeSubject('HTTPRoute', httpRules),
  routeSubject('GRPCRoute', grpcRules),
  flagSubject('Percent'),
  flagSubject('Flagd'),
];
