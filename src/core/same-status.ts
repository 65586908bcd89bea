/**
 * When are two statuses the same? Sentences may carry live figures, and a figure alone is no reason to write
 * to the API server: everything but `message` counts.
 */
import type { RolloutStatus } from '#api/status.ts';

export function isSameStatus(a: RolloutStatus, b: RolloutStatus): boolean {
  return same(a, b);
}

function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => same(item, b[index]));
  }
  const left = known(a);
  const right = new Map(known(b));
  return left.length === right.size && left.every(([key, value]) => same(value, right.get(key)));
}

/** An absent member and an undefined one are the same on the wire. */
function known(object: object): [string, unknown][] {
  return Object.entries(object).filter(([key, value]) => key !== 'message' && value !== undefined);
}
