/** A set of whole numbers that mostly follow one another, such as the snapshots of a run: kept as ranges. */

/** Ascending, neither touching nor overlapping; both ends included. Immutable. */
export type IndexRanges = readonly (readonly [from: number, to: number])[];

export const noIndices: IndexRanges = [];

export function hasIndex(ranges: IndexRanges, index: number): boolean {
  return ranges.some(([from, to]) => from <= index && index <= to);
}

/** @returns the same ranges when the index is there already */
export function withIndex(ranges: IndexRanges, index: number): IndexRanges {
  return hasIndex(ranges, index) ? ranges : joined([...ranges, [index, index]]);
}

export function withoutIndex(ranges: IndexRanges, index: number): IndexRanges {
  return ranges.flatMap(([from, to]) => {
    if (index < from || index > to) return [[from, to] as const];
    const before = from < index ? [[from, index - 1] as const] : [];
    return to > index ? [...before, [index + 1, to] as const] : before;
  });
}

export function union(a: IndexRanges, b: IndexRanges): IndexRanges {
  if (a.length === 0) return b;
  return b.length === 0 ? a : joined([...a, ...b]);
}

/** How many indices from 1 up to and including `last` are there. */
export function countUpTo(ranges: IndexRanges, last: number): number {
  return ranges.reduce((sum, [from, to]) => {
    return sum + Math.max(0, Math.min(to, last) - Math.max(from, 1) + 1);
  }, 0);
}

/** Every stretch from 1 up to and including `last` that is not there. */
export function gapsUpTo(ranges: IndexRanges, last: number): IndexRanges {
  const gaps: (readonly [number, number])[] = [];
  let next = 1;
  for (const [from, to] of ranges) {
    if (from > last) break;
    if (from > next) gaps.push([next, from - 1]);
    next = Math.max(next, to + 1);
  }
  if (next <= last) gaps.push([next, last]);
  return gaps;
}

/** `1-72,80`: as it stands in an annotation. */
export function rangesText(ranges: IndexRanges): string {
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(',');
}

/** What cannot be read is left out. */
export function parseRanges(text: string): IndexRanges {
  const read = text.split(',').flatMap((part): (readonly [number, number])[] => {
    const match = /^([0-9]{1,12})(?:-([0-9]{1,12}))?$/.exec(part.trim());
    if (match === null) return [];
    const from = Number(match[1]);
    const to = Number(match[2] ?? match[1]);
    return from <= to ? [[from, to]] : [];
  });
  return joined(read);
}

function joined(ranges: IndexRanges): IndexRanges {
  const result: [number, number][] = [];
  for (const [from, to] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = result.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else result.push([from, to]);
  }
  return result;
}
