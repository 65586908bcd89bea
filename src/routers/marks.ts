/** The annotations by which a route carries what must survive this process, written in the weights' own request. */
import { group } from '#api/names.ts';
import type { JsonPatchOperation, KubeObject } from '#ports/cluster.ts';

/** The run whose rollback lowered the route. */
export const rolledBackAnnotation = `${group}/rolled-back`;
/** The backends that `isolate` has removed, so that `release` can put them back. */
export const isolatedAnnotation = `${group}/isolated`;

export function annotationOf(object: KubeObject, name: string): string | undefined {
  return object.metadata.annotations?.[name];
}

/**
 * Sets the given annotations and removes those given as undefined. Where there is no map yet, it is
 * added only if that is still so (`test` for null is true of an absent member), because adding it
 * would replace one that was written meanwhile.
 */
export function annotate(
  object: KubeObject,
  changes: Readonly<Record<string, string | undefined>>,
): JsonPatchOperation[] {
  const present = object.metadata.annotations;
  const changed = Object.entries(changes).filter(([name, value]) => present?.[name] !== value);
  if (changed.length === 0) return [];
  if (present === undefined) {
    const path = '/metadata/annotations';
    return [
      { op: 'test', path, value: null },
      { op: 'add', path, value: Object.fromEntries(changed) },
    ];
  }
  return changed.map(([name, value]): JsonPatchOperation => {
    const path = `/metadata/annotations/${escapeToken(name)}`;
    return value === undefined ? { op: 'remove', path } : { op: 'add', path, value };
  });
}

/**
 * The mark that goes with a write of weights: a rollback names its run, even where nothing moves; any
 * other write that moves something takes the mark away.
 */
export function rollbackMark(
  object: KubeObject,
  rollbackOf: string | undefined,
  isMoving: boolean,
): JsonPatchOperation[] {
  if (rollbackOf === undefined && !isMoving) return [];
  return annotate(object, { [rolledBackAnnotation]: rollbackOf });
}

/** RFC 6901: `~` and `/` inside a name. */
export function escapeToken(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
