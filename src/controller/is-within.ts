/** Whether an object says all that is wanted of it. What others, or the API server's defaults, have added does not matter. */

export function isWithin(wanted: unknown, live: unknown): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(live) &&
      live.length === wanted.length &&
      wanted.every((one, index) => isWithin(one, live[index]))
    );
  }
  if (typeof wanted !== 'object' || wanted === null) return wanted === live;
  if (typeof live !== 'object' || live === null) return false;
  return Object.entries(wanted).every(([field, value]) =>
    isWithin(value, Reflect.get(live, field)),
  );
}
