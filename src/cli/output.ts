/** Objects for programs: `-o json|yaml|name`, as kubectl prints them. */
import { stringify } from 'yaml';
import type { KubeObject } from '#ports/cluster.ts';

/** @param isOne it was asked for by name: the object itself, not a list of one */
export function objectsText(
  objects: readonly KubeObject[],
  output: 'json' | 'yaml',
  isOne: boolean,
): string {
  const cleaned = objects.map(withoutManagedFields);
  const [only] = cleaned;
  return only !== undefined && isOne
    ? text(only, output)
    : text({ apiVersion: 'v1', kind: 'List', items: cleaned }, output);
}

/** `genesisrollout.genesis.dev/checkout`. */
export function nameText({ apiVersion, kind, metadata }: KubeObject): string {
  return `${kind.toLowerCase()}.${apiVersion.split('/')[0]}/${metadata.name}`;
}

/** kubectl shows them only when asked to. */
function withoutManagedFields(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

function text(value: object, output: 'json' | 'yaml'): string {
  return output === 'json'
    ? `${JSON.stringify(value, undefined, 4)}\n`
    : stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}
