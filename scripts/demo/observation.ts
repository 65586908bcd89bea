/** What the demo saw, with the time at which it saw it: the answers that customers got, the weights on the route, the rollout's status. */
import type { RolloutStatus } from '#api/status.ts';
import type { KubeObject } from '#scripts/testbed/index.ts';

/** One request of the load generator. Times are ms since the epoch. */
export interface Response {
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
  /** Undefined where nobody answered. */
  readonly version: string | undefined;
  /** 0 where nobody answered. */
  readonly status: number;
}

export interface SeenWeight {
  readonly seenAtMs: number;
  /** Share of the backend named, in percent. */
  readonly weight: number;
}

export interface SeenStatus {
  readonly seenAtMs: number;
  readonly status: RolloutStatus;
}

/** All that belongs to one run. */
export interface Observation {
  /** The version rolled out, as its answers name it. */
  readonly version: string;
  readonly responses: readonly Response[];
  readonly weights: readonly SeenWeight[];
  readonly statuses: readonly SeenStatus[];
  /** When the version was told to fail; undefined where it never was. */
  readonly faultAtMs: number | undefined;
}

/** Canary's share as the route object says it, in percent; undefined if no rule names both. */
export function weightOn(route: KubeObject, stable: string, canary: string): number | undefined {
  const { rules = [] } = (route['spec'] ?? {}) as { rules?: readonly RouteRule[] };
  for (const { backendRefs = [] } of rules) {
    const weightOf = (service: string) => {
      const found = backendRefs.find(({ name }) => name === service);
      return found === undefined ? undefined : (found.weight ?? 1);
    };
    const [ofStable, ofCanary] = [weightOf(stable), weightOf(canary)];
    if (ofStable === undefined || ofCanary === undefined) continue;
    const sum = ofStable + ofCanary;
    return sum === 0 ? 0 : (100 * ofCanary) / sum;
  }
  return undefined;
}

interface RouteRule {
  readonly backendRefs?: readonly { readonly name: string; readonly weight?: number }[];
}

export interface Share {
  readonly requests: number;
  readonly canary: number;
  /** Canary's share of the answers, in percent; undefined without answers. */
  readonly percent: number | undefined;
  /** Answers with a status of 500 and above, and requests without an answer. */
  readonly failed: number;
}

/** What customers got who asked in [fromMs, toMs). */
export function shareBetween(
  responses: readonly Response[],
  version: string,
  fromMs: number,
  toMs: number,
): Share {
  let requests = 0;
  let canary = 0;
  let answered = 0;
  let failed = 0;
  for (const response of responses) {
    if (response.sentAtMs < fromMs || response.sentAtMs >= toMs) continue;
    requests += 1;
    if (response.version !== undefined) answered += 1;
    if (response.version === version) canary += 1;
    if (response.status === 0 || response.status >= 500) failed += 1;
  }
  return {
    requests,
    canary,
    failed,
    percent: answered === 0 ? undefined : (100 * canary) / answered,
  };
}

/** Failed answers by what was wrong with them, such as `status 503`. */
export function failuresOf(responses: readonly Response[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { status, version } of responses) {
    if (status !== 0 && status < 500) continue;
    const by = version === undefined ? 'the gateway' : version;
    const what = status === 0 ? 'no answer' : `status ${status} from ${by}`;
    counts[what] = (counts[what] ?? 0) + 1;
  }
  return counts;
}
