/** The values as a tree of what stands in values.yaml: from the JSON Schema that the zod schema gives. */
import { z } from 'zod';
import { valuesSchema } from './values.ts';

export type JsonSchema = z.core.JSONSchema.JSONSchema;

export interface ValueNode {
  readonly name: string;
  readonly path: string;
  readonly meaning: string;
  readonly schema: JsonSchema;
  readonly content:
    | { readonly type: 'leaf'; readonly default: unknown }
    | { readonly type: 'group'; readonly children: readonly ValueNode[] };
}

/** One value each, whatever fields they have: they are described where the schema comes from. */
const wholes: ReadonlySet<string> = new Set(['config']);

/** What Helm checks `values.yaml` and a user's own values with. Draft 7 is what editors know. */
export function valuesJsonSchema(): JsonSchema {
  return withoutNoise(
    z.toJSONSchema(valuesSchema, { io: 'input', target: 'draft-7', unrepresentable: 'any' }),
  );
}

export function describeValues(): readonly ValueNode[] {
  return childrenOf(valuesJsonSchema(), '');
}

/** Every leaf, in the order of values.yaml. */
export function leavesOf(nodes: readonly ValueNode[]): readonly ValueNode[] {
  return nodes.flatMap((node) =>
    node.content.type === 'leaf' ? [node] : leavesOf(node.content.children),
  );
}

function childrenOf(schema: JsonSchema, parent: string): readonly ValueNode[] {
  return Object.entries(schema.properties ?? {}).map(([name, one]) => {
    const child: JsonSchema = typeof one === 'boolean' ? {} : one;
    const path = parent === '' ? name : `${parent}.${name}`;
    const meaning = child.description ?? '';
    if (meaning === '') throw new Error(`the value ${path} has no description`);
    const isGroup = child.properties !== undefined && !wholes.has(path);
    const content = isGroup
      ? ({ type: 'group', children: childrenOf(child, path) } as const)
      : ({ type: 'leaf', default: child.default } as const);
    if (content.type === 'leaf' && content.default === undefined) {
      throw new Error(`the value ${path} has no default`);
    }
    return { name, path, meaning, schema: child, content };
  });
}

/** Bounds that only say that JavaScript has no larger whole numbers say nothing here. */
function withoutNoise<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withoutNoise) as T;
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(
    ([key, one]) =>
      !(key === 'maximum' && one === Number.MAX_SAFE_INTEGER) &&
      !(key === 'minimum' && one === Number.MIN_SAFE_INTEGER) &&
      !(key === 'propertyNames'),
  );
  return Object.fromEntries(kept.map(([key, one]) => [key, withoutNoise(one)])) as T;
}
