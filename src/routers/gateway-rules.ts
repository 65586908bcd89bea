/** Which rules of a route name both Services, what share canary has in them, and what forbids to raise it. */
import type { RouteProblem } from '#ports/traffic-router.ts';
import { routeReasons } from './reasons.ts';
import type { BackendRef, RouteRule, RouteShape } from './route-shape.ts';
import { type Shares, totalOf } from './shares.ts';

export interface RefAt {
  readonly index: number;
  readonly ref: BackendRef;
}

/** One rule that names both Services. `others` are all its further backends. */
export interface Split {
  readonly rule: number;
  readonly stable: readonly RefAt[];
  readonly canary: readonly RefAt[];
  readonly others: readonly RefAt[];
  readonly sticky: boolean;
}

export interface Splits {
  readonly both: readonly Split[];
  /** Rules that name only one of the two, by index. */
  readonly onlyStable: readonly number[];
  readonly onlyCanary: readonly number[];
}

export interface Pair {
  readonly stable: string;
  readonly canary: string;
}

/** The Gateway API counts a backend without a weight as 1, and its schema writes that 1 into the object. */
const WEIGHT_DEFAULT = 1;

export function findSplits(shape: RouteShape, pair: Pair): Splits {
  const both: Split[] = [];
  const onlyStable: number[] = [];
  const onlyCanary: number[] = [];
  for (const [index, rule] of shape.rules.entries()) {
    const split = splitOf(index, rule, pair, shape.namespace);
    if (split.stable.length > 0 && split.canary.length > 0) both.push(split);
    else if (split.stable.length > 0) onlyStable.push(index);
    else if (split.canary.length > 0) onlyCanary.push(index);
  }
  return { both, onlyStable, onlyCanary };
}

function splitOf(index: number, rule: RouteRule, pair: Pair, namespace: string): Split {
  const refs = (rule.backendRefs ?? []).map((ref, at) => ({ index: at, ref }));
  const names = (service: string) => (at: RefAt) => isService(at.ref, service, namespace);
  const stable = refs.filter(names(pair.stable));
  const canary = refs.filter(names(pair.canary));
  return {
    rule: index,
    stable,
    canary,
    others: refs.filter((at) => !stable.includes(at) && !canary.includes(at)),
    sticky: rule.sessionPersistence !== undefined && rule.sessionPersistence !== null,
  };
}

/** Group and kind default to the core Service, the namespace to the route's own. */
function isService(ref: BackendRef, service: string, namespace: string): boolean {
  return (
    ref.name === service &&
    (ref.group ?? '') === '' &&
    (ref.kind ?? 'Service') === 'Service' &&
    (ref.namespace ?? namespace) === namespace
  );
}

export function sharesOf(split: Split): Shares {
  return {
    stable: weightOf(split.stable),
    canary: weightOf(split.canary),
    others: weightOf(split.others),
  };
}

function weightOf(refs: readonly RefAt[]): number {
  return refs.reduce((sum, at) => sum + (at.ref.weight ?? WEIGHT_DEFAULT), 0);
}

/** What hinders a rise in these rules. Lowering to 0 is never hindered. */
export function splitProblems(splits: Splits): RouteProblem[] {
  return splits.both.flatMap((split) => problemsOf(split)).concat(coverageProblems(splits));
}

function problemsOf(split: Split): RouteProblem[] {
  const at = `spec.rules[${split.rule}]`;
  const problems: RouteProblem[] = [];
  const block = (reason: string, message: string) =>
    problems.push({ reason, message: `${at} ${message}`, blocking: true });
  const third = split.others.find((other) => (other.ref.weight ?? WEIGHT_DEFAULT) > 0);
  if (third !== undefined) {
    block(
      routeReasons.thirdBackend,
      `sends a share to a third backend, ${third.ref.name} (weight ${third.ref.weight ?? WEIGHT_DEFAULT}); allowed are the two Services of the rollout, others with weight 0`,
    );
  }
  if (split.stable.length > 1 || split.canary.length > 1) {
    const twice = split.stable.length > 1 ? split.stable : split.canary;
    block(
      routeReasons.duplicateBackend,
      `names ${twice[0]?.ref.name} ${twice.length} times; allowed is once`,
    );
  }
  if (isUndeclared(split)) {
    block(
      routeReasons.weightsNotDeclared,
      `gives both backends no weight, or 1, which means 50 % before the first step; write weights that say what is meant, such as 100 for stable and 0 for canary`,
    );
  }
  if (totalOf(sharesOf(split)) === 0) {
    problems.push({
      reason: routeReasons.noTraffic,
      message: `${at} has weight 0 on all backends: its requests are answered with an error`,
      blocking: false,
    });
  }
  if (split.sticky) {
    problems.push({
      reason: routeReasons.sessionPersistence,
      message: `${at} has sessionPersistence: clients stay with the version they met first, at weight 0 too, until their session ends or a rollback removes the backend`,
      blocking: false,
    });
  }
  return problems;
}

/** An omitted weight and a written 1 look the same once the API server has filled in the default. */
function isUndeclared(split: Split): boolean {
  const isDefault = (at: RefAt) => (at.ref.weight ?? WEIGHT_DEFAULT) === WEIGHT_DEFAULT;
  return split.stable.every(isDefault) && split.canary.every(isDefault);
}

function coverageProblems(splits: Splits): RouteProblem[] {
  if (splits.both.length === 0) return [];
  const onlyStable = splits.onlyStable.map((rule) => ({
    reason: routeReasons.partialCoverage,
    message: `spec.rules[${rule}] names stable alone: its requests never reach canary`,
    blocking: false,
  }));
  const onlyCanary = splits.onlyCanary.map((rule) => ({
    reason: routeReasons.partialCoverage,
    message: `spec.rules[${rule}] names canary alone: its requests reach canary at every weight, after a rollback too`,
    blocking: false,
  }));
  return [...onlyStable, ...onlyCanary];
}
