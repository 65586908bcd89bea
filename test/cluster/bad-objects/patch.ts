/** Small patches on a good object: a path such as `spec.schedule.steps[1].weight`, and what stands there instead. */

export type Patch = Readonly<Record<string, unknown>>;

/** As a value it removes the field. */
export const absent = Symbol('absent');

/** A deep copy of `object` with every path of `patch` set, or removed. Intermediate objects must be there. */
export function patched<T extends object>(object: T, patch: Patch): T {
  const copy = structuredClone(object);
  for (const [path, value] of Object.entries(patch)) setAt(copy, partsOf(path), value);
  return copy;
}

/** What stands at a path of the same form; undefined where something on the way is missing. */
export function valueAt(object: unknown, path: string): unknown {
  return partsOf(path).reduce<unknown>(
    (at, part) => (typeof at === 'object' && at !== null ? Reflect.get(at, part) : undefined),
    object,
  );
}

function partsOf(path: string): readonly string[] {
  return path.replaceAll('[', '.').replaceAll(']', '').split('.');
}

function setAt(root: object, parts: readonly string[], value: unknown): void {
  const last = parts.at(-1) ?? '';
  let at: object = root;
  for (const part of parts.slice(0, -1)) {
    const next: unknown = Reflect.get(at, part);
    if (typeof next !== 'object' || next === null)
      throw new Error(`there is no ${part} on the way to ${parts.join('.')}`);
    at = next;
  }
  if (value === absent) Reflect.deleteProperty(at, last);
  else Reflect.set(at, last, value);
}
