/**
 * Turns a zod schema into a structural schema as the API server wants it. An allow-list: whatever is not
 * known to be structural stops the generator, so that the API server is never the first to notice.
 */
import { z } from 'zod';

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };
export type StructuralSchema = { readonly [key: string]: Json };

const kept = new Set([
  'type',
  'format',
  'description',
  'default',
  'enum',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'maxProperties',
  'required',
]);

type Loose = Readonly<Record<string, unknown>>;

export function toStructural(schema: z.ZodType): StructuralSchema {
  const json: Loose = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    unrepresentable: 'throw',
    reused: 'inline',
    cycles: 'throw',
  });
  return walk(json, '$');
}

function walk(schema: Loose, path: string): StructuralSchema {
  for (const key of ['$ref', 'oneOf', 'anyOf', 'allOf', 'not', 'nullable']) {
    if (schema[key] !== undefined) throw new Error(`${path}: ${key} is not structural`);
  }
  const type = schema['type'];
  if (typeof type !== 'string') throw new Error(`${path}: no type`);
  const out: Record<string, Json> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (kept.has(key) || key.startsWith('x-kubernetes-')) out[key] = structuredClone(value) as Json;
  }
  tidyDefault(out);
  if (type === 'string') tidyString(out, path);
  if (type === 'integer') tidyInteger(out);
  if (type === 'number')
    throw new Error(`${path}: floating point numbers do not survive every client`);
  if (type === 'array') out['items'] = walk(asSchema(schema['items'], path), `${path}[]`);
  if (type === 'object') Object.assign(out, objectParts(schema, path));
  return ordered(out);
}

/** An empty list is what the operator takes an absent one for; in the cluster it would only be noise. */
function tidyDefault(out: Record<string, Json>): void {
  if (Array.isArray(out['default'])) delete out['default'];
}

function tidyString(out: Record<string, Json>, path: string): void {
  // The API server checks the format; zod's pattern for it would be a page long.
  if (out['format'] === 'date-time') delete out['pattern'];
  const pattern = out['pattern'];
  if (typeof pattern === 'string' && /\(\?[=!<]|\\[1-9]/.test(pattern)) {
    throw new Error(`${path}: pattern ${pattern} is not RE2`);
  }
}

/** No format: with one the API server says `must be of type int32: "float64"` in three sentences instead of one. */
function tidyInteger(out: Record<string, Json>): void {
  if (out['minimum'] === Number.MIN_SAFE_INTEGER) delete out['minimum'];
  if (out['maximum'] === Number.MAX_SAFE_INTEGER) delete out['maximum'];
  delete out['format'];
}

function objectParts(schema: Loose, path: string): Record<string, Json> {
  if (schema['x-kubernetes-preserve-unknown-fields'] === true) return {};
  const properties = schema['properties'];
  if (properties !== undefined) {
    const entries = Object.entries(asSchema(properties, path));
    return {
      properties: Object.fromEntries(
        entries.map(([name, value]) => [
          name,
          walk(asSchema(value, `${path}.${name}`), `${path}.${name}`),
        ]),
      ),
    };
  }
  return {
    additionalProperties: walk(asSchema(schema['additionalProperties'], path), `${path}[*]`),
  };
}

function asSchema(value: unknown, path: string): Loose {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`${path}: not a schema`);
  }
  return value as Loose;
}

/** Description first, children last: the order in which a person reads it. */
function ordered(schema: Record<string, Json>): StructuralSchema {
  const last = ['x-kubernetes-validations', 'properties', 'additionalProperties', 'items'];
  const rank = (key: string) =>
    key === 'description' ? 0 : key === 'type' ? 1 : last.includes(key) ? 3 + last.indexOf(key) : 2;
  return Object.fromEntries(Object.entries(schema).sort(([a], [b]) => rank(a) - rank(b)));
}
