/**
 * Which of two states of an object is newer. Since Kubernetes 1.35 (KEP-5504) resourceVersions are
 * decimal numbers that can be compared within a resource; they may outgrow 53 bits.
 */

/** True when `a` is known to be newer than `b`. */
export function isNewer(a: string | undefined, b: string | undefined): boolean {
  if (!isNumber(a) || !isNumber(b)) return false;
  return a.length === b.length ? a > b : a.length > b.length;
}

/** True when `a` is known to be as old as `b`, or older. Versions that are no numbers are never. */
export function isStale(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return a === b || isNewer(b, a);
}

function isNumber(version: string | undefined): version is string {
  return version !== undefined && /^(0|[1-9][0-9]*)$/.test(version);
}
