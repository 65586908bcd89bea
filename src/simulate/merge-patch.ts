/** RFC 7386: objects are merged, null takes away, everything else replaces. */

export type JsonObject = Readonly<Record<string, unknown>>;

export function mergePatch(target: unknown, patch: JsonObject): Record<string, unknown> {
  const merged: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = isRecord(value) ? mergePatch(merged[key], value) : value;
  }
  return merged;
}

export function isRecord(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
