/**
 * When are two statuses the same? Sentences may carry live figures, and a figure alone is no reason to write
 * to the API server: everything but `message` counts.
 */
import type { RolloutStatus } from '#api/status.ts';

export function isSameStatus(a: RolloutStatus, b: RolloutStatus): boolean {
  return isSame(a, b);
}

/** Plain objects and arrays are compared member by member without making anything: this runs for every look. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => isSame(item, b[index]));
  }
  return covers(a, b) && hasNothingBeyond(a, b);
}

/** An absent member and an undefined one are the same on the wire. */
function covers(a: object, b: object): boolean {
  for (const key in a) {
    if (key !== 'message' && !isSame(Reflect.get(a, key), Reflect.get(b, key))) return false;
  }
  return true;
}

function hasNothingBeyond(a: object, b: object): boolean {
  for (const key in b) {
    const isBeyond = Reflect.get(a, key) === undefined && Reflect.get(b, key) !== undefined;
    if (isBeyond && key !== 'message') return false;
  }
  return true;
}
