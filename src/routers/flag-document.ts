/**
 * A flagd flag document as text: where canary's share stands in it, and how it is changed without
 * touching another byte. flagd reads JSON and YAML, and the parser here reads both.
 *
 * A share is a bucket of the `fractional` operation in the flag's targeting:
 *   "targeting": {"fractional": [{"var": "userId"}, ["on", 50], ["off", 50]]}
 * A bucket without a number counts 1. `fractional` may stand inside conditions, and more than once.
 */
import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  type Scalar,
  visit,
  type YAMLSeq,
} from 'yaml';
import { routeReasons } from './reasons.ts';
import type { Shares } from './shares.ts';
import type { Refusal } from './writing.ts';

/** One `fractional` that divides between both variants. */
export interface Fractional {
  readonly shares: Shares;
  readonly buckets: readonly Bucket[];
  /** True when neither variant has a number, which means equal shares. */
  readonly isUndeclared: boolean;
}

export interface FlagDocument {
  readonly type: 'flag';
  readonly isEnabled: boolean;
  readonly fractionals: readonly Fractional[];
}

interface Bucket {
  readonly arm: 'stable' | 'canary' | 'other';
  readonly weight: number;
  /** Where its number stands in the text; an empty range where there is none yet. */
  readonly start: number;
  readonly end: number;
  readonly isImplied: boolean;
}

interface Variants {
  readonly stable: string;
  readonly canary: string;
}

/** flagd's own default for `["on"]`. */
const WEIGHT_DEFAULT = 1;

/** Slow (about 1 ms a KB): for every version of a text once. */
export function parseFlags(text: string, isJson: boolean): Document | Refusal {
  const jsonError = isJson ? jsonErrorOf(text) : undefined;
  if (jsonError !== undefined) return refused(routeReasons.malformed, `is not JSON: ${jsonError}`);
  const document = parseDocument(text);
  const error = document.errors[0];
  if (error === undefined) return document;
  return refused(routeReasons.malformed, `cannot be parsed: ${error.message.split('\n')[0]}`);
}

export function findFlag(document: Document, flag: string): FlagDocument | Refusal {
  const definition = document.getIn(['flags', flag]);
  if (!isMap(definition)) {
    return refused(routeReasons.noSuchFlag, `has no flag "${flag}" under "flags"`);
  }
  const variants = variantsOf(definition.get('variants'));
  if (variants === undefined) {
    return refused(
      routeReasons.unknownVariants,
      `flag "${flag}" does not tell which variant is canary; allowed are variants named canary and stable, one of value true and one of value false, or variants named on and off`,
    );
  }
  const fractionals = fractionalsOf(definition.get('targeting'), variants);
  if (fractionals.length === 0) {
    return refused(
      routeReasons.noFractional,
      `flag "${flag}" has no "fractional" in its targeting that names both variants; write {"fractional": [["${variants.canary}", 0], ["${variants.stable}", 100]]}`,
    );
  }
  return { type: 'flag', isEnabled: definition.get('state') !== 'DISABLED', fractionals };
}

/** The text with this share in every given `fractional`, and every other byte as it was. */
export function writeShares(
  text: string,
  fractionals: readonly Fractional[],
  weight: number,
): string {
  const edits = fractionals
    .flatMap((fractional) => editsOf(fractional, weight))
    .sort((a, b) => b.bucket.start - a.bucket.start);
  return edits.reduce((edited, { bucket, value }) => {
    const written = bucket.isImplied ? `, ${value}` : `${value}`;
    return edited.slice(0, bucket.start) + written + edited.slice(bucket.end);
  }, text);
}

/** Of several buckets with one variant the first carries the weight. */
function editsOf({ buckets }: Fractional, weight: number) {
  const value = { stable: 100 - weight, canary: weight };
  return buckets.flatMap((bucket, at) => {
    if (bucket.arm === 'other') return [];
    const isFirst = buckets.findIndex(({ arm }) => arm === bucket.arm) === at;
    return [{ bucket, value: isFirst ? value[bucket.arm] : 0 }];
  });
}

function variantsOf(node: unknown): Variants | undefined {
  if (!isMap(node)) return undefined;
  const values = new Map(node.items.map((pair) => [nameOf(pair.key), scalarOf(pair.value)]));
  if (values.has('canary') && values.has('stable')) return { canary: 'canary', stable: 'stable' };
  const named = (value: boolean) =>
    [...values].flatMap(([name, of]) => (of === value ? [name] : []));
  const [canary, ...moreTrue] = named(true);
  const [stable, ...moreFalse] = named(false);
  if (canary !== undefined && stable !== undefined && moreTrue.length + moreFalse.length === 0) {
    return { canary, stable };
  }
  if (values.has('on') && values.has('off')) return { canary: 'on', stable: 'off' };
  return undefined;
}

function fractionalsOf(targeting: unknown, variants: Variants): Fractional[] {
  const found: Fractional[] = [];
  if (!isMap(targeting)) return found;
  visit(targeting, {
    Pair(_key, pair) {
      if (nameOf(pair.key) !== 'fractional' || !isSeq(pair.value)) return;
      const buckets = bucketsOf(pair.value, variants);
      const sum = (arm: Bucket['arm']) =>
        buckets.filter((one) => one.arm === arm).reduce((total, one) => total + one.weight, 0);
      const names = (arm: Bucket['arm']) => buckets.some((one) => one.arm === arm);
      if (!names('stable') || !names('canary')) return;
      const shares = { stable: sum('stable'), canary: sum('canary'), others: sum('other') };
      const isUndeclared = buckets.every((one) => one.arm === 'other' || one.isImplied);
      found.push({ shares, buckets, isUndeclared });
    },
  });
  return found;
}

/** Lists are buckets; what is no list is the value by which callers are told apart. */
function bucketsOf(sequence: YAMLSeq, variants: Variants): Bucket[] {
  return sequence.items.filter(isSeq).flatMap((item) => {
    const [variant, weight] = item.items;
    if (!isScalar(variant)) return [];
    const name = nameOf(variant);
    const arm = name === variants.canary ? 'canary' : name === variants.stable ? 'stable' : 'other';
    return [{ arm, ...weightAt(variant, weight) } as const];
  });
}

function weightAt(variant: Scalar, weight: unknown): Omit<Bucket, 'arm'> {
  if (isScalar(weight) && typeof weight.value === 'number' && weight.range) {
    const [start, end] = weight.range;
    return { weight: weight.value, start, end, isImplied: false };
  }
  const end = variant.range?.[1] ?? 0;
  return { weight: WEIGHT_DEFAULT, start: end, end, isImplied: true };
}

function nameOf(node: unknown): string {
  return String(scalarOf(node));
}

function scalarOf(node: unknown): unknown {
  return isScalar(node) ? node.value : node;
}

function jsonErrorOf(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function refused(reason: string, message: string): Refusal {
  return { type: 'refused', reason, message };
}
