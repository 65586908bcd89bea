/** Operators between two operands of any kind, with Prometheus' vector matching (promql/engine.go, VectorBinop, 3.5). */
import type { BinaryParts, Matching } from '#promql/ast.ts';
import {
  type Column,
  EvaluationFault,
  emptyColumn,
  type Labels,
  labelsKey,
  merged,
  NAME,
  only,
  type Vector,
  without,
  withoutName,
} from './columns.ts';

const arithmetic: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  // As in Go: the sign is the dividend's.
  '%': (a, b) => a % b,
  // In Go 1 to any power is 1, and so is anything to the power 0.
  '^': (a, b) => (a === 1 ? 1 : a ** b),
  atan2: (a, b) => Math.atan2(a, b),
};

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '>': (a, b) => a > b,
  '<': (a, b) => a < b,
  '>=': (a, b) => a >= b,
  '<=': (a, b) => a <= b,
};

/** What an operator makes of two numbers; undefined where a comparison drops the pair. */
type Combine = (a: number, b: number) => number | undefined;

/** @param kept which operand a comparison without `bool` lets through */
function combiner({ op, bool }: BinaryParts, kept: 'left' | 'right'): Combine {
  const compute = arithmetic[op];
  if (compute !== undefined) return compute;
  const compare = comparisons[op];
  if (compare === undefined) {
    throw new EvaluationFault(`the operator ${op} is not one that simulate carries out`);
  }
  if (bool) return (a, b) => (compare(a, b) ? 1 : 0);
  return (a, b) => (compare(a, b) ? (kept === 'left' ? a : b) : undefined);
}

export function scalarsCombined(
  parts: BinaryParts,
  left: Float64Array,
  right: Float64Array,
): Float64Array {
  const combine = combiner(parts, 'left');
  return left.map((value, k) => combine(value, right[k] ?? Number.NaN) ?? Number.NaN);
}

/** A vector and a scalar, on whichever side. */
export function vectorWithScalar(
  parts: BinaryParts,
  vector: Vector,
  scalar: Float64Array,
  vectorIs: 'left' | 'right',
): Vector {
  const combine = combiner(parts, vectorIs);
  const count = scalar.length;
  const keepsName = arithmetic[parts.op] === undefined && !parts.bool;
  const columns = vector.map(({ labels, values, present }) => {
    const result = emptyColumn(keepsName ? labels : withoutName(labels), count);
    for (let k = 0; k < count; k += 1) {
      if (present[k] !== 1) continue;
      const [value, other] = [values[k] ?? Number.NaN, scalar[k] ?? Number.NaN];
      const combined = vectorIs === 'left' ? combine(value, other) : combine(other, value);
      if (combined === undefined) continue;
      result.present[k] = 1;
      result.values[k] = combined;
    }
    return result;
  });
  return keepsName ? columns : merged(columns, count);
}

export function setCombined(
  parts: BinaryParts,
  left: Vector,
  right: Vector,
  count: number,
): Vector {
  const signature = signatureOf(parts.matching);
  const presence = (vector: Vector) => {
    const bySignature = new Map<string, Uint8Array>();
    for (const { labels, present } of vector) {
      const key = signature(labels);
      const known = bySignature.get(key) ?? new Uint8Array(count);
      for (let k = 0; k < count; k += 1) if (present[k] === 1) known[k] = 1;
      bySignature.set(key, known);
    }
    return bySignature;
  };
  const filtered = (vector: Vector, others: ReadonlyMap<string, Uint8Array>, wanted: 0 | 1) =>
    vector.map(({ labels, values, present }) => {
      const there = others.get(signature(labels));
      return {
        labels,
        values,
        present: present.map((one, k) => (one === 1 && (there?.[k] ?? 0) === wanted ? 1 : 0)),
      };
    });
  if (parts.op === 'and') return filtered(left, presence(right), 1);
  if (parts.op === 'unless') return filtered(left, presence(right), 0);
  return merged([...left, ...filtered(right, presence(left), 0)], count);
}

/** Labels that two series must have in common to meet, as one text. */
function signatureOf(matching: Matching | undefined): (labels: Labels) => string {
  const names = matching?.labels ?? [];
  return matching?.on === true
    ? (labels) => labelsKey(only(labels, names))
    : (labels) => labelsKey(without(labels, [...names, NAME]));
}

export function vectorsCombined(
  parts: BinaryParts,
  left: Vector,
  right: Vector,
  count: number,
): Vector {
  const { matching } = parts;
  const isSwapped = matching?.many === 'right';
  const [many, one] = isSwapped ? [right, left] : [left, right];
  const combine = combiner(parts, 'left');
  const signature = signatureOf(matching);
  const groups = new Map<string, Column[]>();
  for (const column of one) {
    const key = signature(column.labels);
    groups.set(key, [...(groups.get(key) ?? []), column]);
  }
  const isThere = presenceOf(many, count);
  for (const group of groups.values()) {
    refuseMeeting(group, isThere, isSwapped ? 'left' : 'right');
  }
  const results: Column[] = [];
  const matched = new Map<string, Column[]>();
  for (const column of many) {
    const key = signature(column.labels);
    for (const partner of groups.get(key) ?? []) {
      const result = emptyColumn(resultLabels(column.labels, partner.labels, parts), count);
      for (let k = 0; k < count; k += 1) {
        if (column.present[k] !== 1 || partner.present[k] !== 1) continue;
        const [a, b] = [column.values[k] ?? Number.NaN, partner.values[k] ?? Number.NaN];
        const combined = isSwapped ? combine(b, a) : combine(a, b);
        if (combined === undefined) continue;
        result.present[k] = 1;
        result.values[k] = combined;
      }
      results.push(result);
      matched.set(key, [...(matched.get(key) ?? []), result]);
    }
  }
  if (matching?.many === undefined) {
    for (const group of matched.values()) refuseMeeting(group, isThere, undefined);
  }
  return merged(results, count);
}

/** 1 where any of the series is there. */
function presenceOf(vector: Vector, count: number): Uint8Array {
  const any = new Uint8Array(count);
  for (const { present } of vector) {
    for (let k = 0; k < count; k += 1) if (present[k] === 1) any[k] = 1;
  }
  return any;
}

/** Series of one group may follow one another, but not be there at the same instant, unless there is nothing to meet. */
function refuseMeeting(
  group: readonly Column[],
  isThere: Uint8Array,
  side: 'left' | 'right' | undefined,
): void {
  if (group.length < 2) return;
  for (const [k, there] of isThere.entries()) {
    if (there !== 1 || group.filter(({ present }) => present[k] === 1).length < 2) continue;
    throw new EvaluationFault(
      side === undefined
        ? 'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)'
        : `found duplicate series for the match group on the ${side} hand-side of the operation; many-to-many matching not allowed: matching labels must be unique on one side`,
    );
  }
}

function resultLabels(many: Labels, one: Labels, { op, bool, matching }: BinaryParts): Labels {
  const base = arithmetic[op] !== undefined || bool ? withoutName(many) : many;
  if (matching?.many !== undefined) {
    const labels = new Map(base);
    for (const name of matching.included) {
      const value = one.get(name);
      if (value === undefined || value === '') labels.delete(name);
      else labels.set(name, value);
    }
    return labels;
  }
  const names = matching?.labels ?? [];
  return matching?.on === true ? only(base, names) : without(base, names);
}
