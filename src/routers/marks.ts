/**
 * The annotations by which an object carries what must survive this process, written in the weights' own
 * request. Several rollouts may split one object between different pairs, so each has its own place in them.
 */
import { z } from 'zod';
import { group } from '#api/names.ts';
import type { JsonPatchOperation, KubeObject } from '#ports/cluster.ts';

/** Which run's rollback has lowered what: a JSON object, by canary Service or by flag. */
const rolledBackAnnotation = `${group}/rolled-back`;

const marks = z.record(z.string(), z.string());

/** The run whose rollback lowered this place; undefined where there is none, or it cannot be read. */
export function rolledBackRunOf(object: KubeObject, place: string): string | undefined {
  return readAnnotation(object, rolledBackAnnotation, marks)?.[place];
}

/**
 * The mark that goes with a write of weights: a rollback names its run, even where nothing moves; any
 * other write that moves something takes the mark away.
 */
export function rollbackMark(
  object: KubeObject,
  place: string,
  { rollbackOf, isMoving }: { rollbackOf: string | undefined; isMoving: boolean },
): JsonPatchOperation[] {
  if (rollbackOf === undefined && !isMoving) return [];
  const { [place]: _old, ...others } = readAnnotation(object, rolledBackAnnotation, marks) ?? {};
  const next = rollbackOf === undefined ? others : { ...others, [place]: rollbackOf };
  const value = Object.keys(next).length === 0 ? undefined : JSON.stringify(next);
  return annotate(object, rolledBackAnnotation, value);
}

/** What the annotation holds as JSON; undefined where it is absent or somebody has broken it. */
export function readAnnotation<T>(
  object: KubeObject,
  name: string,
  schema: z.ZodType<T>,
): T | undefined {
  const text = object.metadata.annotations?.[name];
  return text === undefined ? undefined : readJson(text, schema);
}

/** Undefined where the text is no JSON, or is not of this shape. */
export function readJson<T>(text: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/**
 * Sets an annotation or removes it, guarded by a `test` on what stood there. Where there is no map yet
 * it is added only if that is still so (a test for null is true of an absent member), because adding it
 * would replace one that was written meanwhile.
 */
export function annotate(
  object: KubeObject,
  name: string,
  value: string | undefined,
): JsonPatchOperation[] {
  const present = object.metadata.annotations;
  const old = present?.[name];
  if (old === value) return [];
  const parent = '/metadata/annotations';
  const path = `${parent}/${escapeToken(name)}`;
  if (present === undefined) {
    return [
      { op: 'test', path: parent, value: null },
      { op: 'add', path: parent, value: { [name]: value } },
    ];
  }
  const test: JsonPatchOperation = { op: 'test', path, value: old ?? null };
  return [test, value === undefined ? { op: 'remove', path } : { op: 'add', path, value }];
}

/** RFC 6901: `~` and `/` inside a name. */
export function escapeToken(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
