/** Keys of rollouts and of what they use: `namespace/name`, and the kind before it where it matters. */
import type { ObjectKey } from '#ports/cluster.ts';

export function rolloutKey(key: ObjectKey): string {
  return `${key.namespace}/${key.name}`;
}

export function parseKey(key: string): ObjectKey {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** One object of any kind, as the index names it. */
export function usedKey(kind: string, key: ObjectKey): string {
  return `${kind}/${key.namespace}/${key.name}`;
}
