/**
 * The numbers that a route's owner has written, where they are no percentages: 1 and 0 are kept on the route while it is
 * raised, so that letting go gives back what stands in Git, and not merely the same share.
 */
import { z } from 'zod';
import { fieldManager, group } from '#api/names.ts';
import type { JsonPatchOperation, KubeObject } from '#ports/cluster.ts';
import { type Pair, type Split, sharesOf } from './gateway-rules.ts';
import { annotate, readAnnotation } from './marks.ts';
import { type Shares, stands } from './shares.ts';

const declaredAnnotation = `${group}/declared`;

const weight = z.number().int().min(0);
const entries = z.array(
  z.object({ rule: weight, canary: z.string(), weights: z.tuple([weight, weight]) }),
);
type Entry = z.infer<typeof entries>[number];

/**
 * Goes with a raise, which is guarded: a fall to 0 must not hang on an annotation.
 *
 * @param writer who wrote the weights last; what we write ourselves are percentages
 */
export function rememberNumbers(
  object: KubeObject,
  { canary }: Pair,
  moving: readonly Split[],
  writer: string | undefined,
): JsonPatchOperation[] {
  if (moving.length === 0) return [];
  const known = read(object);
  const isOthers = writer !== undefined && writer !== fieldManager;
  const kept = known.filter(
    (entry) => entry.canary !== canary || !(isOthers || isReplaced(entry, moving)),
  );
  const found = moving.flatMap((split): Entry[] => {
    const shares = sharesOf(split);
    const weights: Entry['weights'] = [shares.stable, shares.canary];
    return isPercent(shares) || !isPlain(split) ? [] : [{ rule: split.rule, canary, weights }];
  });
  return write(object, [...kept, ...found]);
}

/** The owner's numbers for a split, where they say this very share. */
export function numbersFor(
  object: KubeObject,
  { canary }: Pair,
  split: Split,
  declared: number,
): Shares | undefined {
  const entry = read(object).find((one) => one.canary === canary && one.rule === split.rule);
  if (entry === undefined || !isPlain(split)) return undefined;
  const numbers = { stable: entry.weights[0], canary: entry.weights[1], others: 0 };
  return stands(numbers, declared) ? numbers : undefined;
}

export function forgetNumbers(object: KubeObject, { canary }: Pair): JsonPatchOperation[] {
  return write(
    object,
    read(object).filter((entry) => entry.canary !== canary),
  );
}

function isReplaced({ rule }: Entry, moving: readonly Split[]): boolean {
  return moving.some((split) => split.rule === rule && !isPercent(sharesOf(split)));
}

function isPercent({ stable, canary, others }: Shares): boolean {
  return others > 0 || stable + canary === 100;
}

/** Each Service is named once. */
function isPlain({ stable, canary }: Split): boolean {
  return stable.length === 1 && canary.length === 1;
}

function read(object: KubeObject): readonly Entry[] {
  return readAnnotation(object, declaredAnnotation, entries) ?? [];
}

function write(object: KubeObject, next: readonly Entry[]): JsonPatchOperation[] {
  const value = next.length === 0 ? undefined : JSON.stringify(next);
  return annotate(object, declaredAnnotation, value);
}
