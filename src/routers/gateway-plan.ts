/**
 * What has to be patched into a Gateway API route: weights, the removal of canary, and its return.
 * Each operation is guarded by a `test` on the name at the index it was computed for.
 */

import { z } from 'zod';
import { group } from '#api/names.ts';
import type { JsonPatchOperation, KubeObject } from '#ports/cluster.ts';
import { forgetNumbers, numbersFor, rememberNumbers } from './declared-numbers.ts';
import {
  findSplits,
  type Pair,
  type RefAt,
  type Split,
  type Splits,
  sharesOf,
  splitProblems,
} from './gateway-rules.ts';
import { annotate, readAnnotation, rollbackMark } from './marks.ts';
import { routeReasons } from './reasons.ts';
import type { BackendRef, RouteShape } from './route-shape.ts';
import { type Shares, stands } from './shares.ts';
import { guardedPatchOf, type Plan, patchOf, type Refusal } from './writing.ts';

/** The backends that `isolate` has removed, so that `rejoin` or `release` can put them back. */
const isolatedAnnotation = `${group}/isolated`;

const removedRefs = z.array(
  z.object({
    rule: z.number().int().min(0),
    index: z.number().int().min(0),
    ref: z.looseObject({ name: z.string() }),
  }),
);
type RemovedRef = z.infer<typeof removedRefs>[number];

export interface PlanInput {
  readonly object: KubeObject;
  readonly shape: RouteShape;
  readonly pair: Pair;
}

/**
 * Weights of all rules that name both, and the mark of a rollback. Raising is refused where the shape
 * forbids it; lowering only where there is no rule in which it could be done.
 */
export function weightPlan(
  input: PlanInput,
  weight: number,
  { rollbackOf, writer }: { rollbackOf: string | undefined; writer: string | undefined },
): Plan {
  const splits = findSplits(input.shape, input.pair);
  const isDown = weight === 0 && isUnreached(input, splits);
  if (splits.both.length === 0 && !isDown) return { type: 'refused', ...noSplit(input, splits) };
  const problem = splitProblems(splits).find((one) => one.blocking);
  if (weight > 0 && problem !== undefined) {
    return { type: 'refused', reason: problem.reason, message: problem.message };
  }
  const moving = splits.both.filter((split) => !stands(sharesOf(split), weight));
  const moves = moving.flatMap((split) => weightOperations(split, inPercent(weight)));
  const mark = { rollbackOf, isMoving: moves.length > 0 };
  const operations = [...moves, ...rollbackMark(input.object, input.pair.canary, mark)];
  if (weight === 0) return patchOf(operations);
  const remembered = rememberNumbers(input.object, input.pair, moving, writer);
  return guardedPatchOf(input.object, [...operations, ...remembered]);
}

/** Takes canary out of every rule that names both, and leaves stable with all of it. */
export function isolatePlan(input: PlanInput): Plan {
  const splits = findSplits(input.shape, input.pair);
  const { both } = splits;
  if (both.length === 0) {
    return isUnreached(input, splits)
      ? { type: 'stands' }
      : { type: 'refused', ...noSplit(input, splits) };
  }
  const removed = both.flatMap((split) =>
    split.canary.map(({ index, ref }): RemovedRef => ({ rule: split.rule, index, ref })),
  );
  const weights = both.flatMap((split) => weightOperations(split, inPercent(0)));
  const removals = removed.toReversed().map(
    ({ rule, index }): JsonPatchOperation => ({
      op: 'remove',
      path: `/spec/rules/${rule}/backendRefs/${index}`,
    }),
  );
  const kept = readRemoved(input.object).filter(
    (old) => !removed.some((now) => isSamePlace(now, old)),
  );
  return patchOf([...weights, ...removals, ...remember(input.object, [...kept, ...removed])]);
}

/** Canary back with weight 0 where `isolate` took it from; the mark of the rollback stays. */
export function rejoinPlan(input: PlanInput): Plan {
  const { object, pair } = input;
  const others = readRemoved(object).filter(({ ref }) => ref.name !== pair.canary);
  return guardedPatchOf(object, [...returnOperations(input, 0), ...remember(object, others)]);
}

/** Weights as declared, canary back where `isolate` took it from, and no mark of this pair's. */
export function declaredPlan(input: PlanInput, declared: number): Plan {
  const { object, pair } = input;
  const weights = findSplits(input.shape, input.pair).both.flatMap((split) =>
    declaredOperations(input, split, declared),
  );
  const others = readRemoved(object).filter(({ ref }) => ref.name !== pair.canary);
  return guardedPatchOf(object, [
    ...weights,
    ...returnOperations(input, declared),
    ...remember(object, others),
    ...forgetNumbers(object, pair),
    ...rollbackMark(object, pair.canary, { rollbackOf: undefined, isMoving: true }),
  ]);
}

/** The owner's own numbers, where they say the declared share; else that share, unless it stands already. */
function declaredOperations(
  { object, pair }: PlanInput,
  split: Split,
  declared: number,
): JsonPatchOperation[] {
  const shares = sharesOf(split);
  const numbers = numbersFor(object, pair, split, declared);
  if (numbers === undefined) {
    return stands(shares, declared) ? [] : weightOperations(split, inPercent(declared));
  }
  const isThere = shares.stable === numbers.stable && shares.canary === numbers.canary;
  return isThere ? [] : weightOperations(split, numbers);
}

/**
 * True when no rule names both and none that was split leads to canary. Rules that name canary alone
 * count as another's decision only after `isolate`: a route that never split cannot be lowered.
 */
export function isUnreached(input: PlanInput, splits: Splits): boolean {
  return splits.both.length === 0 && (splits.onlyCanary.length === 0 || isIsolated(input, splits));
}

/** A remembered backend whose rule has been given back to both, or to canary, is history. */
export function isIsolated({ object, pair }: PlanInput, splits: Splits): boolean {
  return readRemoved(object).some(
    ({ rule, ref }) => ref.name === pair.canary && splits.onlyStable.includes(rule),
  );
}

/** Why there is nothing to write a share into. */
export function noSplit(input: PlanInput, splits: Splits): Omit<Refusal, 'type'> {
  const { object, pair } = input;
  const name = `${object.kind} ${object.metadata.namespace}/${object.metadata.name}`;
  if (isIsolated(input, splits)) {
    return {
      reason: routeReasons.isolated,
      message: `${name}: a rollback has removed ${pair.canary}; it comes back with the next run, when the route is released, or by applying the route's own manifest`,
    };
  }
  return {
    reason: routeReasons.noSuchBackends,
    message: `${name} has no rule whose backendRefs name both Services, ${pair.stable} and ${pair.canary}`,
  };
}

type Numbers = Pick<Shares, 'stable' | 'canary'>;

function inPercent(weight: number): Numbers {
  return { stable: 100 - weight, canary: weight };
}

/**
 * `add` replaces a member that is there (RFC 6902, 4.1), so it fits a weight that is written out and one
 * that is not. Of a Service that a rule names twice the first carries the weight.
 */
function weightOperations(split: Split, { stable, canary }: Numbers): JsonPatchOperation[] {
  const refs = [...split.stable, ...split.canary];
  const tests = refs.map(
    ({ index, ref }): JsonPatchOperation => ({
      op: 'test',
      path: `/spec/rules/${split.rule}/backendRefs/${index}/name`,
      value: ref.name,
    }),
  );
  const writes = [...shares(split, split.stable, stable), ...shares(split, split.canary, canary)];
  return [...tests, ...writes];
}

function shares(split: Split, refs: readonly RefAt[], weight: number): JsonPatchOperation[] {
  return refs.map(({ index }, at) => ({
    op: 'add',
    path: `/spec/rules/${split.rule}/backendRefs/${index}/weight`,
    value: at === 0 ? weight : 0,
  }));
}

function readRemoved(object: KubeObject): readonly RemovedRef[] {
  return readAnnotation(object, isolatedAnnotation, removedRefs) ?? [];
}

function isSamePlace(a: Omit<RemovedRef, 'index'>, b: Omit<RemovedRef, 'index'>): boolean {
  return a.rule === b.rule && a.ref.name === b.ref.name;
}

function remember(object: KubeObject, removed: readonly RemovedRef[]): JsonPatchOperation[] {
  const value = removed.length === 0 ? undefined : JSON.stringify(removed);
  return annotate(object, isolatedAnnotation, value);
}

/**
 * A backend returns to its own rule only if that still names stable and not canary; a rule that has
 * been rewritten since is left as its author wants it.
 */
function returnOperations(
  { object, shape, pair }: PlanInput,
  declared: number,
): JsonPatchOperation[] {
  const { onlyStable } = findSplits(shape, pair);
  const returning = readRemoved(object).filter(
    ({ rule, ref }, at, all) =>
      onlyStable.includes(rule) &&
      ref.name === pair.canary &&
      all.findIndex((other) => isSamePlace(other, { rule, ref })) === at,
  );
  return returning.flatMap(({ rule, index, ref }): JsonPatchOperation[] => {
    const refs = shape.rules[rule]?.backendRefs ?? [];
    const at = Math.min(index, refs.length);
    return [
      ...stableOperations(rule, refs, pair, 100 - declared),
      {
        op: 'add',
        path: `/spec/rules/${rule}/backendRefs/${at}`,
        value: { ...ref, weight: declared },
      },
    ];
  });
}

function stableOperations(
  rule: number,
  refs: readonly BackendRef[],
  pair: Pair,
  weight: number,
): JsonPatchOperation[] {
  const index = refs.findIndex((ref) => ref.name === pair.stable);
  const path = `/spec/rules/${rule}/backendRefs/${index}`;
  return [
    { op: 'test', path: `${path}/name`, value: pair.stable },
    { op: 'add', path: `${path}/weight`, value: weight },
  ];
}
