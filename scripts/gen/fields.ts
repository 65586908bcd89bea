/** Tables of fields, one section for every object of a structural schema. */
import { code, table } from './markdown.ts';
import type { StructuralSchema } from './structural.ts';

interface Field {
  readonly name: string;
  readonly schema: Loose;
  readonly isRequired: boolean;
}

type Loose = Readonly<Record<string, unknown>>;

export function fieldSections(path: string, schema: StructuralSchema): readonly string[] {
  return section(path, schema, path === 'spec' || path === 'status');
}

function section(path: string, schema: Loose, isTop: boolean): readonly string[] {
  const fields = fieldsOf(schema);
  if (fields.length === 0) return [];
  const rows = fields.map(({ name, schema, isRequired }) => [
    code(name),
    typeText(schema),
    `${descriptionOf(schema)}${boundsText(schema)}`,
    isRequired ? '*required*' : defaultText(schema['default']),
  ]);
  const inner = fields.flatMap(({ name, schema }) => nested(`${path}.${name}`, schema));
  const description = descriptionOf(schema);
  return [
    `${isTop ? '##' : '###'} ${code(path)}`,
    ...(description === '' ? [] : [description]),
    table(['field', 'type', 'meaning', 'default'], rows),
    ...inner,
  ];
}

function nested(path: string, schema: Loose): readonly string[] {
  if (schema['type'] === 'object') return section(path, schema, false);
  if (schema['type'] === 'array') return section(`${path}[]`, asLoose(schema['items']), false);
  return [];
}

function fieldsOf(schema: Loose): readonly Field[] {
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  return Object.entries(asLoose(schema['properties'])).map(([name, value]) => ({
    name,
    schema: asLoose(value),
    isRequired: required.includes(name),
  }));
}

function typeText(schema: Loose): string {
  const values = schema['enum'];
  if (Array.isArray(values)) return values.map((value) => code(String(value))).join(' ');
  if (schema['type'] === 'array') return `list of ${typeText(asLoose(schema['items']))}`;
  if (schema['additionalProperties'] !== undefined)
    return `map of ${typeText(asLoose(schema['additionalProperties']))}`;
  if (schema['format'] === 'date-time') return 'time';
  return String(schema['type']);
}

/** Bounds that a person can run into; the patterns are said in words by the descriptions. */
function boundsText(schema: Loose): string {
  const parts = [
    bound('at least', schema['minimum'], ''),
    bound('at most', schema['maximum'], ''),
    bound('at least', schema['minItems'], schema['minItems'] === 1 ? ' entry' : ' entries'),
    bound('at most', schema['maxItems'], ' entries'),
    bound('at most', schema['maxLength'], ' characters'),
  ].filter((part) => part !== '');
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

function bound(word: string, value: unknown, unit: string): string {
  return typeof value === 'number' ? `${word} ${value}${unit}` : '';
}

function defaultText(value: unknown): string {
  if (value === undefined || isEmpty(value)) return '–';
  return code(typeof value === 'string' ? value : JSON.stringify(value));
}

function descriptionOf(schema: Loose): string {
  const description = schema['description'];
  return typeof description === 'string' ? description : '';
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function asLoose(value: unknown): Loose {
  return typeof value === 'object' && value !== null ? (value as Loose) : {};
}
